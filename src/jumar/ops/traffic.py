"""What a rule of work counts with: elements and bytes of recorded operands, and how memory is walked for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

from jumar.abi.operand import Operand
from jumar.physics.work import Pattern

# Bytes of one element, by PyTorch's name of the type.
SIZE_B = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e8m0fnu": 1,
    "float4_e2m1fn_x2": 1,
    "complex32": 4,
    "complex64": 8,
    "complex128": 16,
    "int64": 8,
    "uint64": 8,
    "int32": 4,
    "uint32": 4,
    "int16": 2,
    "uint16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}
# The types in which the matrix unit multiplies.
CUBE = {
    "float64": "fp64",
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float8_e4m3fn": "fp8",
    "float8_e5m2": "fp8",
    "float4_e2m1fn_x2": "fp4",
    "complex64": "fp32",
    "complex128": "fp64",
    "complex32": "fp16",
    "int8": "int8",
    "uint8": "int8",
}
# What the vendor's switch, an argument of each product, makes of fp32: down as the chip likes, fp16, hf32.
FEWER_BITS = {1: "hf32", 2: "fp16", 3: "hf32"}
# The vector unit works on anything up to 32 bits at the rate of fp32; wider types take twice as long.
WIDE = {"float64": "fp64", "int64": "int64", "uint64": "int64", "complex64": "fp64", "complex128": "fp64"}
# Pieces shorter than this waste part of each transfer: a line of the last cache, on every chip here (an assumption).
RUN_B = 128


def size_b(operand: Operand) -> int:
    """Bytes of one element."""
    return SIZE_B.get(operand.dtype, 4)


def distinct(operand: Operand) -> int:
    """Elements of device memory behind an operand: what is expanded counts once, what overlaps by its extent."""
    count = extent = 1
    for size, stride in zip(operand.sizes, operand.strides, strict=True):
        if not size:
            return 0
        if stride:
            count *= size
            extent += (size - 1) * abs(stride)
    return min(count, extent)


def bytes_of(operand: Operand | None) -> float:
    """Bytes of device memory that reading or writing all of it touches."""
    return 0.0 if operand is None else float(distinct(operand) * size_b(operand))


def operands(arguments: Iterable[Any]) -> Iterator[Operand]:
    """The operands among arguments, those in lists too."""
    for argument in arguments:
        if isinstance(argument, Operand):
            yield argument
        elif isinstance(argument, (list, tuple)):
            yield from operands(argument)


def total_b(*arguments: Any) -> float:
    """Bytes of all operands among the arguments."""
    return sum(bytes_of(operand) for operand in operands(arguments))


def elements(*arguments: Any) -> int:
    """Elements of all operands among the arguments, each as often as the operator sees it."""
    return sum(operand.elements for operand in operands(arguments))


def vector_dtype(*arguments: Any) -> str:
    """The type that decides the vector unit's rate."""
    for operand in operands(arguments):
        if operand.dtype in WIDE:
            return WIDE[operand.dtype]
    return "fp32"


def cube_dtype(operand: Operand, cube_math_type: int = 0) -> str:
    """The type of a product, also for fp32 that the vendor's switch lets be multiplied with fewer bits."""
    if operand.dtype == "float32":
        return FEWER_BITS.get(cube_math_type, "fp32")
    return CUBE.get(operand.dtype, "fp32")


def run_b(*seen: Operand) -> float:
    """Bytes that lie together in all of these if they are walked together, in the order of the last one.

    A broadcast operand is walked along; one of other sizes (an index, a statistic) does not count.
    """
    walked = seen[-1]
    dims = len(walked.sizes)
    others = [other for other in seen if len(other.sizes) <= dims and _fits(other, walked)]
    expected = [1] * len(others)
    together = 1
    for dim in sorted(range(dims), key=lambda dim: (abs(walked.strides[dim]), -dim)):
        size = walked.sizes[dim]
        if size == 1:
            continue
        for index, other in enumerate(others):
            place = dim - dims + len(other.sizes)
            stride = other.strides[place] if place >= 0 and other.sizes[place] > 1 else 0
            if stride and stride != expected[index]:
                return float(together * size_b(walked))
            if stride:
                expected[index] *= size
        together *= size
    return float(together * size_b(walked))


def _fits(other: Operand, walked: Operand) -> bool:
    sizes = walked.sizes[len(walked.sizes) - len(other.sizes) :]
    return all(mine in (1, whole) for mine, whole in zip(other.sizes, sizes, strict=True))


def walk(*seen: Operand) -> Pattern:
    """Streaming unless the operands, walked together, lie in short pieces."""
    together_b = run_b(*seen)
    whole_b = seen[-1].elements * size_b(seen[-1])
    return Pattern.STRIDED if together_b < min(RUN_B, whole_b) else Pattern.STREAMING


def rows_of(operand: Operand, dims: int = 1) -> tuple[int, int]:
    """How often the last `dims` dimensions stand there, and their elements."""
    cut = len(operand.sizes) - dims
    return prod(operand.sizes[:cut]), prod(operand.sizes[cut:])
