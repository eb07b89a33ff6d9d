"""Softmax of attention scores with scale and mask, of which the simple ones are here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "FusedScaleMaskSoftmax",
    "scaled_masked_softmax",
    "scaled_softmax",
    "scaled_upper_triang_masked_softmax",
]

HIDDEN = -10000.0


def scaled_softmax(inputs: Tensor, scale: float) -> Tensor:
    return torch.softmax(inputs * scale, -1)


def scaled_masked_softmax(inputs: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """`inputs`: (batch, heads, queries, keys); where `mask` is true is hidden."""
    scores = inputs * scale
    return torch.softmax(scores if mask is None else scores.masked_fill(mask.bool(), HIDDEN), -1)


def scaled_upper_triang_masked_softmax(inputs: Tensor, _: Any, scale: float) -> Tensor:
    """`inputs`: (batch × heads, queries, keys), as many queries as keys."""
    hidden = torch.ones(inputs.shape[-2:], dtype=torch.bool, device=inputs.device).triu(1)
    return torch.softmax((inputs * scale).masked_fill(hidden, -torch.inf), -1)


class FusedScaleMaskSoftmax(nn.Module):
    def __init__(
        self, input_in_fp16: bool, input_in_bf16: bool, attn_mask_type: Any, scaled_masked_softmax_fusion: bool,
        mask_func: Callable[[Tensor, Tensor], Tensor], softmax_in_fp32: bool, scale: float | None,
    ) -> None:  # fmt: skip
        super().__init__()
        assert not (input_in_fp16 and input_in_bf16), (
            "both fp16 and bf16 flags cannot be active at the same time."
        )
        self.is_half, self.in_fp32, self.scale = input_in_fp16 or input_in_bf16, softmax_in_fp32, scale
        self.causal = getattr(attn_mask_type, "name", str(attn_mask_type)) == "causal"

    def forward(self, input: Tensor, mask: Tensor | None) -> Tensor:
        scores = input.float() if self.is_half and self.in_fp32 else input
        scale = 1.0 if self.scale is None else self.scale
        if self.causal:
            out = scaled_upper_triang_masked_softmax(scores, None, scale)
        else:
            out = scaled_masked_softmax(scores, mask, scale)
        return out.to(input.dtype)
