"""Names of one's own that say CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K060",
    name="identifier",
    kinds=native_names.KINDS,
    triggers=("cuda", "nccl"),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=False,
    why="a name of the project's own says CUDA; the name alone ties nothing, what stands behind it may",
    replacement="a name without the vendor",
    examples=(
        Example("torch::Tensor scale_cuda(torch::Tensor x);\n"),
        Example("#define CHECK_CUDA_ERROR(x) check(x)\n"),
    ),
    keep=("int barracuda_count; cudaStream_t s;\n", "nvcuda::wmma::fragment<nvcuda::wmma::matrix_a> a;\n"),
)

PATTERN = re.compile(r"\b\w*(?:cuda|nccl|CUDA|NCCL|Cuda|Nccl)\w*\b")
DEFINES = re.compile(r"#[ \t]*define\b")
FOUND_BY_OTHERS = re.compile(
    r"(?:cuda|nccl)[A-Z]\w*|__CUDA\w*|CUDART_\w+|CUDA_(?:SUCCESS|ERROR_\w+|[RC]_\d+\w+|"
    r"ARRAY\w*|VERSION)|kCUDA|is_cuda|"
    r"(?:C10|AT|TORCH)_CUDA_\w+|THCudaCheck|\w*[Bb]arracuda\w*|CUDA|cuda|nvcuda"
)


def check(document: Document) -> Iterator[Finding]:
    lines: set[int] = set()
    for match in source(document).words(PATTERN):
        line, _ = document.position(match.start())
        text = document.lines[line - 1].lstrip()
        if (
            line in lines
            or (FOUND_BY_OTHERS.fullmatch(match[0]) and not _is_own(document, match))
            or (text.startswith("#") and not DEFINES.match(text))
        ):
            continue
        if document.text[max(0, match.start() - 2) : match.start()] == "::" and "cuda::" in text:
            continue
        lines.add(line)
        yield RULE.found(document, *match.span(), match[0])


def _is_own(document: Document, match: re.Match[str]) -> bool:
    is_called = document.text[match.end() : match.end() + 2].lstrip().startswith("(")
    return native_names.is_own(document, match[0], is_called)
