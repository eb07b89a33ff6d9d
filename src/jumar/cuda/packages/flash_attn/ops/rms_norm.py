"""Normalisation by the root of the mean square, on the chip's own operator."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from jumar.cuda.normalization import rms_norm as _rms_norm

from .layer_norm import added_after_dropout


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return _rms_norm(x, weight, epsilon)


def dropout_add_rms_norm(
    x0: Tensor, residual: Tensor | None, weight: Tensor, bias: Tensor | None, dropout_p: float, epsilon: float,
    rowscale: Tensor | None = None, layerscale: Tensor | None = None, prenorm: bool = False,
    residual_in_fp32: bool = False, return_dropout_mask: bool = False,
) -> Any:  # fmt: skip
    total = added_after_dropout(
        x0, residual, dropout_p, rowscale, layerscale, residual_in_fp32, return_dropout_mask
    )
    out = _rms_norm(total, weight, epsilon).to(x0.dtype)
    return (out, total) if prenorm else out


class RMSNorm(nn.Module):
    def __init__(self, hidden_size: int, eps: float = 1e-5, device: Any = None, dtype: Any = None) -> None:
        import torch

        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(hidden_size, device=device, dtype=dtype))
        self.register_parameter("bias", None)

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.weight, self.eps)
