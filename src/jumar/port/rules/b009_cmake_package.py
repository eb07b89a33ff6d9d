"""CMake packages of CUDA and NVIDIA's libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import cmake_calls
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B009",
    name="cmake-package",
    kinds=("cmake",),
    triggers=("find_package", "find_library", "find_path", "find_program", "pkg_check", "findcuda", "cuda"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package is part of CUDA",
    replacement="CANN: include its cmake modules, link ascendcl, hccl and the opapi libraries",
    examples=(
        Example("find_package(CUDAToolkit REQUIRED)\n", path="CMakeLists.txt"),
        Example("find_library(NCCL_LIB nccl)\n", path="CMakeLists.txt"),
        Example("find_package(NCCL QUIET)\nif(NCCL_FOUND)\nendif()\n", path="CMakeLists.txt"),
    ),
    keep=(Example("find_package(Torch REQUIRED)\n", path="CMakeLists.txt"),),
)

NAME = re.compile(
    r"(?:CUDA\w*|CUDNN|NCCL|TensorRT|CUB|Thrust|NVTX\w*|NVSHMEM|CUTLASS|NvInfer|RAFT|rmm|"
    r"cu(?:blas|dnn|solver|sparse|fft|rand|file|pti|ml|vs|da)\w*|nccl\w*|nvrtc|nvml|"
    r"nvidia-ml|libnccl|libcud\w+|nvcc|nvToolsExt|nvinfer\w*|nvjpeg)(?:\.h)?",
    re.IGNORECASE,
)
INSTEAD = (
    (r"(?:lib)?nccl", "HCCL: libhccl from CANN"),
    (r"cub|thrust|cutlass", "aclnn operators for sorts and sums, CATLASS for products"),
    (r"tensorrt|nvinfer", "nothing to link: ATC converts an ONNX model, ACL loads it"),
    (r"nvtx|nvtoolsext", "mstx: libms_tools_ext from CANN"),
    (r"nvml|nvidia-ml", "DCMI: libdcmi, which comes with the driver"),
    (r"nvcc", "bisheng, the compiler of CANN"),
    (r"nvshmem", "the vendor's shmem"),
    (r"(?:lib)?cudnn", "libopapi from CANN, whose aclnn operators do convolutions and normalisations"),
    (r"raft|rmm|cuml|cuvs", "nothing: RAPIDS falls away"),
)
"""By how the package's name begins."""
ASKED = "the package is part of CUDA; it may be absent, and what needs it is left out"


def check(document: Document) -> Iterator[Finding]:
    for call in cmake_calls.calls(document):
        if call.name in (
            "find_package",
            "find_dependency",
            "find_library",
            "find_path",
            "find_program",
            "find_file",
        ):
            for word in call.arguments:
                if NAME.fullmatch(word.plain):
                    asked = _is_asked(document, call)
                    yield RULE.found(
                        document,
                        word.start,
                        word.end,
                        f"{call.name}({word.plain})",
                        severity="degrades" if asked else None,
                        why=ASKED if asked else None,
                        replacement=_instead(word.plain),
                    )
                    break
        elif call.name == "include" and call.arguments and "cuda" in call.arguments[0].plain.lower():
            word = call.arguments[0]
            yield RULE.found(document, word.start, word.end, f"include({word.plain})", severity="degrades")


def _instead(name: str) -> str | None:
    return next((says for begin, says in INSTEAD if re.match(begin, name, re.IGNORECASE)), None)


def _is_asked(document: Document, call: cmake_calls.Call) -> bool:
    """CMake goes on without it, and the file asks later whether it was found."""
    if call.has("REQUIRED") or not call.arguments:
        return False
    name = re.escape(call.arguments[0].plain)
    if call.name == "find_package":
        answer = rf"\b(?:{name}|{name.upper()})_FOUND\b|\bTARGET[ \t]+CUDA::"
    else:
        answer = rf"\bif[ \t]*\([ \t]*(?:NOT[ \t]+)?(?:\$\{{)?{name}\b(?![^\n]*\n[^\n]*FATAL_ERROR)"
    following = document.text[call.end :]
    found = re.search(answer, following)
    if found is None:
        return False
    return not re.match(r"[^\n]*\n[^\n]*FATAL_ERROR", following[found.end() :])
