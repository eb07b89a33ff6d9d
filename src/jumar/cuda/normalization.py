"""Normalisation by the root of the mean square, on the chip's own operator: what several CUDA libraries have."""

from __future__ import annotations

import torch
from torch import Tensor


def rms_norm(x: Tensor, weight: Tensor | None, eps: float, sizes: tuple[int, ...] | None = None) -> Tensor:
    """Over the dimensions of `weight`, or the last of these sizes. The result has the dtype of `x`."""
    sizes = tuple(weight.shape) if weight is not None else sizes or (x.shape[-1],)
    fits = weight is not None and weight.dtype == x.dtype and weight.device == x.device
    if fits and x.device.type not in ("cpu", "meta") and x.numel():
        import torch_npu

        out: Tensor = torch_npu.npu_rms_norm(x, weight, eps)[0]
        return out
    return torch.nn.functional.rms_norm(x.float(), sizes, None if weight is None else weight.float(), eps).to(
        x.dtype
    )
