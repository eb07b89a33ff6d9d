"""What one operator does, whatever chip does it: products, vector operations, bytes. It says nothing about time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Bytes of one element. The order is the code of the type in a table.
ELEMENT_B = {
    "fp64": 8.0,
    "fp32": 4.0,
    "tf32": 4.0,
    "hf32": 4.0,
    "fp16": 2.0,
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5,
    "int4": 0.5,
    "int32": 4.0,
    "int64": 8.0,
    "bool": 1.0,
}
DTYPES = tuple(ELEMENT_B)
DTYPE_CODE = {name: code for code, name in enumerate(DTYPES)}


class Kind(StrEnum):
    """What sort of operator it is: decides which efficiencies hold for it."""

    MATMUL = "matmul"
    GROUPED_MATMUL = "grouped_matmul"
    CONVOLUTION = "convolution"
    ATTENTION = "attention"
    ATTENTION_BACKWARD = "attention_backward"
    PORTABLE_ATTENTION = "portable_attention"  # fused, but not written for this architecture
    PORTABLE_ATTENTION_BACKWARD = "portable_attention_backward"
    ELEMENTWISE = "elementwise"
    REDUCTION = "reduction"
    NORMALIZATION = "normalization"
    GATHER = "gather"
    COPY = "copy"
    OPTIMIZER = "optimizer"
    RANDOM = "random"
    COLLECTIVE = "collective"
    MOE_ROUTING = "moe_routing"


KINDS = tuple(Kind)
KIND_CODE = {kind: code for code, kind in enumerate(KINDS)}


class Pattern(StrEnum):
    """How device memory is walked."""

    STREAMING = "streaming"
    STRIDED = "strided"
    GATHER = "gather"


PATTERNS = tuple(Pattern)
PATTERN_CODE = {pattern: code for code, pattern in enumerate(PATTERNS)}


@dataclass(frozen=True)
class Product:
    """`count` times `batch` matrix products (m × k)·(k × n), in the type that the matrix unit multiplies."""

    batch: int
    m: float
    n: float
    k: float
    dtype: str
    count: float = 1

    @property
    def operations(self) -> float:
        return 2.0 * self.count * self.batch * self.m * self.n * self.k


@dataclass(frozen=True)
class Vector:
    """Operations of the vector unit. Transcendental ones (exp, tanh, erf, …) are counted apart, not twice."""

    dtype: str
    operations: float
    transcendentals: float = 0.0


@dataclass(frozen=True)
class Work:
    """What one operator does. Bytes are those of device memory if nothing is found in a cache."""

    kind: Kind
    products: tuple[Product, ...] = ()
    vectors: tuple[Vector, ...] = ()
    read_b: float = 0.0
    written_b: float = 0.0
    pattern: Pattern = Pattern.STREAMING
    launches: int = 1

    @property
    def operations(self) -> float:
        return sum(product.operations for product in self.products)


def matmul(m: float, n: float, k: float, dtype: str, batch: int = 1, kind: Kind = Kind.MATMUL) -> Work:
    """A plain product with every operand read and the result written once."""
    size_b = ELEMENT_B[dtype]
    out_b = max(size_b, 2.0)
    return Work(
        kind, (Product(batch, m, n, k, dtype),), (), batch * (m * k + k * n) * size_b, batch * m * n * out_b
    )


@dataclass(frozen=True, eq=False)
class WorkTable:
    """Many works as columns. Row i of the whole is the distinct work `index[i]`; products and vectors are long-form,
    `…_row` naming the distinct work that they belong to."""

    index: Integers
    kind: Integers
    read_b: Floats
    written_b: Floats
    pattern: Integers
    launches: Integers
    product_row: Integers
    product: Floats  # columns: batch, m, n, k, count
    product_dtype: Integers
    vector_row: Integers
    vector: Floats  # columns: operations, transcendentals
    vector_dtype: Integers

    def __len__(self) -> int:
        return len(self.index)


def table_of(works: Iterable[Work]) -> WorkTable:
    """Columns of these works, each distinct one once. A work that stands at many places should be one object."""
    held = list(works)  # keeps the objects alive, so that no identity is used twice
    identities = np.fromiter(map(id, held), dtype=np.int64, count=len(held))
    _, first, place = np.unique(identities, return_index=True, return_inverse=True)
    seen: dict[Work, int] = {}
    rows = np.fromiter((seen.setdefault(held[i], len(seen)) for i in first), dtype=np.int64, count=len(first))
    return _columns(tuple(seen), rows[place.reshape(-1)])


def _columns(works: tuple[Work, ...], index: Integers) -> WorkTable:
    products = [(row, p) for row, work in enumerate(works) for p in work.products]
    vectors = [(row, v) for row, work in enumerate(works) for v in work.vectors]
    return WorkTable(
        index=index,
        kind=_whole(KIND_CODE[work.kind] for work in works),
        read_b=_real(work.read_b for work in works),
        written_b=_real(work.written_b for work in works),
        pattern=_whole(PATTERN_CODE[work.pattern] for work in works),
        launches=_whole(work.launches for work in works),
        product_row=_whole(row for row, _ in products),
        product=np.array([(p.batch, p.m, p.n, p.k, p.count) for _, p in products], float).reshape(-1, 5),
        product_dtype=_whole(DTYPE_CODE[p.dtype] for _, p in products),
        vector_row=_whole(row for row, _ in vectors),
        vector=np.array([(v.operations, v.transcendentals) for _, v in vectors], float).reshape(-1, 2),
        vector_dtype=_whole(DTYPE_CODE[v.dtype] for _, v in vectors),
    )


def _whole(values: Iterable[int]) -> Integers:
    return np.array(list(values), dtype=np.int64)


def _real(values: Iterable[float]) -> Floats:
    return np.array(list(values), dtype=np.float64)
