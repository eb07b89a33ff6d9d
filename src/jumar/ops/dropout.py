"""Dropout in its three steps: draw a bit mask, apply it, and both at once."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from jumar.ops.bitmask import pack, unpack
from jumar.ops.random import captured, stream
from jumar.ops.registry import op
from jumar.ops.rules import pointwise
from jumar.ops.traffic import bytes_of
from jumar.physics.work import Kind, Vector, Work

MASK_OPERATIONS = 2.0  # an assumption: nobody has published what drawing a mask takes on the chip


def _mask_work(shape: list[int], *rest: Any) -> Work:
    """A bit for each element. The numbers come from a unit of their own; comparing and packing them is counted."""
    count = float(math.prod(shape))
    vectors = (Vector("fp32", MASK_OPERATIONS * count),)
    return Work(Kind.RANDOM, (), vectors, 0.0, bytes_of(rest[-1]))


@op("aclnnDropoutGenMask", work=_mask_work)
def dropout_gen_mask(shape: list[int], p: float, seed: int, offset: int, out: Tensor) -> None:
    bits = torch.empty(math.prod(shape), dtype=torch.bool)
    pack(bits.bernoulli_(1.0 - p, generator=stream(seed, offset)), out)


@op("aclnnDropoutGenMaskV2", work=_mask_work)
def dropout_gen_mask_v2(
    shape: list[int], p: float, seed: int, offset: int, dtype: torch.dtype, out: Tensor
) -> None:
    dropout_gen_mask(shape, p, seed, offset, out)


@op("aclnnDropoutGenMaskV2Tensor", work=_mask_work)
def dropout_gen_mask_v2_tensor(
    shape: list[int], p: float, seed: Tensor, offset: Tensor, addend: int, dtype: torch.dtype, out: Tensor
) -> None:
    dropout_gen_mask(shape, p, *captured(seed, offset, addend), out)


@op("aclnnDropoutDoMask", "aclnnDropoutV3Grad", work=pointwise(2))
def dropout_do_mask(self: Tensor, mask: Tensor, p: float, out: Tensor) -> None:
    """The two roundings of PyTorch's native_dropout: first the mask, then the scale."""
    torch.mul(self, unpack(mask, self.numel()).view(self.shape), out=out)
    out.mul_(1.0 / (1.0 - p) if p < 1.0 else 0.0)


@op("aclnnDropoutV3", work=pointwise(22, outs=2, kind=Kind.RANDOM))
def dropout_v3(
    self: Tensor, noise_shape: Tensor | None, p: float, seed: int, offset: int, out: Tensor, mask: Tensor
) -> None:
    dropout_gen_mask(list(self.shape), p, seed, offset, mask)
    dropout_do_mask(self, mask, p, out)


@op("aclnnDropoutV3Tensor", work=pointwise(22, outs=2, kind=Kind.RANDOM))
def dropout_v3_tensor(
    self: Tensor,
    noise_shape: Tensor | None,
    p: float,
    seed: Tensor,
    offset: Tensor,
    addend: int,
    out: Tensor,
    mask: Tensor,
) -> None:
    dropout_v3(self, noise_shape, p, *captured(seed, offset, addend), out, mask)
