"""Sampling of tokens: the top-k and top-p filters, and the fused sampler for inference."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.rules import sorting_work
from jumar.ops.traffic import operands
from jumar.physics.work import Vector, Work

_LARGEST_K = 1024


def _filter_work(logits: Operand, *rest: Any) -> Work:
    """Rows are sorted, their probabilities added up, and what is left out replaced."""
    results = list(operands([rest[-1]]))
    work = sorting_work(list(operands((logits, *rest[:-1]))), results, logits.sizes[-1])
    return replace(
        work, vectors=(*work.vectors, Vector("fp32", 6.0 * logits.elements, float(logits.elements)))
    )


def _sample_work(logits: Operand, *rest: Any) -> Work:
    outs = 2 if isinstance(rest[-3], int) else 4
    results = list(operands(rest[-outs:]))
    work = sorting_work(list(operands((logits, *rest[:-outs]))), results, logits.sizes[-1])
    return replace(
        work, vectors=(*work.vectors, Vector("fp32", 8.0 * logits.elements, float(logits.elements)))
    )


@op("aclnnApplyTopKTopP", work=_filter_work)
def apply_top_k_top_p(logits: Tensor, p: Tensor | None, k: Tensor | None, out: Tensor) -> None:
    """Logits below the k-th largest, or outside the smallest set of probability p, become -inf."""
    values, places = torch.sort(logits, dim=-1, stable=True)
    if k is not None:
        last = values.shape[-1]
        threshold = values.gather(-1, (last - k.long()).clamp(0, last - 1).unsqueeze(-1))
        values = values.masked_fill(values < threshold, -math.inf)
    if p is not None:
        outside = values.softmax(-1).cumsum(-1) <= 1 - p.unsqueeze(-1)
        outside[..., -1] = False
        values = values.masked_fill(outside, -math.inf)
    out.scatter_(-1, places, values)


def _kept(row: Tensor, k: int, p: float, largest_k: int, is_logits: bool) -> tuple[Tensor, Tensor]:
    """Values (probabilities if the input is logits) and places, in falling order, that pass both filters."""
    values, places = torch.sort(row, descending=True, stable=True)
    if 1 <= k <= min(largest_k, len(row)):
        values, places = values[:k], places[:k]
    if is_logits:
        values = values.softmax(-1)
    if p < 1:
        before = values.cumsum(-1) - values
        count = max(1, int((before < p).sum())) if p > 0 else 1
        values, places = values[:count], places[:count]
    return values, places


def _significant(values: Tensor, places: Tensor, minimum: float | None) -> tuple[Tensor, Tensor]:
    if minimum is None or minimum <= 0:
        return values, places
    count = int((values >= values[0] * minimum).sum()) if minimum < 1 else 1
    return values[:count], places[:count]


@op("aclnnTopKTopPSampleV2", work=_sample_work)
def top_k_top_p_sample_v2(
    logits: Tensor,
    top_k: Tensor,
    top_p: Tensor,
    q: Tensor | None,
    min_ps: Tensor | None,
    eps: float,
    is_need_logits: bool,
    top_k_guess: int,
    ks_max: int,
    input_is_logits: bool,
    is_need_sample_result: bool,
    select: Tensor,
    kept_logits: Tensor,
    places_out: Tensor | None,
    masked_out: Tensor | None,
) -> None:
    """Each row: filter, then the place of the largest value, over the exponential noise q where given."""
    nothing = -math.inf if input_is_logits else 0.0
    largest_k = min(-(-ks_max // 8) * 8, _LARGEST_K)
    minimums = [None] * len(logits) if min_ps is None else min_ps.tolist()
    for row, (scores, k, p, minimum) in enumerate(
        zip(logits.float(), top_k.tolist(), top_p.tolist(), minimums, strict=True)
    ):
        values, places = _significant(*_kept(scores, k, p, largest_k, input_is_logits), minimum)
        if is_need_logits:
            kept_logits[row].fill_(nothing).index_copy_(0, places, scores[places])
        if is_need_sample_result and places_out is not None and masked_out is not None:
            places_out[row].zero_()[: len(places)] = places
            masked_out[row].zero_()[: len(places)] = values
        chances = values if q is None or is_need_sample_result else values / (q[row, : len(values)] + eps)
        select[row] = places[chances.argmax()]


@op("aclnnTopKTopPSample", work=_sample_work)
def top_k_top_p_sample(
    logits: Tensor,
    top_k: Tensor,
    top_p: Tensor,
    q: Tensor | None,
    eps: float,
    is_need_logits: bool,
    top_k_guess: int,
    select: Tensor,
    kept_logits: Tensor,
) -> None:
    top_k_top_p_sample_v2(
        logits,
        top_k,
        top_p,
        q,
        None,
        eps,
        is_need_logits,
        top_k_guess,
        _LARGEST_K,
        True,
        False,
        select,
        kept_logits,
        None,
        None,
    )
