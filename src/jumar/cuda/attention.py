"""Attention as CUDA libraries define it, on the vendor's fused operator: what flash_attn and xformers have in common.

The operator takes causal masks and bands from the last query and key, grouped heads, dropout and packed sequences.
What it does not take (soft cap, ALiBi, a bias of one's own) is computed here in float32, with all scores in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

EVERYTHING, CAUSAL_FROM_END, BAND = 0, 3, 4  # the vendor's sparse_mode
MASK_SIDE = 2048  # of the triangle that the operator wants for those modes, whatever the lengths
UNLIMITED = 2**31 - 1
_triangles: dict[torch.device, Tensor] = {}


@dataclass(frozen=True)
class How:
    """`window`: keys to see to the left and right of the diagonal that ends at the last query and key; -1: all.

    `alibi`: slopes (heads,) or (batch, heads). `bias`: added to the scores, broadcast to (batch, heads, queries, keys).
    """

    scale: float
    causal: bool = False
    window: tuple[int, int] = (-1, -1)
    dropout: float = 0.0
    softcap: float = 0.0
    alibi: Tensor | None = None
    bias: Tensor | None = None

    @property
    def left(self) -> int:
        return UNLIMITED if self.window[0] < 0 else self.window[0]

    @property
    def right(self) -> int:
        return 0 if self.causal else UNLIMITED if self.window[1] < 0 else self.window[1]

    def is_plain(self) -> bool:
        """Whether the vendor's operator cannot do it."""
        return bool(self.softcap) or self.alibi is not None or self.bias is not None


def batched(query: Tensor, key: Tensor, value: Tensor, how: How) -> tuple[Tensor, Tensor]:
    """Of (batch, sequence, heads, size) each: the result, and the log of the sum of exponentials (batch, heads, queries)."""
    queries, keys = query.shape[1], key.shape[1]
    if 0 in (query.numel(), key.numel()):
        return torch.zeros_like(query[..., : value.shape[3]]), _no_lse(query).transpose(1, 2)
    if how.is_plain():
        return _plain(query, key, value, how)
    out, *statistics = _fused(query, key, value, how, "BSND")
    lse = _lse(*statistics)
    blind = min(queries, queries - keys - how.right)  # the first queries, whose diagonal is left of all keys
    if blind > 0:
        out, lse = _blinded(out, blind, 1), lse.index_fill(2, _range(0, blind, lse), torch.inf)
    return out, lse


def packed(
    query: Tensor, key: Tensor, value: Tensor, q_ends: Sequence[int], k_ends: Sequence[int], how: How
) -> tuple[Tensor, Tensor]:
    """Of (tokens, heads, size), each sequence ending where `q_ends` and `k_ends` say; the logarithm is (heads, queries)."""
    q_starts, k_starts = [0, *q_ends][:-1], [0, *k_ends][:-1]
    pieces = list(zip(q_starts, q_ends, k_starts, k_ends, strict=True))
    if how.is_plain() or any(q0 == q1 or k0 == k1 for q0, q1, k0, k1 in pieces):
        return _one_by_one(query, key, value, pieces, how)
    out, *statistics = _fused(query, key, value, how, "TND", (list(q_ends), list(k_ends)))
    lse = _lse(*statistics).transpose(0, 1)
    for q0, q1, k0, k1 in pieces:
        blind = min(q1 - q0, (q1 - q0) - (k1 - k0) - how.right)
        if blind > 0:
            out = out.index_fill(0, _range(q0, q0 + blind, out), 0)
            lse = lse.index_fill(1, _range(q0, q0 + blind, lse), torch.inf)
    return out, lse


def _one_by_one(
    query: Tensor, key: Tensor, value: Tensor, pieces: list[tuple[int, int, int, int]], how: How
) -> tuple[Tensor, Tensor]:
    outs, lses = [query.new_zeros((0, query.shape[1], value.shape[2]))], [_no_lse(query[:0, None])[:, 0].T]
    for at, (q0, q1, k0, k1) in enumerate(pieces):
        own = how if how.alibi is None or how.alibi.dim() == 1 else _with_alibi(how, how.alibi[at])
        out, lse = batched(query[None, q0:q1], key[None, k0:k1], value[None, k0:k1], own)
        outs.append(out[0])
        lses.append(lse[0])
    return torch.cat(outs), torch.cat(lses, 1)


def _with_alibi(how: How, slopes: Tensor) -> How:
    return How(how.scale, how.causal, how.window, how.dropout, how.softcap, slopes, how.bias)


