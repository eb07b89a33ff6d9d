"""Templates of Thrust, CUB, CUTLASS, CuTe and cooperative groups."""

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
    why="the library is made for NVIDIA's compiler and its GPUs",
    replacement="aclnn operators for sorts, scans and reductions; CATLASS or the library matmul of "
    "Ascend C for products",
    examples=(
        Example("void f(float *p, int n) { thrust::sort(thrust::device, p, p + n); }\n"),
        Example("void f(int n) { thrust::for_each(p, p + n, mine); }\n"),
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
    r"|cute::(?:min|max|get|tuple|make_tuple|swap|abs|Int|C|_\d+|true_type|false_type)\b|cutlass::(?:Array|sizeof_bits|platform)\b"
)
TYPES = re.compile(r"cutlass::(?:half_t|bfloat16_t|tfloat32_t|float_\w+|uint\d+b_t|int\d+b_t)\b")
ITERATORS = re.compile(r"(?:thrust|cub)::(?:make_)?\w*_?(?:iterator|Iterator)\b|cub::\w+Iterator\b")
FUNCTORS = re.compile(
    r"(?:thrust|cub::DeviceFor)::(?:for_each\w*|transform\w*|tabulate|generate\w*|Bulk|ForEach\w*)\b"
)
POLICIES = re.compile(r"thrust::(?:device|host|seq|cuda::par\w*|cuda)$")
HOLDERS = re.compile(
    r"thrust::(?:device_vector|host_vector|universal_vector|device_ptr|device_malloc|device_free|device_reference|device_pointer_cast)\b"
)
FILLS = re.compile(r"thrust::(?:copy\w*|fill\w*|sequence|uninitialized_\w+)\b")
LIBCU = re.compile(
    r"cuda::(?:std|atomic\w*|barrier|pipeline\w*|make_pipeline|memcpy_async|memory_order\w*|thread_scope\w*|aligned_size_t|annotated_ptr"
    r"|access_property|apply_access_property|associate_access_property|discard_memory|proclaim_return_type|ptx|device|experimental|maximum"
    r"|minimum|counting_semaphore|binary_semaphore|latch|stream_ref|mr|get_stream|barrier_\w+|ceil_div|static_for|bit_\w+)\b"
)
"""What NVIDIA's C++ library has in the namespace; anything else there is the project's own."""
NAMED: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a namespace of the project's own says CUDA; the name alone ties nothing, what stands in it may",
    "replacement": "a namespace for Ascend beside it, or a name without the vendor",
}
OF_VALUES = "the C++ standard library, or a struct and plain operators, inside a kernel in Ascend C"
INSTEAD = {
    "thrust": "aclnnSort, aclnnCumsum, aclnnReduceSum and their kin on tensors",
    "cub": "aclnnSort, aclnnCumsum, aclnnReduceSum on tensors; inside kernels "
    "AscendC::ReduceSum over vectors",
    "cutlass": "CATLASS, the vendor's templates, or aclnnMatmul",
    "cute": "CATLASS, the vendor's templates; DataCopy and Mmad where a kernel in Ascend C is written by hand",
    "nvcuda": "AscendC::Mmad on the cube, or the library matmul of Ascend C",
    "rmm": "aclrtMalloc, or the caching allocator of torch_npu",
    "raft": "aclnn operators for what is used of it, or the host",
    "cudf": "tables on the host",
    "cuco": "aclnnUnique2, sorts and searches on tensors",
    "flashinfer": "aclnnFusedInferAttentionScore, which torch_npu calls too",
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
        if (space == "cuda" and not LIBCU.match(match[0])) or space in document.own:
            yield RULE.found(document, *match.span(), match[0], **NAMED)
            continue
        yield RULE.found(document, *match.span(), match[0], replacement=_instead(match[0], space))


OF_KINDS = (
    (ITERATORS, "the index, computed inside a kernel in Ascend C; on tensors aclnnArange or a view"),
    (
        FUNCTORS,
        "a kernel in Ascend C that does what the functor does, or operators on tensors where they do the same",
    ),
    (POLICIES, "nothing: operators and kernels are handed an aclrtStream"),
    (HOLDERS, "a tensor, or memory from aclrtMalloc"),
    (FILLS, "aclrtMemcpyAsync, aclnnInplaceFillScalar and aclnnArange"),
)
OF_CUDA = (
    (re.compile(r"cuda::stream_ref|cuda::get_stream"), "aclrtStream"),
    (re.compile(r"cuda::mr\b"), "aclrtMalloc, or an allocator of one's own around it"),
    (
        re.compile(r"cuda::(?:barrier|pipeline|make_pipeline)"),
        "a TQue between the units of a core, PipeBarrier inside one",
    ),
    (re.compile(r"cuda::memcpy_async"), "AscendC::DataCopy, which is asynchronous"),
    (
        re.compile(r"cuda::(?:std::)?atomic|cuda::(?:memory_order|thread_scope)"),
        "SetAtomicAdd and its kin, or one core that owns each place",
    ),
    (re.compile(r"cuda::"), "the C++ standard library, or the function of Ascend C that does the same"),
)


def _instead(name: str, space: str) -> str | None:
    if TYPES.match(name):
        return "half and bfloat16_t of Ascend C; 8 bits on newer chips only"
    if VALUES.match(name):
        return OF_VALUES
    for kind, says in OF_KINDS:
        if kind.match(name):
            return says
    return next((says for begin, says in OF_CUDA if begin.match(name)), INSTEAD.get(space))
