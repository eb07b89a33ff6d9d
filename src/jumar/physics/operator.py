"""Time of one operator on a chip: each limit by itself, the limits together, and what limits most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from jumar.physics.accelerator import Accelerator
from jumar.physics.matrix import ATTENTION_CODES, product_seconds
from jumar.physics.parameters import Parameters, parameters_for
from jumar.physics.work import (
    DTYPES,
    ELEMENT_B,
    PATTERN_CODE,
    Floats,
    Integers,
    Pattern,
    Work,
    WorkTable,
    table_of,
)

LIMITS = ("matrix", "vector", "memory", "launch")
ELEMENT_SIZES = np.array([ELEMENT_B[name] for name in DTYPES])
# A working set up to this share of L2 is taken to be found there as often as not.
CACHED_SHARE = 0.5


@dataclass(frozen=True)
class Price:
    """Time of one operator with its range, and the limit that takes most of it."""

    seconds: float
    low: float
    high: float
    limit: str


@dataclass(frozen=True, eq=False)
class Prices:
    """Times of many operators, in seconds. `limit` indexes LIMITS; `parts` has one column for each limit."""

    seconds: Floats
    low: Floats
    high: Floats
    limit: Integers
    parts: Floats


def price(work: Work, machine: Accelerator, parameters: Parameters | None = None) -> Price:
    """The time of one operator."""
    prices = price_all((work,), machine, parameters)
    return Price(
        float(prices.seconds[0]), float(prices.low[0]), float(prices.high[0]), LIMITS[int(prices.limit[0])]
    )


def price_all(works: Sequence[Work], machine: Accelerator, parameters: Parameters | None = None) -> Prices:
    """Times of these operators in order; each distinct one is computed once."""
    return price_table(table_of(works), machine, parameters)


def price_table(table: WorkTable, machine: Accelerator, parameters: Parameters | None = None) -> Prices:
    """Times of a table of operators."""
    chosen = parameters or parameters_for(machine.name, machine.generation)
    parts = _limits(table, machine, chosen)
    sharpness = chosen.sharpness
    largest = np.maximum(parts[:, :3].max(axis=1), 1e-30)
    ratios = parts[:, :3] / largest[:, None]
    overlapped = largest * np.sum(ratios**sharpness, axis=1) ** (1.0 / sharpness)
    seconds = overlapped + parts[:, 3]
    factor = float(np.exp(chosen.spread["operator"]))
    limit = parts.argmax(axis=1)
    rows = table.index
    whole = seconds[rows]
    return Prices(whole, whole / factor, whole * factor, limit[rows], parts[rows])


def _limits(table: WorkTable, machine: Accelerator, parameters: Parameters) -> Floats:
    rows = len(table.kind)
    matrix, spilled_b = _matrix(table, machine, parameters)
    return np.column_stack(
        [
            matrix,
            _vector(table, machine, parameters),
            _memory(table, machine, parameters, spilled_b),
            _launch(table, machine, parameters) if rows else np.zeros(0),
        ]
    )


def _matrix(table: WorkTable, machine: Accelerator, parameters: Parameters) -> tuple[Floats, Floats]:
    """Seconds in the matrix unit, and bytes read again because the operands do not fit into L2."""
    rows = len(table.kind)
    if not len(table.product_row):
        return np.zeros(rows), np.zeros(rows)
    kind = table.kind[table.product_row]
    seconds = product_seconds(table.product, table.product_dtype, kind, machine, parameters)
    batch, m, n, k, count = table.product.T
    size_b = ELEMENT_SIZES[table.product_dtype]
    fused = np.isin(kind, ATTENTION_CODES)
    spilled = np.where(fused, 0.0, 2.0 * count * batch * m * n * k * size_b / np.sqrt(machine.l2_b / size_b))
    return _sum(table.product_row, seconds, rows), _sum(table.product_row, spilled, rows)


def _vector(table: WorkTable, machine: Accelerator, parameters: Parameters) -> Floats:
    rows = len(table.kind)
    operations = table.vector[:, 0] + parameters.transcendental_operations * table.vector[:, 1]
    slower = np.where(ELEMENT_SIZES[table.vector_dtype] > 4, 2.0, 1.0)
    seconds = operations * slower / (machine.vector_flop_s * parameters.vector_efficiency)
    return _sum(table.vector_row, seconds, rows)


def _memory(table: WorkTable, machine: Accelerator, parameters: Parameters, spilled_b: Floats) -> Floats:
    """Streaming time; the part of a working set that L2 may hold moves at the mean of both rates."""
    factor = np.ones(len(PATTERN_CODE))
    factor[PATTERN_CODE[Pattern.STRIDED]] = parameters.strided_factor
    factor[PATTERN_CODE[Pattern.GATHER]] = parameters.gather_factor
    reached = parameters.memory_efficiency * factor[table.pattern]
    total_b = table.read_b + table.written_b
    cached_b = np.minimum(total_b, CACHED_SHARE * machine.l2_b)
    outer_s = (total_b - cached_b / 2 + spilled_b) / (machine.memory_b_s * reached)
    inner_s = cached_b / 2 / (max(machine.l2_b_s, machine.memory_b_s) * reached)
    return outer_s + inner_s


def _launch(table: WorkTable, machine: Accelerator, parameters: Parameters) -> Floats:
    with_products = np.zeros(len(table.kind), dtype=bool)
    with_products[table.product_row] = True
    each_s = np.where(with_products, machine.launch_matrix_s, machine.launch_s) * parameters.launch_factor
    fused = np.isin(table.kind, ATTENTION_CODES)
    return each_s * table.launches + np.where(fused, parameters.attention_launch_s, 0.0)


def _sum(rows: Integers, values: Floats, count: int) -> Floats:
    return cast(Floats, np.bincount(rows, weights=values, minlength=count).astype(float))
