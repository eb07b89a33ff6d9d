"""Templates of Thrust, CUB, CUTLASS, CuTe and cooperative groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K010",
    name="templates",
    kinds=native_names.KINDS,
    triggers=(
        "thrust",
        "cub",
        "cutlass",
        "cute",
        "nvcuda",
        "cooperative_groups",
        "cuda::",
        "rmm::",
        "raft::",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the templates are compiled to code for NVIDIA's GPUs",
    replacement="aclnn operators for sorts, scans and reductions; CATLASS or the library matmul of "
    "Ascend C for products",
    examples=(
        Example("void f(float *p, int n) { thrust::sort(thrust::device, p, p + n); }\n"),
        Example("using X = cutlass::gemm::device::Gemm<float, L, float, L, float, L>;\n"),
    ),
    keep=("// thrust::sort\nint cube = 3; namespace hub { int x; }\nint y = hub::x;\n",),
)

PATTERN = re.compile(
    r"(?<![\w:.])(?P<space>thrust|cub|cutlass|cute|nvcuda|cooperative_groups|cg|cuda|rmm|"
    r"raft|cudf|cuco|flashinfer)"
    r"(?:::\w+)+"
)
VALUES = re.compile(
    r"thrust::(?:get|tuple|make_tuple|pair|make_pair|tie|complex|min|max|minimum|maximum|plus|multiplies|less|greater|identity|swap"
    r"|abs|raw_pointer_cast|numeric_limits)\b|cuda::std::(?!atomic|barrier)\w+"
)
OF_VALUES = "the C++ standard library, or a struct and plain operators, inside a kernel in Ascend C"
INSTEAD = {
    "thrust": "aclnnSort, aclnnCumsum, aclnnReduceSum and their kin on tensors",
    "cub": "aclnnSort, aclnnCumsum, aclnnReduceSum on tensors; inside kernels "
    "AscendC::ReduceSum over vectors",
    "cutlass": "CATLASS, the vendor's templates, or aclnnMatmul",
    "cute": "CATLASS, the vendor's templates, or aclnnMatmul",
    "nvcuda": "AscendC::Mmad on the cube, or the library matmul of Ascend C",
    "cooperative_groups": "AscendC::SyncAll between cores, PipeBarrier inside one",
    "cg": "AscendC::SyncAll between cores, PipeBarrier inside one",
}


def check(document: Document) -> Iterator[Finding]:
    seen: set[tuple[int, str]] = set()
    for match in source(document).words(PATTERN):
        space, place = match["space"], (document.position(match.start())[0], match["space"])
        if place in seen or (space == "cg" and "cooperative_groups" not in document.text):
            continue
        seen.add(place)
        says = OF_VALUES if VALUES.match(match[0]) else INSTEAD.get(space)
        yield RULE.found(document, *match.span(), match[0], replacement=says)
