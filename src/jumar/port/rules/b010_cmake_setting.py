"""CMake commands, variables, targets and properties of CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import cmake_calls
from jumar.port.reading.shell_words import Word
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B010",
    name="cmake-setting",
    kinds=("cmake",),
    triggers=("cuda", "nccl", "cudnn", "nvcc", "nvidia", "compute_", "nvtx"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="it belongs to the build for CUDA: it steers NVIDIA's compiler, names its files or links its libraries",
    replacement="under the option for CUDA; the Ascend path sets CMAKE_ASC_* and links CANN's libraries",
    examples=(
        Example("set(CMAKE_CUDA_ARCHITECTURES 80)\n", path="CMakeLists.txt"),
        Example("target_link_libraries(x CUDA::cudart)\n", path="CMakeLists.txt"),
        Example("cuda_add_library(x a.cc)\n", path="CMakeLists.txt"),
        Example("if(USE_CUDA)\nendif()\n", path="CMakeLists.txt"),
    ),
    keep=(Example("# set(CMAKE_CUDA_FLAGS)\nset(X barracuda)\n", path="CMakeLists.txt"),),
)

WORD = re.compile(
    r"(?<![A-Za-z])(?:cuda|nccl|cudnn|cublas|nvcc|nvidia|nvtx|cutlass|nvrtc|nvml|nvshmem)", re.IGNORECASE
)
ARCHITECTURE = re.compile(r"compute_\d\d|\bsm_\d\d")
TOLD: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "people are told of CUDA; nothing is built differently",
    "replacement": "a word that holds for both",
}
ELSEWHERE = frozenset(
    ("find_package", "find_dependency", "find_library", "find_path", "find_program", "find_file", "include")
)


NAMING = re.compile(
    r"add_(?:library|executable|custom_target|test|subdirectory|dependencies)|set_target_properties|target_\w+|project|install"
)
"""Commands whose first word is a target or a folder of one's own."""
CALLED = re.compile(r"(?:[A-Z]\w*_)?(?:LIBRARY|TARGET|PROJECT|MODULE|PACKAGE|LIB|EXE|BIN)(?:_NAME)?|\w+_NAME")
NAMED: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a name of one's own says CUDA; the line itself steers and links nothing of NVIDIA's",
    "replacement": "a name without the vendor",
}


def _is_name(call: cmake_calls.Call, word: Word) -> bool:
    """What a target, a folder or the project is called."""
    if (
        not call.arguments
        or "$" in word.plain
        or "::" in word.plain
        or not re.fullmatch(r"[\w.\-/]+", word.plain)
    ):
        return False
    if call.name == "set":
        return word is not call.arguments[0] and bool(CALLED.fullmatch(call.arguments[0].plain))
    return bool(NAMING.fullmatch(call.name)) and word is call.arguments[0]


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    for call in cmake_calls.calls(document):
        if call.name in ELSEWHERE or call.name in ("project", "enable_language", "check_language"):
            words = [word for word in call.arguments if word.plain != "CUDA"][1:]
        else:
            words = list(call.arguments)
        if WORD.search(call.name) and call.name not in ELSEWHERE:
            lines.add(document.position(call.start)[0])
            yield RULE.found(document, call.start, call.start + len(call.name), f"{call.name}()")
        for word in words:
            for match in (*WORD.finditer(word.text), *ARCHITECTURE.finditer(word.text)):
                line, _ = document.position(word.start + match.start())
                if line not in lines:
                    lines.add(line)
                    given = TOLD if call.name == "message" else NAMED if _is_name(call, word) else {}
                    shown = word.plain if len(word.plain) < 60 else match[0]
                    start = word.start + match.start()
                    yield RULE.found(document, start, start + len(match[0]), f"{call.name}: {shown}", **given)
