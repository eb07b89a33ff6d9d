"""Headers of CUDA and of PyTorch's CUDA part."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import dictionary, native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K015",
    name="header",
    kinds=native_names.KINDS,
    triggers=("#",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the header comes with CUDA or with PyTorch's build for it",
    replacement="the header of CANN or torch_npu",
    examples=(
        Example("#include <cuda_runtime.h>\n"),
        Example('#include "reduce.cuh"\n'),
        Example("#  include <ATen/cuda/CUDAContext.h>\n"),
    ),
    keep=(
        "// #include <cuda_runtime.h>\n",
        '#include <vector>\n#include "barracuda_notes.h"\n',
    ),
)

PATTERN = re.compile(r"^[ \t]*#[ \t]*include(?:_next)?[ \t]*[<\"](?P<name>[^>\"\n]+)[>\"]", re.MULTILINE)
CUDA_LIKE = re.compile(
    r"\.cuh?$|(?:^|[/_])cuda(?:[/_.]|$)|^nv(?:rtc|toolsext|ml)|^cu(?:blas|dnn|fft|rand|sparse|solver)",
    re.IGNORECASE,
)

CUTLASS = re.compile(r"cutlass/|cute/")
OF_CUTLASS = "the header comes with CUTLASS, NVIDIA's templates for kernels"
OWN = "a header of the project's own or of one that it brings along, in CUDA C++ or made for it"


def check(document: Document) -> Iterator[Finding]:
    for match in PATTERN.finditer(document.text):
        name = match["name"]
        row = dictionary.find("native/headers", name)
        if row is None and not CUDA_LIKE.search(name):
            continue
        if not source(document).is_code(match.start(), match.start() + match[0].index("#") + 1):
            continue
        own = row is None or (match[0].rstrip().endswith('"') and row.cuda == "cuda/*")
        yield RULE.found(
            document,
            match.start("name"),
            match.end("name"),
            name,
            severity="degrades" if own else None,
            why=OWN if own else OF_CUTLASS if row is not None and CUTLASS.match(row.cuda) else None,
            replacement="that header's port to Ascend C, or a branch of the source without it"
            if own
            else dictionary.says(row, "none on Ascend"),
        )
