"""Conda environments with CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import roles, yaml_entries
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B013",
    name="conda",
    kinds=("yaml",),
    triggers=("cuda", "nvidia", "cudnn", "nccl", "cupy", "flash", "xformers", "gpu", "faiss", "dependencies"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package holds code for NVIDIA's GPUs, or CUDA itself",
    replacement="pytorch with cpuonly from conda, or torch and torch-npu from PyPI; CANN from the "
    "ascend channel",
    examples=(
        Example(
            "channels:\n  - pytorch\n  - nvidia\ndependencies:\n  - pytorch-cuda=12.1\n  - pip:\n"
            "    - flash-attn\n",
            path="environment.yml",
        ),
    ),
    keep=(
        Example("channels:\n  - pytorch\ndependencies:\n  - pytorch\n  - numpy\n", path="environment.yml"),
        Example("jobs:\n  a:\n    - cudatoolkit\n", path="x.yml"),
    ),
)

PACKAGE = re.compile(
    r"(?:[\w-]+::)?(?P<name>(?:cudatoolkit|cuda-|cuda$|pytorch-cuda|cudnn|nccl|libcu|"
    r"nvidia-|cupy|libnv)[\w.\-]*|[\w\-]+-gpu)"
)
BUILD = re.compile(r"=\S*(?:cuda|gpu)\S*|\[build=\S*cuda")


def check(document: Document) -> Iterator[Finding]:
    if not roles.is_conda(document):
        return
    for entry in yaml_entries.entries(document):
        if entry.value is None or not entry.is_item:
            continue
        start, end = entry.inner(document.text)
        if entry.path[0] == "channels" and entry.value in ("nvidia", "rapidsai", "xformers"):
            yield RULE.found(document, start, end, f"channel {entry.value}", severity="degrades")
        elif entry.path[0] in ("dependencies", "requirements"):
            name = re.split(r"[\s=<>!~\[;@]", entry.value, maxsplit=1)[0].rsplit("::", 1)[-1].lower()
            if PACKAGE.match(entry.value) or BUILD.search(entry.value):
                yield RULE.found(document, start, end, entry.value)
            elif found := distributions.found(RULE, document, re.sub(r"[-_.]+", "-", name), start, end):
                yield found
