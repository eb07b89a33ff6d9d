"""Mixture of experts on one chip: choosing experts, sorting tokens by expert and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.moe_work import combining, gating, permuting
from jumar.ops.registry import op
from jumar.ops.results import store, wide
from jumar.ops.rules import pointwise
from jumar.physics.work import Kind

aten: Any = torch.ops.aten
DROPPED = -1


def _largest(value: Tensor, count: int) -> Tensor:
    """Places of the largest, the first of equals first."""
    return torch.sort(value, stable=True, dim=-1, descending=True).indices[..., :count]


@op("aclnnMoeGatingTopKSoftmax", work=gating(3))
def gating_top_k_softmax(
    self: Tensor, finished: Tensor | None, k: int, out: Tensor, experts: Tensor, rows: Tensor
) -> None:
    weights = torch.softmax(wide(self), -1)
    chosen = _largest(weights, k)
    store(out, weights.gather(-1, chosen))
    store(experts, _unless_finished(chosen, finished, self.shape[-1]))
    count = rows.numel() // k
    store(rows, torch.arange(rows.numel()).view(k, count).T)


def _unless_finished(chosen: Tensor, finished: Tensor | None, experts: int) -> Tensor:
    """A finished row goes to no expert: the number after the last."""
    if finished is None:
        return chosen
    return torch.where(finished.bool().reshape(*chosen.shape[:-1], 1), experts, chosen)


@op("aclnnMoeGatingTopKSoftmaxV2", work=gating(3))
def gating_top_k_softmax_v2(
    self: Tensor,
    finished: Tensor | None,
    k: int,
    renormalise: int,
    softmax_wanted: bool,
    out: Tensor,
    experts: Tensor,
    softmax: Tensor,
) -> None:
    value = wide(self)
    weights = torch.softmax(value, -1)
    if renormalise == 1:
        chosen = _largest(value, k)
        store(out, torch.softmax(value.gather(-1, chosen), -1))
    else:
        chosen = _largest(weights, k)
        store(out, weights.gather(-1, chosen))
        if softmax_wanted:
            store(softmax, weights)
    store(experts, _unless_finished(chosen, finished, self.shape[-1]))


@op("aclnnMoeGatingTopK", work=gating(3))
def gating_top_k(
    self: Tensor,
    bias: Tensor | None,
    k: int,
    groups_chosen: int,
    groups: int,
    group_mode: int,
    renormalise: int,
    norm_type: int,
    all_wanted: bool,
    scale: float,
    eps: float,
    out: Tensor,
    experts: Tensor,
    normalised: Tensor,
) -> None:
    """Norm type 0 is a softmax, 1 a sigmoid whose chosen values are made to add up to one.

    A group counts by its largest member (mode 0) or its two largest together (mode 1).
    """
    value = wide(self)
    weights = torch.sigmoid(value) if norm_type == 1 else torch.softmax(value, -1)
    ranked = weights if bias is None else weights + wide(bias)
    if groups > 1:
        grouped = ranked.unflatten(-1, (groups, -1))
        best = grouped.amax(-1) if group_mode == 0 else grouped.topk(2, -1).values.sum(-1)
        hidden = torch.ones_like(best, dtype=torch.bool).scatter_(-1, _largest(best, groups_chosen), False)
        ranked = grouped.masked_fill(hidden[..., None], float("-inf")).flatten(-2)
    chosen = _largest(ranked, k)
    result = weights.gather(-1, chosen)
    if norm_type == 1 or renormalise == 1:
        result = result / (result.sum(-1, True) + eps)
    store(out, result * scale)
    store(experts, chosen)
    if all_wanted:
        store(normalised, weights)


@op("aclnnMoeGatingTopKV2", work=gating(3))
def gating_top_k_v2(
    self: Tensor, bias: Tensor | None, token_ids: Tensor | None, expert_of_token: Tensor | None, *rest: Any
) -> None:
    if token_ids is not None:
        raise NotImplementedError(
            "aclnnMoeGatingTopKV2: experts by token id have no arithmetic yet (ops/moe.py)"
        )
    gating_top_k(self, bias, *rest)


@op("aclnnMoeGatingTopKBackward", work=gating(1))
def gating_top_k_backward(
    normalised: Tensor,
    grad: Tensor,
    experts: Tensor,
    renormalise: int,
    norm_type: int,
    scale: float,
    eps: float,
    grad_self: Tensor,
) -> None:
    weights, chosen, gradient = wide(normalised), experts.long(), wide(grad) * scale
    if norm_type == 1 or renormalise == 1:
        taken = weights.gather(-1, chosen)
        total = taken.sum(-1, True) + eps
        gradient = gradient / total - (gradient * taken).sum(-1, True) / total**2
    to_weights = torch.zeros_like(weights).scatter_(-1, chosen, gradient)
    if norm_type == 1:
        store(grad_self, to_weights * weights * (1 - weights))
    else:
        store(grad_self, aten._softmax_backward_data(to_weights, weights, -1, torch.float32))


@op("aclnnMoeComputeExpertTokens", work=pointwise(kind=Kind.MOE_ROUTING))
def compute_expert_tokens(experts: Tensor, count: int, out: Tensor) -> None:
    """For each expert, how many of the sorted entries go to it or to one before."""
    store(out, torch.searchsorted(experts, torch.arange(len(out), dtype=experts.dtype), right=True))


def _inverse(order: Tensor) -> Tensor:
    return torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))


@op("aclnnMoeInitRouting", work=permuting(3))
def init_routing(
    self: Tensor,
    rows: Tensor,
    experts: Tensor,
    active: int,
    out: Tensor,
    out_rows: Tensor,
    out_experts: Tensor,
) -> None:
    sorted_experts, order = torch.sort(experts.reshape(-1), stable=True)
    sources = rows.reshape(-1)[order].long()
    store(out, self.index_select(0, sources[: len(out)] % len(self)))
    store(out_rows, _inverse(sources))
    store(out_experts, sorted_experts)


def _route(experts: Tensor, count: int, capacity: int, padded: bool) -> tuple[Tensor, Tensor, Tensor]:
    """For each place in the output the entry that goes there, for each entry its place, and entries of each expert.

    Padded outputs give every expert `capacity` places; entries that find none are dropped, places left over empty (-1).
    """
    flat = experts.reshape(-1).long()
    order = torch.sort(flat, stable=True).indices
    counts = torch.bincount(flat, minlength=count)[:count]
    if not padded:
        return order, _inverse(order), counts
    starts = counts.cumsum(0) - counts
    rank = torch.arange(len(flat)) - starts[flat[order]]
    fits = rank < capacity
    place = flat[order] * capacity + rank
    sources = torch.full((count * capacity,), DROPPED).scatter_(0, place[fits], order[fits])
    places = torch.full_like(flat, DROPPED).scatter_(0, order, torch.where(fits, place, DROPPED))
    return sources, places, counts


def _take_rows(self: Tensor, sources: Tensor, k: int, out: Tensor) -> None:
    rows = out.view(-1, out.shape[-1])
    sources = sources[: len(rows)]
    value = self.index_select(0, sources.clamp(min=0) // k)
    value[sources < 0] = 0
    store(rows[: len(sources)], value)


@op("aclnnMoeInitRoutingV2", work=permuting(4))
def init_routing_v2(
    self: Tensor,
    experts: Tensor,
    active: int,
    capacity: int,
    count: int,
    drop_pad_mode: int,
    counts_kind: int,
    before_capacity_wanted: bool,
    out: Tensor,
    out_rows: Tensor,
    counts_out: Tensor | None,
    before_capacity: Tensor | None,
) -> None:
    """`counts_kind`: 0 none, 1 running totals, 2 counts."""
    sources, places, counts = _route(experts, count, capacity, drop_pad_mode == 1)
    _take_rows(self, sources, experts.shape[-1], out)
    store(out_rows, places)
    if counts_kind and counts_out is not None:
        store(counts_out, counts.cumsum(0) if counts_kind == 1 else counts)
    if before_capacity_wanted and before_capacity is not None:
        store(before_capacity, counts)


@op("aclnnMoeInitRoutingV3", work=permuting(4))
def init_routing_v3(
    self: Tensor,
    experts: Tensor,
    scale: Tensor | None,
    offset: Tensor | None,
    active: int,
    capacity: int,
    count: int,
    drop_pad_mode: int,
    counts_kind: int,
    counts_wanted: bool,
    quant_mode: int,
    active_range: list[int],
    row_kind: int,
    out: Tensor,
    out_rows: Tensor,
    counts_out: Tensor | None,
    out_scale: Tensor | None,
) -> None:
    """Of the quantised forms only none (-1) and int8 by row (1). `row_kind` 0: places by entry; 1: entries by place.

    `counts_kind`: 0 running totals, 1 counts, 2 pairs of expert and count. Experts outside the range get nothing.
    """
    if quant_mode not in (-1, 1):
        raise NotImplementedError(
            f"aclnnMoeInitRoutingV3: quantisation {quant_mode} has no arithmetic yet (ops/moe.py)"
        )
    first, last = active_range or [0, count]
    k = experts.shape[-1]
    flat = experts.reshape(-1).long()
    inside = (flat >= first) & (flat < last)
    order = torch.sort(torch.where(inside, flat, count), stable=True).indices
    used = int(inside.sum())
    counts = torch.bincount(flat[inside] - first, minlength=last - first)
    rows = out.view(-1, out.shape[-1])
    shown = order[: min(used, len(rows))]
    value = wide(self.index_select(0, shown // k))
    if quant_mode == 1:
        value = value if scale is None else value * wide(scale)[flat[shown] - first if len(scale) > 1 else 0]
        step = value.abs().amax(-1, True) / 127
        value = (value / step).round()
        if out_scale is not None:
            store(out_scale[: len(shown)], step.view(-1))
    elif scale is not None and out_scale is not None:
        store(out_scale[: len(shown)], scale.index_select(0, shown // k))
    store(rows[: len(shown)], value)
    places = torch.full_like(flat, DROPPED)
    places[order[:used]] = torch.arange(used)
    entries = torch.full_like(flat, DROPPED)
    entries[:used] = order[:used]
    store(out_rows, places if row_kind == 0 else entries)
    if counts_wanted and counts_out is not None:
        _store_counts(counts_out, counts, counts_kind, first)


def _store_counts(out: Tensor, counts: Tensor, kind: int, first: int) -> None:
    if kind == 2:
        present = counts.nonzero().view(-1)
        out.zero_()
        store(out[: len(present)], torch.stack((present + first, counts[present]), 1))
    else:
        store(out, counts.cumsum(0) if kind == 0 else counts)


@op("aclnnMoeFinalizeRouting", work=combining())
def finalize_routing(
    expanded: Tensor,
    skip_one: Tensor | None,
    skip_two: Tensor | None,
    bias: Tensor | None,
    scales: Tensor | None,
    places: Tensor,
    experts: Tensor | None,
    out: Tensor,
) -> None:
    finalize_routing_v2(expanded, places, skip_one, skip_two, bias, scales, experts, 0, out)


@op("aclnnMoeFinalizeRoutingV2", work=combining())
def finalize_routing_v2(
    expanded: Tensor,
    places: Tensor,
    skip_one: Tensor | None,
    skip_two: Tensor | None,
    bias: Tensor | None,
    scales: Tensor | None,
    experts: Tensor | None,
    drop_pad_mode: int,
    out: Tensor,
) -> None:
    """Each token is the sum of what its experts made of it.

    Places lie expert by expert in modes 0 and 1, token by token in modes 2 and 3; -1 stands for a dropped entry.
    """
    tokens, hidden = out.shape
    places = places.reshape(-1, tokens).T if drop_pad_mode < 2 else places.reshape(tokens, -1)
    flat = wide(expanded).reshape(-1, hidden)
    value = flat[places.long().clamp(min=0)]
    value = torch.where((places < 0)[..., None], 0, value)
    if bias is not None and experts is not None:
        value = value + wide(bias)[experts.reshape(tokens, -1).long()]
    if scales is not None:
        value = value * wide(scales)[..., None]
    total = value.sum(1)
    for skip in (skip_one, skip_two):
        if skip is not None:
            total = total + wide(skip)
    store(out, total)


@op("aclnnMoeFinalizeRoutingV4", work=combining())
def finalize_routing_v4(*arguments: Any) -> None:
    """The version with further kinds of experts, of which only none is known."""
    *_, out = arguments
    if any(tensor is not None for tensor in arguments[7:11]):
        raise NotImplementedError(
            "aclnnMoeFinalizeRoutingV4: constant experts have no arithmetic (ops/moe.py)"
        )
    finalize_routing_v2(*(*arguments[:7], arguments[11], out))
