"""Layer normalisation with what CUDA fuses into it: dropout, scaling and the residual sum."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def added_after_dropout(
    x0: Tensor, residual: Tensor | None, dropout: float, rowscale: Tensor | None, layerscale: Tensor | None,
    in_fp32: bool, mask_wanted: bool,
) -> Tensor:  # fmt: skip
    if mask_wanted:
        raise NotImplementedError("jumar's stand-in for flash_attn does not return the dropout mask")
    x0 = x0 if rowscale is None else x0 * rowscale[..., None]
    x0 = x0 if layerscale is None else x0 * layerscale
    total = F.dropout(x0, dropout)
    total = total if residual is None else total + residual
    return total.float() if in_fp32 else total


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor | None, epsilon: float) -> Tensor:
    return F.layer_norm(x.to(weight.dtype), weight.shape, weight, bias, epsilon)


def dropout_add_layer_norm(
    x0: Tensor, residual: Tensor | None, weight: Tensor, bias: Tensor | None, dropout_p: float, epsilon: float,
    rowscale: Tensor | None = None, layerscale: Tensor | None = None, prenorm: bool = False,
    residual_in_fp32: bool = False, return_dropout_mask: bool = False,
) -> Any:  # fmt: skip
    total = added_after_dropout(
        x0, residual, dropout_p, rowscale, layerscale, residual_in_fp32, return_dropout_mask
    )
    out = layer_norm(total, weight, bias, epsilon).to(x0.dtype)
    return (out, total) if prenorm else out


class DropoutAddLayerNorm(nn.Module):
    def __init__(
        self, hidden_size: int, prenorm: bool = False, p: float = 0.0, eps: float = 1e-5,
        residual_in_fp32: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.prenorm, self.p, self.eps, self.residual_in_fp32 = prenorm, p, eps, residual_in_fp32
        self.weight = nn.Parameter(torch.ones(hidden_size, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(hidden_size, device=device, dtype=dtype))

    def forward(self, x0: Tensor, residual: Tensor | None = None) -> Any:
        return dropout_add_layer_norm(
            x0, residual, self.weight, self.bias, self.p if self.training else 0.0, self.eps,
            prenorm=self.prenorm, residual_in_fp32=self.residual_in_fp32,
        )  # fmt: skip
