"""The normalisations that are Triton kernels on CUDA."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from jumar.cuda.normalization import rms_norm

from ..rms_norm import RMSNorm

__all__ = ["RMSNorm", "layer_norm_fn", "rms_norm_fn"]


def layer_norm_fn(
    x: Tensor, weight: Tensor, bias: Tensor | None, residual: Tensor | None = None, x1: Tensor | None = None,
    weight1: Tensor | None = None, bias1: Tensor | None = None, eps: float = 1e-6, dropout_p: float = 0.0,
    rowscale: Tensor | None = None, prenorm: bool = False, residual_in_fp32: bool = False, is_rms_norm: bool = False,
    return_dropout_mask: bool = False,
) -> Any:  # fmt: skip
    from ..layer_norm import added_after_dropout

    if x1 is not None or weight1 is not None:
        raise NotImplementedError(
            "jumar's stand-in for flash_attn has no second input or weight (x1, weight1)"
        )
    total = added_after_dropout(x, residual, dropout_p, rowscale, None, residual_in_fp32, return_dropout_mask)
    if is_rms_norm:
        out = rms_norm(total, weight, eps)
        out = out if bias is None else out + bias
    else:
        out = F.layer_norm(total.to(weight.dtype), weight.shape, weight, bias, eps)
    return (out.to(x.dtype), total) if prenorm else out.to(x.dtype)


def rms_norm_fn(x: Tensor, weight: Tensor, bias: Tensor | None, **chosen: Any) -> Any:
    return layer_norm_fn(x, weight, bias, is_rms_norm=True, **chosen)