def _fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    how: How,
    layout: str,
    ends: tuple[list[int], list[int]] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    import torch_npu

    settings: dict[str, Any] = {"scale": how.scale, "keep_prob": 1 - how.dropout, "sparse_mode": EVERYTHING}
    if how.right == 0 and how.left == UNLIMITED:
        settings |= {"sparse_mode": CAUSAL_FROM_END, "atten_mask": _triangle(query.device)}
    elif how.left != UNLIMITED or how.right != UNLIMITED:
        settings |= {"sparse_mode": BAND, "atten_mask": _triangle(query.device)}
        settings |= {"pre_tockens": how.left, "next_tockens": how.right}
    if ends is not None:
        settings |= {"actual_seq_qlen": ends[0], "actual_seq_kvlen": ends[1]}
    heads = query.shape[-2]
    out, maximum, total, *_ = torch_npu.npu_fusion_attention(query, key, value, heads, layout, **settings)
    return out, maximum, total


def _triangle(device: torch.device) -> Tensor:
    """What is hidden: everything right of the diagonal."""
    found = _triangles.get(device)
    if found is None:
        with torch.inference_mode(False):  # it is kept for the derivative too, by whoever comes later
            found = torch.ones(MASK_SIDE, MASK_SIDE, dtype=torch.bool, device=device).triu(1)
        if type(found) is Tensor:  # what a tracer puts in its place is not for later
            _triangles[device] = found
    return found


def _lse(maximum: Tensor, total: Tensor) -> Tensor:
    return (maximum + total.log())[..., 0].detach()


def _no_lse(query: Tensor) -> Tensor:
    return query.new_full(query.shape[:3], torch.inf, dtype=torch.float32)


def _range(start: int, end: int, like: Tensor) -> Tensor:
    return torch.arange(start, end, device=like.device)


def _blinded(out: Tensor, count: int, dim: int) -> Tensor:
    return out.index_fill(dim, _range(0, count, out), 0)


def _plain(query: Tensor, key: Tensor, value: Tensor, how: How) -> tuple[Tensor, Tensor]:
    dtype = query.dtype
    query, key, value = _by_head(query, key, value)
    scores = _scores(query, key, how)
    lse = scores.logsumexp(-1)
    blind = lse == -torch.inf
    shares = torch.softmax(scores.masked_fill(blind[..., None], 0), -1).masked_fill(blind[..., None], 0)
    out = torch.nn.functional.dropout(shares, how.dropout) @ value
    return out.transpose(1, 2).to(dtype), lse.masked_fill(blind, torch.inf).detach()


def _by_head(*tensors: Tensor) -> tuple[Tensor, ...]:
    """As (batch, heads, sequence, size) in float32, every one with the heads of the first."""
    heads = tensors[0].shape[2]
    found = [one.transpose(1, 2).float() for one in tensors]
    return tuple(
        one if one.shape[1] == heads else one.repeat_interleave(heads // one.shape[1], 1) for one in found
    )


def _scores(query: Tensor, key: Tensor, how: How) -> Tensor:
    scores = query @ key.transpose(2, 3) * how.scale
    if how.softcap:
        scores = torch.tanh(scores / how.softcap) * how.softcap
    queries, keys = scores.shape[2:]
    distance = _range(0, keys, scores) - (_range(0, queries, scores) + keys - queries)[:, None]
    if how.alibi is not None:
        scores = scores - how.alibi.float()[..., None, None] * distance.abs()
    if how.bias is not None:
        scores = scores + how.bias.float()
    hidden = (distance < -how.left) | (distance > how.right)
    return scores.masked_fill(hidden, -torch.inf)


def gradients(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, lse: Tensor, how: How
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Of one piece whose result and logarithm may be those of a larger whole: its three gradients, and rows' sums."""
    grads, outs, queries, keys, values = _by_head(grad, out, query, key, value)
    with torch.enable_grad():
        leaves = [one.detach().requires_grad_() for one in (queries, keys)]
        scores = _scores(leaves[0], leaves[1], how)
    shares = torch.exp(scores.detach() - lse[..., None].float())
    delta = (grads * outs).sum(-1)
    to_scores = shares * (grads @ values.transpose(2, 3) - delta[..., None])
    to_query, to_key = torch.autograd.grad(scores, leaves, to_scores)
    to_value = shares.transpose(2, 3) @ grads
    found = []
    for one, like in ((to_query, query), (to_key, key), (to_value, value)):
        grouped = torch.unflatten(one, 1, (like.shape[2], -1)).sum(2)
        found.append(grouped.transpose(1, 2).to(like.dtype))
    return tuple(found), delta


def ends(starts: Tensor) -> list[int]:
    """Where the sequences end, of the cumulative lengths that CUDA libraries take (the first is 0)."""
    return [int(one) for one in starts.tolist()[1:]]


def lengths(bounds: Sequence[int]) -> list[int]:
    """Of cumulative ends."""
    return [after - before for before, after in pairwise([0, *bounds])]
