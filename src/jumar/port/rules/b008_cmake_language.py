"""CMake with CUDA as a language."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Edit, Finding
from jumar.port.reading import cmake_calls
from jumar.port.reading.cmake_calls import Call
from jumar.port.reading.shell_words import Word
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B008",
    name="cmake-language",
    kinds=("cmake",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="review",
    runs_unchanged=False,
    why="CMake stops where it finds no CUDA compiler",
    replacement="the language under an option; for Ascend find_package(ASC) and enable_language(ASC)",
    examples=(
        Example(
            "project(x LANGUAGES CXX CUDA)\n",
            after="project(x LANGUAGES CXX)\n"
            "include(CheckLanguage)\ncheck_language(CUDA)\nif(CMAKE_CUDA_COMPILER)\n  "
            "enable_language(CUDA)\nendif()\n",
            path="CMakeLists.txt",
        ),
        Example(
            "enable_language(CUDA)\n",
            after="include(CheckLanguage)\ncheck_language(CUDA)\nif(CMAKE_CUDA_COMPILER)\n  "
            "enable_language(CUDA)\nendif()\n",
            path="CMakeLists.txt",
        ),
        Example("include(CheckLanguage)\ncheck_language(CUDA)\n", path="CMakeLists.txt"),
    ),
    keep=(Example("project(cuda_notes LANGUAGES CXX)\n# enable_language(CUDA)\n", path="CMakeLists.txt"),),
)


GUARDED = (
    "include(CheckLanguage)",
    "check_language(CUDA)",
    "if(CMAKE_CUDA_COMPILER)",
    "  enable_language(CUDA)",
    "endif()",
)
"""CMake's own way to do without a language that is not there."""


def check(document: Document) -> Iterator[Finding]:
    calls = cmake_calls.calls(document)
    is_guarded = any(call.name == "check_language" and call.has("CUDA") for call in calls)
    for call in calls:
        if call.name in ("project", "enable_language", "check_language"):
            for word in call.arguments[1 if call.name == "project" else 0 :]:
                if word.plain == "CUDA":
                    edits = None if is_guarded else _guard(document, call, word)
                    what = f"{call.name}: CUDA as a language"
                    yield RULE.found(document, word.start, word.end, what, edit=edits)


def _guard(document: Document, call: Call, word: Word) -> list[Edit] | None:
    """CUDA only where there is a compiler for it; None for what is indented, so perhaps guarded some other way."""
    line = document.starts[document.position(call.start)[0] - 1]
    if line != call.start or (call.name == "project" and not call.has("LANGUAGES")):
        return None
    if [one.plain for one in call.arguments if one.plain.isupper()] == ["LANGUAGES", "CUDA"]:
        return None
    lines = document.newline.join(GUARDED)
    if call.name == "enable_language":
        return [Edit(call.start, call.end, lines)] if len(call.arguments) == 1 else None
    start = word.start
    while start > 0 and document.text[start - 1] in " \t\r\n":
        start -= 1
    return [Edit(start, word.end, ""), Edit(call.end, call.end, document.newline + lines)]
