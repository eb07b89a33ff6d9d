"""Markers and settings of tests for CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import toml_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W004",
    name="test-marker",
    kinds=("ini", "toml"),
    triggers=("cuda", "gpu", "nccl"),
    layer="workflow",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="tests are chosen by it, and those for CUDA are not run on Ascend",
    replacement="a marker for any accelerator",
    examples=(
        Example("[pytest]\nmarkers =\n    gpu: needs a GPU\n    cuda: needs CUDA\n", path="pytest.ini"),
        Example('[tool.pytest.ini_options]\nmarkers = ["cuda: needs CUDA"]\n', path="pyproject.toml"),
    ),
    keep=(
        Example("[pytest]\nmarkers =\n    slow: takes long\n", path="pytest.ini"),
        Example('[tool.black]\ninclude = "gpu"\n', path="pyproject.toml"),
    ),
)

MARKER = re.compile(
    r"^[ \t]+(?P<name>\w*(?:cuda|gpu|nccl)\w*)[ \t]*(?:\([^)\n]*\))?:[^\n]*|"
    r"^addopts[^\n]*(?:cuda|gpu)[^\n]*",
    re.MULTILINE | re.IGNORECASE,
)
WORD = re.compile(r"cuda|gpu|nccl", re.IGNORECASE)


def check(document: Document) -> Iterator[Finding]:
    if document.kind == "ini":
        if "pytest" in document.text:
            for match in MARKER.finditer(document.text):
                yield RULE.found(document, *match.span(), match["name"] or "addopts")
        return
    for text in toml_strings.texts(document):
        if (
            text.table.startswith("tool.pytest")
            and not text.is_key
            and text.key != "filterwarnings"
            and WORD.search(text.value)
        ):
            yield RULE.found(document, text.start, text.end, text.value)
