"""The work of matrix products: their sizes from recorded operands, and the bytes that they move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.rules import NOTHING
from jumar.ops.traffic import bytes_of, cube_dtype, total_b, vector_dtype
from jumar.physics.work import Kind, Product, Vector, Work

Operands = list[Operand]
COMPLEX_PRODUCTS = 4  # real ones in each complex one


@dataclass(frozen=True)
class Sizes:
    """`batch` products (m × k)·(k × n)."""

    batch: float
    m: float
    n: float
    k: float


def sizes_of(left: Operand, right: Operand, out: Operand, k: int | None = None) -> Sizes:
    """As PyTorch's matmul reads its operands. One matrix on the right takes the rows of a whole batch at once.

    `k`: the inner size where the left operand is transposed.
    """
    inner = k if k is not None else (left.sizes[-1] if left.sizes else 1)
    if len(right.sizes) <= 1:
        return Sizes(1, out.elements, 1, inner)
    columns = out.sizes[-1] if out.sizes else 1
    if len(left.sizes) == 1:
        return Sizes(out.elements / max(1, columns), 1, columns, inner)
    if prod(right.sizes[:-2]) == 1:
        return Sizes(1, out.elements / max(1, columns), columns, inner)
    return Sizes(prod(out.sizes[:-2]), out.sizes[-2], columns, inner)


def product_work(
    left: Operand,
    right: Operand,
    out: Operand,
    extra: Iterable[Any] = (),
    dtype: str | None = None,
    k: int | None = None,
    epilogue: float = 0.0,
    prologue: float = 0.0,
    kind: Kind = Kind.MATMUL,
) -> Work:
    """One product. `extra` is read as well; `epilogue`: vector operations for each element of the result, `prologue`: all
    of those that are needed before the product."""
    if not out.elements:
        return NOTHING
    sizes = sizes_of(left, right, out, k)
    count = COMPLEX_PRODUCTS if left.dtype.startswith("complex") else 1
    products: tuple[Product, ...] = ()
    if sizes.k:
        cube = dtype or cube_dtype(left)
        products = (Product(int(sizes.batch), sizes.m, sizes.n, sizes.k, cube, count),)
    operations = epilogue * out.elements + prologue
    vectors = (Vector(vector_dtype(left), operations),) if operations else ()
    return Work(kind, products, vectors, total_b(left, right, *extra), bytes_of(out))


def multiplying(self: Operand, other: Operand, out: Operand, cube_math_type: int = 0) -> Work:
    """A plain product."""
    return product_work(self, other, out, dtype=cube_dtype(self, cube_math_type))


def accumulating(
    self: Operand, one: Operand, two: Operand, beta: Any, alpha: Any, out: Operand, cube_math_type: int = 0
) -> Work:
    """beta times self, plus alpha times a product; what beta makes nothing of is not read."""
    extra = () if beta == 0 else (self,)
    epilogue = float(bool(extra)) + float(alpha != 1) + float(beta not in (0, 1))
    return product_work(one, two, out, extra, cube_dtype(one, cube_math_type), epilogue=epilogue)


def summing(
    self: Operand, one: Operand, two: Operand, beta: Any, alpha: Any, out: Operand, cube_math_type: int = 0
) -> Work:
    """The same with a whole batch of products added up: the batch lengthens the inner dimension."""
    dtype = cube_dtype(one, cube_math_type)
    batch, m, k = one.sizes
    extra = () if beta == 0 else (self,)
    work = Product(1, m, two.sizes[-1], batch * k, dtype)
    vectors = (Vector("fp32", 2.0 * out.elements),)
    return Work(Kind.MATMUL, (work,), vectors, total_b(one, two, *extra), bytes_of(out))


def _group_count(weights: Operands, outs: Operands, by_inner: bool) -> int:
    if by_inner:
        return outs[0].sizes[0] if len(outs) == 1 and len(outs[0].sizes) == 3 else len(outs)
    return weights[0].sizes[0] if len(weights) == 1 and len(weights[0].sizes) == 3 else len(weights)


def grouped_work(
    inputs: Operands, weights: Operands, extra: Iterable[Any], outs: Operands, by_inner: bool = False
) -> Work:
    """A product for each group. How many rows each has is known only where they are tensors of their own; otherwise all
    are taken to have the same share. `by_inner`: groups share the inner dimension, as in gradients of weights."""
    if not any(out.elements for out in outs):
        return NOTHING
    extra = list(extra)
    groups, columns = _group_count(weights, outs, by_inner), outs[0].sizes[-1]
    dtype = cube_dtype(inputs[0])
    products: tuple[Product, ...]
    if by_inner:
        rows = sum(out.elements for out in outs) / max(1, columns * groups)
        inner = sum(left.elements for left in inputs) / max(1.0, rows * groups)
        products = (Product(groups, rows, columns, inner, dtype),)
    elif len(inputs) == len(weights) == len(outs) > 1:
        products = tuple(
            Product(1, out.elements / max(1, out.sizes[-1]), out.sizes[-1], left.sizes[-1], dtype)
            for left, out in zip(inputs, outs, strict=True)
            if out.elements
        )
    else:
        rows = sum(out.elements for out in outs) / max(1, columns)
        products = (Product(groups, rows / groups, columns, inputs[0].sizes[-1], dtype),)
    vectors: tuple[Vector, ...] = ()
    if any(extra):  # biases, scales, an activation
        vectors = (Vector("fp32", 3.0 * sum(out.elements for out in outs)),)
    return Work(Kind.GROUPED_MATMUL, products, vectors, total_b(inputs, weights, extra), total_b(outs))
