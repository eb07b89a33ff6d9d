"""Tensors stored in other orders or with gaps, and the calling of an operator by its name."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import operators

LAYOUTS = ["contiguous", "transposed", "spread"]


def values(dtype: torch.dtype, *sizes: int) -> Tensor:
    numbers = torch.arange(torch.Size(sizes).numel()).view(sizes)
    return (numbers * 7 % 11).to(dtype)


def laid(tensor: Tensor, layout: str) -> Tensor:
    """The same values, stored in another order or with gaps."""
    if layout == "transposed" and tensor.dim() > 1:
        return tensor.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "spread":
        wide = torch.zeros(*tensor.shape, 2, dtype=tensor.dtype)
        wide[..., 0] = tensor
        return wide[..., 0]
    return tensor.clone()


def run(name: str, *arguments: Any) -> Any:
    return operators()[name].run(*arguments)
