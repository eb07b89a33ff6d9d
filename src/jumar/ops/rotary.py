"""Rotary position embeddings. A mode says how the pairs that turn together lie in the last dimension."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.results import store, wide
from jumar.ops.rules import moved, pointwise
from jumar.physics.work import Kind, Work

HALF, INTERLEAVE, QUARTER, INTERLEAVE_TO_HALF = range(4)
_MODES = {"half": HALF, "interleave": INTERLEAVE, "quarter": QUARTER, "interleave-half": INTERLEAVE_TO_HALF}


def _arranged(value: Tensor, mode: int) -> Tensor:
    """The last mode turns neighbouring pairs and leaves them in two halves."""
    if mode != INTERLEAVE_TO_HALF:
        return value
    return torch.cat((value[..., ::2], value[..., 1::2]), -1)


def _rearranged(value: Tensor, mode: int) -> Tensor:
    """The inverse of `_arranged`."""
    if mode != INTERLEAVE_TO_HALF:
        return value
    return torch.stack(value.chunk(2, -1), -1).flatten(-2)


def _turned(value: Tensor, mode: int) -> Tensor:
    """Each pair a quarter turn onwards: (x, y) becomes (-y, x). The transpose of this is its negative."""
    if mode == INTERLEAVE:
        return torch.stack((-value[..., 1::2], value[..., ::2]), -1).flatten(-2)
    if mode == QUARTER:
        one, two, three, four = value.chunk(4, -1)
        return torch.cat((-two, one, -four, three), -1)
    one, two = value.chunk(2, -1)
    return torch.cat((-two, one), -1)


def _rotated(value: Tensor, cos: Tensor, sin: Tensor, mode: int) -> Tensor:
    value = _arranged(value, mode)
    return value * cos + _turned(value, mode) * sin


@op("aclnnRotaryPositionEmbedding", work=pointwise(6))
def rotary(self: Tensor, cos: Tensor, sin: Tensor, mode: int, out: Tensor) -> None:
    store(out, _rotated(wide(self), wide(cos), wide(sin), mode))


@op("aclnnRotaryPositionEmbeddingV2", work=pointwise(6))
def rotary_v2(self: Tensor, cos: Tensor, sin: Tensor, mode: int, rotate: Tensor | None, out: Tensor) -> None:
    """`rotate` is the quarter turn as a matrix, which `mode` says already."""
    rotary(self, cos, sin, mode, out)


@op("aclnnRotaryPositionEmbeddingGrad", work=pointwise(8, outs=3))
def rotary_backward(
    grad: Tensor,
    cos: Tensor,
    sin: Tensor,
    self: Tensor | None,
    mode: int,
    grad_self: Tensor,
    grad_cos: Tensor | None,
    grad_sin: Tensor | None,
) -> None:
    gradient = wide(grad)
    store(grad_self, _rearranged(gradient * wide(cos) - _turned(gradient * wide(sin), mode), mode))
    if self is not None and self.numel():
        value = _arranged(wide(self), mode)
        if grad_cos is not None:
            store(grad_cos, (gradient * value).sum_to_size(cos.shape))
        if grad_sin is not None:
            store(grad_sin, (gradient * _turned(value, mode)).sum_to_size(sin.shape))


def _apply_work(query: Operand, key: Operand, cos: Operand, sin: Operand, *rest: Any) -> Work:
    """Query and key in place."""
    count = 6.0 * (query.elements + key.elements)
    return moved(Kind.ELEMENTWISE, [query, key, cos, sin], [query, key], count)


@op("aclnnApplyRotaryPosEmb", work=_apply_work)
def apply_rotary(query: Tensor, key: Tensor, cos: Tensor, sin: Tensor, layout: int) -> None:
    """In place; the layout needs no telling because cosines and sines arrive ready to broadcast."""
    apply_rotary_v2(query, key, cos, sin, layout, "half")


@op("aclnnApplyRotaryPosEmbV2", work=_apply_work)
def apply_rotary_v2(query: Tensor, key: Tensor, cos: Tensor, sin: Tensor, layout: int, mode: str) -> None:
    size = cos.shape[-1]
    for tensor in (query, key):
        part = tensor[..., :size]
        store(part, _rotated(wide(part), wide(cos), wide(sin), _MODES[mode]))


@op("aclnnInterleaveRope", work=pointwise(6))
def interleave_rope(self: Tensor, cos: Tensor, sin: Tensor, out: Tensor) -> None:
    store(out, _rotated(wide(self), wide(cos), wide(sin), INTERLEAVE_TO_HALF))


@op("aclnnRopeWithSinCosCache", work=pointwise(6, outs=2))
def rope_with_cache(
    positions: Tensor,
    query: Tensor,
    key: Tensor,
    cache: Tensor,
    sections: list[int] | None,
    head_size: int,
    halves: bool,
    query_out: Tensor,
    key_out: Tensor,
) -> None:
    """Positions (tokens), or (3, tokens) of which each contributes the frequencies of one section."""
    cos, sin = wide(cache)[positions.long()].chunk(2, -1)
    if positions.dim() == 2 and sections and sum(sections):
        cos, sin = (
            torch.cat([part[row] for row, part in enumerate(table.split(sections, -1))], -1)
            for table in (cos, sin)
        )
    expand: Any = (
        (lambda table: table.repeat(1, 2)) if halves else (lambda table: table.repeat_interleave(2, 1))
    )
    cos, sin = (expand(table)[:, None] for table in (cos, sin))
    for tensor, out in ((query, query_out), (key, key_out)):
        heads = wide(tensor).view(tensor.shape[0], -1, head_size)
        size = cos.shape[-1]
        turned = _rotated(heads[..., :size], cos, sin, HALF if halves else INTERLEAVE)
        store(out, torch.cat((turned, heads[..., size:]), -1))
