"""CMake with CUDA as a language."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import cmake_calls
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B008",
    name="cmake-language",
    kinds=("cmake",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="CMake stops where it finds no CUDA compiler",
    replacement="the language under an option; for Ascend find_package(ASC) and enable_language(ASC)",
    examples=(
        Example("project(x LANGUAGES CXX CUDA)\n", path="CMakeLists.txt"),
        Example("enable_language(CUDA)\n", path="CMakeLists.txt"),
        Example("include(CheckLanguage)\ncheck_language(CUDA)\n", path="CMakeLists.txt"),
    ),
    keep=(Example("project(cuda_notes LANGUAGES CXX)\n# enable_language(CUDA)\n", path="CMakeLists.txt"),),
)


def check(document: Document) -> Iterator[Finding]:
    for call in cmake_calls.calls(document):
        if call.name in ("project", "enable_language", "check_language"):
            for word in call.arguments[1 if call.name == "project" else 0 :]:
                if word.plain == "CUDA":
                    yield RULE.found(document, word.start, word.end, f"{call.name}: CUDA as a language")
