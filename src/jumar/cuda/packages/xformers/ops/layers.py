"""Layers that xFormers fuses, with plain operators and the chip's root-mean-square normalisation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jumar.cuda.normalization import rms_norm as _rms_norm


def rms_norm(x: Tensor, weight: Tensor | None, eps: float = 1e-6) -> Tensor:
    return _rms_norm(x, weight, eps)


def rms_norm_add(x: Tensor, y: Tensor, weight: Tensor | None, eps: float = 1e-6) -> Tensor:
    """Adds `y` to `x` in place, and normalises the sum."""
    return _rms_norm(x.add_(y), weight, eps)


class RMSNorm(nn.Module):
    def __init__(self, dim: int, include_weight: bool = True, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim)) if include_weight else None

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight, self.eps)

    def increment_and_forward_(self, x: Tensor, y: Tensor) -> Tensor:
        return rms_norm_add(x, y, self.weight, self.eps)


def swiglu(
    x: Tensor,
    w1: Tensor,
    b1: Tensor | None,
    w2: Tensor,
    b2: Tensor | None,
    w3: Tensor,
    b3: Tensor | None,
    *,
    op: object = None,
) -> Tensor:
    return F.linear(F.silu(F.linear(x, w1, b1)) * F.linear(x, w2, b2), w3, b3)


class SwiGLU(nn.Module):
    """Its first two layers lie in one, `w12`, unless `_pack_weights` is off, as their names in a state dict say."""

    def __init__(
        self, in_features: int, hidden_features: int, out_features: int | None = None, bias: bool = True, *,
        _pack_weights: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_features, self.hidden_features = in_features, hidden_features
        self.out_features = out_features or in_features
        self.w12 = nn.Linear(in_features, 2 * hidden_features, bias) if _pack_weights else None
        if self.w12 is None:
            self.w1 = nn.Linear(in_features, hidden_features, bias)
            self.w2 = nn.Linear(in_features, hidden_features, bias)
        self.w3 = nn.Linear(hidden_features, self.out_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        one, two = self.w12(x).chunk(2, -1) if self.w12 is not None else (self.w1(x), self.w2(x))
        out: Tensor = self.w3(F.silu(one) * two)
        return out
