"""CMake commands, variables, targets and properties of CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import cmake_calls
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
    why="it steers NVIDIA's compiler or links its libraries",
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
ELSEWHERE = frozenset(
    ("find_package", "find_dependency", "find_library", "find_path", "find_program", "find_file", "include")
)


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
                    severity = "cosmetic" if call.name == "message" else None
                    shown = word.plain if len(word.plain) < 60 else match[0]
                    start = word.start + match.start()
                    yield RULE.found(
                        document, start, start + len(match[0]), f"{call.name}: {shown}", severity=severity
                    )
