"""Code that is compiled for CUDA only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K017",
    name="conditional",
    kinds=native_names.KINDS,
    triggers=(
        "__cuda_arch__",
        "__cudacc__",
        "__nvcc__",
        "cuda_version",
        "cudart_version",
        "use_cuda",
        "with_cuda",
        "enable_cuda",
        "_cuda",
    ),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="what stands under the condition is left out where NVIDIA's compiler does not compile",
    replacement="a branch for Ascend beside it (`__CCE_AICORE__` for device code, a macro of the "
    "build for the host)",
    examples=(
        Example("#if defined(__ENABLE_CUDA__)\nint x;\n#endif\n"),
        Example("#ifdef __CUDA_ARCH__\nint x;\n#endif\n"),
        Example("#if defined(USE_CUDA) && CUDA_VERSION >= 12000\nint x;\n#endif\n"),
    ),
    keep=(
        "#ifdef USE_BARRACUDA_X\n#endif\n// #ifdef __CUDACC__\n",
        "#ifndef LLM_CUDA_COMMON_H\n#define LLM_CUDA_COMMON_H\n#endif\n",
        "#define CHECK_CUDA(x) check(x.device())\n",
    ),
)

DIRECTIVE = re.compile(
    r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|define|undef)\b(?:[^\n\\]|\\.)*", re.MULTILINE | re.DOTALL
)
MACRO = re.compile(r"[ \t]*#[ \t]*define[ \t]+\w+\(")
GUARD = re.compile(r"[ \t]*#[ \t]*(?:ifndef|define)[ \t]+\w+_(?:H|HPP|HH|CUH|INCLUDED)_*[ \t\r]*$")
DEFINES = re.compile(r"[ \t]*#[ \t]*(?:define|undef)\b")
DEFINED: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a name that says CUDA is given a meaning here; what goes by it stands elsewhere",
    "replacement": "a name without the vendor, or the same for Ascend beside it",
}
WORD = re.compile(
    r"\b(?:__CUDA\w*__|__CUDA_\w+|__NVCC\w*|CUDA(?:RT)?_VERSION|CUDNN_VERSION|"
    r"NCCL_VERSION\w*|(?:\w+_)?CUDA(?:_\w*)?)\b"
)


def check(document: Document) -> Iterator[Finding]:
    for line in DIRECTIVE.finditer(document.text):
        if MACRO.match(line[0]) or GUARD.match(line[0]):
            continue  # a macro of one's own, or the guard of a header, is no condition
        for word in WORD.finditer(line[0].split("//", 1)[0]):
            start = line.start() + word.start()
            if source(document).is_code(line.start(), start + 1):
                given = DEFINED if DEFINES.match(line[0]) else {}
                yield RULE.found(document, start, line.start() + word.end(), word[0], **given)
                break
