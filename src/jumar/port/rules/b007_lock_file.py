"""Lock files that hold NVIDIA's packages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B007",
    name="lock-file",
    kinds=("lock", "json", "yaml", "requirements"),
    triggers=("nvidia", "triton", "flash", "cu1"),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=False,
    why="the lock was made for CUDA; it is made again, not edited",
    replacement="lock again on the target, with torch from PyTorch's CPU index and torch-npu",
    examples=(
        Example('[[package]]\nname = "nvidia-cublas-cu12"\nversion = "12.1"\n', path="poetry.lock"),
        Example('[[package]]\nname = "flash-attn"\nversion = "2"\n', path="uv.lock"),
    ),
    keep=(Example('[[package]]\nname = "numpy"\nversion = "2"\n', path="poetry.lock"),),
)

NAME = re.compile(
    r"^(?:name = |    \{ name = |[ \t]*\"|- (?:conda|pypi): \S*/)\"?(?P<name>[A-Za-z][\w.\-]*)\"?",
    re.MULTILINE,
)
LOCKS = ("poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "pixi.lock", "conda-lock.yml")


def check(document: Document) -> Iterator[Finding]:
    if not document.path.lower().endswith(LOCKS):
        return
    for match in NAME.finditer(document.text):
        name = re.sub(r"[-_.]+", "-", match["name"]).lower()
        if distributions.tie(name):
            yield RULE.found(document, *match.span("name"), name)
