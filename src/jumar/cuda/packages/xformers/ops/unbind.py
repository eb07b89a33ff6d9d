"""Splitting along a dimension; the derivative joins again without copies on CUDA, with one here."""

from __future__ import annotations

from torch import Tensor


def unbind(x: Tensor, dim: int) -> tuple[Tensor, ...]:
    return x.unbind(dim)
