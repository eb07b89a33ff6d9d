"""Mixture of experts: tokens sorted by expert and put back, with the derivatives of both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.moe_work import combining, permuting
from jumar.ops.registry import op
from jumar.ops.results import store, wide
from jumar.ops.traffic import bytes_of, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work


@op("aclnnMoeTokenPermute", work=permuting(2))
def token_permute(
    self: Tensor, experts: Tensor, count: int, padded: bool, out: Tensor, places: Tensor
) -> None:
    """`places`: for each entry (token times chosen expert) the row it went to."""
    flat = experts.reshape(-1)
    if padded:
        store(out, self.index_select(0, flat))
        store(places, flat)
        return
    order = torch.sort(flat, stable=True).indices
    store(out, self.index_select(0, order[: len(out)] // (flat.numel() // len(self))))
    store(places, torch.empty_like(order).scatter_(0, order, torch.arange(len(order))))


@op("aclnnMoeTokenPermuteGrad", work=combining())
def token_permute_backward(grad: Tensor, places: Tensor, k: int, padded: bool, grad_self: Tensor) -> None:
    gradient = wide(grad)
    rows = places.long().view(-1)
    if padded:
        store(grad_self, torch.zeros(grad_self.shape).index_add_(0, rows, gradient))
        return
    value = gradient[rows.clamp(max=len(gradient) - 1)] * (rows < len(gradient))[:, None]
    store(grad_self, value.view(-1, k, gradient.shape[-1]).sum(1))


def _entries(permuted: Tensor, places: Tensor, k: int) -> Tensor:
    rows = places.long().view(-1)
    value = wide(permuted)[rows.clamp(max=len(permuted) - 1)] * (rows < len(permuted))[:, None]
    entries: Tensor = value.view(-1, k, permuted.shape[-1])
    return entries


@op("aclnnMoeTokenUnpermute", work=combining())
def token_unpermute(
    permuted: Tensor,
    places: Tensor,
    weights: Tensor | None,
    padded: bool,
    sizes: list[int] | None,
    out: Tensor,
) -> None:
    if padded:
        value = wide(permuted) if weights is None else wide(permuted) * wide(weights).reshape(-1, 1)
        store(out, torch.zeros(out.shape).index_add_(0, places.long().view(-1), value))
        return
    value = _entries(permuted, places, 1 if weights is None else weights.shape[-1])
    if weights is not None:
        value = value * wide(weights)[..., None]
    store(out, value.sum(1))


def _unpermute_backward_work(permuted: Operand | None, grad: Operand, *rest: Any) -> Work:
    """Each gradient goes to all of its token's experts; with their outputs it tells what the weights mattered."""
    grad_permuted, grad_weights = rest[-2:]
    read_b = bytes_of(grad_permuted) + total_b(*rest[:-2])
    weighted = grad_weights is not None and permuted is not None
    read_b += bytes_of(permuted) if weighted else 0.0
    vectors = (Vector("fp32", (3.0 if weighted else 1.0) * grad_permuted.elements),)
    return Work(Kind.MOE_ROUTING, (), vectors, read_b, total_b(*rest[-2:]), Pattern.GATHER)


@op("aclnnMoeTokenUnpermuteGrad", work=_unpermute_backward_work)
def token_unpermute_backward(
    permuted: Tensor | None,
    grad: Tensor,
    places: Tensor,
    weights: Tensor | None,
    padded: bool,
    sizes: list[int] | None,
    grad_permuted: Tensor,
    grad_weights: Tensor | None,
) -> None:
    if padded:
        raise NotImplementedError(
            "aclnnMoeTokenUnpermuteGrad: padded tokens have no arithmetic (ops/moe_tokens.py)"
        )
    k = 1 if weights is None else weights.shape[-1]
    gradient = wide(grad)[:, None].expand(-1, k, -1)
    if weights is not None and permuted is not None:
        store(grad_weights, (_entries(permuted, places, k) * gradient).sum(-1))
        gradient = gradient * wide(weights)[..., None]
    rows = places.long().view(-1)
    used = rows < len(grad_permuted)
    flat = gradient.reshape(-1, grad.shape[-1])
    value = torch.zeros(grad_permuted.shape).index_copy_(0, rows[used], flat[used])
    store(grad_permuted, value)
