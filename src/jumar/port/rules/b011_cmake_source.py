"""Sources in CUDA C++ listed for CMake, Bazel and Make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B011",
    name="build-source",
    kinds=("cmake", "bazel", "make", "toml", "json"),
    triggers=(".cu",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="NVIDIA's compiler builds the source",
    replacement="a source in Ascend C beside it",
    examples=(
        Example("add_library(x a.cpp b.cu)\n", path="CMakeLists.txt"),
        Example("OBJS = main.o kernel.cu\n", path="Makefile"),
    ),
    keep=(
        Example("# b.cu\nadd_library(x a.cpp b.cutout)\n", path="CMakeLists.txt"),
        Example('[[linter]]\nexclude_patterns = ["aten/cub.cuh"]\n', path=".lintrunner.toml"),
    ),
)

SOURCE = re.compile(r"(?<![\w./${}*-])[\w./${}*-]{0,200}\.cuh?(?![\w.])")

OF_OTHERS = re.compile(r"(^|/)[\w.\-]*(?:hip|rocm|musa)[\w.\-]*(/|$)", re.IGNORECASE)
ELSEWHERE: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "CUDA C++ that the compiler of another vendor than NVIDIA builds here",
    "replacement": "nothing here: the back end for Ascend has a folder and sources of its own",
}
LOOKED_AT = re.compile(
    r"(^|/)\.?(lintrunner|ruff|typos|codespell|pylintrc|codecov|clang|vscode|devcontainer)[^/]*(/|$)"
)
"""Files of tools that look at sources and build none."""


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    for match in SOURCE.finditer(without_comments(document)):
        line, _ = document.position(match.start())
        if line not in lines and not LOOKED_AT.search(document.path):
            lines.add(line)
            given = ELSEWHERE if OF_OTHERS.search(document.path) else {}
            yield RULE.found(document, *match.span(), f"CUDA C++: {match[0]}", **given)
