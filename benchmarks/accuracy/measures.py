"""Errors of predictions and their statistics; the two baselines that a model must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from cases import machine_of
from numpy.typing import NDArray
from pricing import plan_of
from step_rows import StepCase

from jumar.physics.accelerator import Accelerator
from jumar.physics.transformer import Serving, Training
from jumar.physics.work import DTYPES, ELEMENT_B, table_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Errors are of predicted over measured rate, minus one."""

    rows: int
    mape: float
    median: float
    p90: float
    bias: float
    rank: float
    coverage: float


def statistics(
    predicted: Sequence[float], measured: Sequence[float], inside: Sequence[bool] | None = None
) -> Statistics:
    """Of rates (tokens/s): the greater the faster."""
    errors = np.array(predicted) / np.array(measured) - 1.0
    size = np.abs(errors)
    covered = float(np.mean(inside)) if inside is not None and len(inside) else float("nan")
    return Statistics(
        len(errors),
        float(size.mean()),
        float(np.median(size)),
        float(np.quantile(size, 0.9)),
        float(errors.mean()),
        rank_correlation(np.array(predicted), np.array(measured)),
        covered,
    )


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's; equal values share their mean rank."""
    if len(first) < 3:
        return float("nan")
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means = ends - (counts - 1) / 2.0
    return np.asarray(means[inverse], dtype=float)


def dtype_of(job: Training | Serving) -> str:
    """The type whose peak the job's products are measured against."""
    if isinstance(job, Training):
        return job.dtype
    return {"int4": "int8"}.get(job.weight_dtype, job.weight_dtype)


def rate_of(case: StepCase, seconds: float) -> float:
    """Tokens a second and chip."""
    return case.job.tokens / seconds / case.chips


def roofline_seconds(case: StepCase) -> float:
    """Every operator at the peak of the matrix unit or of the memory, whichever is slower; nothing else costs time."""
    machine = machine_of(case.row.profile)
    plan = plan_of(case, machine)
    works = [work for segment in plan.segments for work, _ in segment.works]
    each = iter(_roofline(works, machine))
    per_segment = [sum(count * next(each) for _, count in segment.works) for segment in plan.segments]
    counts = plan.micro_batches * np.array(plan.last) + np.array(plan.once)
    return float(counts @ np.array(per_segment))


def _roofline(works: Sequence[object], machine: Accelerator) -> Floats:
    table = table_of(works)  # type: ignore[arg-type]
    peaks = np.array([machine.matrix_rate(name) for name in DTYPES])
    assert len(ELEMENT_B) == len(peaks)
    product = table.product
    flops_s = 2 * product[:, :4].prod(axis=1) * product[:, 4] / peaks[table.product_dtype]
    matrix = np.bincount(table.product_row, weights=flops_s, minlength=len(table.kind))
    memory = (table.read_b + table.written_b) / machine.memory_b_s
    return np.asarray(np.maximum(matrix, memory)[table.index], dtype=float)


def utilisation(case: StepCase) -> float:
    """Model FLOP/s over the published peak."""
    peak = machine_of(case.row.profile).matrix_rate(dtype_of(case.job))
    return case.job.operations / case.seconds / case.chips / peak


def median_utilisation(case: StepCase, fit: Sequence[StepCase]) -> float:
    """Median MFU of the fit rows of the same chip and mode; of its generation where it has none."""
    mode = type(case.job)
    same = [c for c in fit if isinstance(c.job, mode) and c.row.profile == case.row.profile]
    if not same:
        generation = machine_of(case.row.profile).generation
        same = [
            c for c in fit if isinstance(c.job, mode) and machine_of(c.row.profile).generation == generation
        ]
    if not same:
        return float("nan")
    return float(np.median([utilisation(c) for c in same]))


def constant_seconds(case: StepCase, fit: Sequence[StepCase]) -> float:
    """Time if every job ran at the median MFU of its chip."""
    peak = machine_of(case.row.profile).matrix_rate(dtype_of(case.job))
    return case.job.operations / (peak * case.chips * median_utilisation(case, fit))
