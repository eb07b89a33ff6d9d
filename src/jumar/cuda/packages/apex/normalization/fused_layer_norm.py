"""PyTorch's layer normalisation and the chip's root-mean-square normalisation, with Apex's names.

The mixed modules keep their result in the dtype of the weights, whatever the input's is.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jumar.cuda.normalization import rms_norm

Shape = int | tuple[int, ...] | list[int] | torch.Size


def _sizes(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def fused_layer_norm_affine(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    normalized_shape: Shape,
    eps: float = 1e-6,
    memory_efficient: bool = False,
) -> Tensor:
    return F.layer_norm(input.to(weight.dtype), _sizes(normalized_shape), weight, bias, eps).to(input.dtype)


def fused_layer_norm(
    input: Tensor, normalized_shape: Shape, eps: float = 1e-6, memory_efficient: bool = False
) -> Tensor:
    return F.layer_norm(input, _sizes(normalized_shape), None, None, eps)


def mixed_dtype_fused_layer_norm_affine(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    normalized_shape: Shape,
    eps: float = 1e-6,
    memory_efficient: bool = False,
) -> Tensor:
    return F.layer_norm(input.to(weight.dtype), _sizes(normalized_shape), weight, bias, eps)


def fused_rms_norm_affine(
    input: Tensor, weight: Tensor, normalized_shape: Shape, eps: float = 1e-6, memory_efficient: bool = False
) -> Tensor:
    return rms_norm(input, weight, eps, _sizes(normalized_shape))


def fused_rms_norm(
    input: Tensor, normalized_shape: Shape, eps: float = 1e-6, memory_efficient: bool = False
) -> Tensor:
    return rms_norm(input, None, eps, _sizes(normalized_shape))


def mixed_dtype_fused_rms_norm_affine(
    input: Tensor, weight: Tensor, normalized_shape: Shape, eps: float = 1e-6, memory_efficient: bool = False
) -> Tensor:
    return rms_norm(input.to(weight.dtype), weight, eps, _sizes(normalized_shape))


class FusedLayerNorm(nn.LayerNorm):
    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__(normalized_shape, eps, elementwise_affine)

    def forward(self, input: Tensor) -> Tensor:
        wanted = input.dtype if self.weight is None else self.weight.dtype
        out = F.layer_norm(input.to(wanted), self.normalized_shape, self.weight, self.bias, self.eps)
        return out.to(input.dtype)


class MixedFusedLayerNorm(FusedLayerNorm):
    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, *, memory_efficient: bool = False, **_: Any
    ) -> None:
        super().__init__(normalized_shape, eps)

    def forward(self, input: Tensor) -> Tensor:
        return mixed_dtype_fused_layer_norm_affine(
            input, self.weight, self.bias, self.normalized_shape, self.eps
        )


class FusedRMSNorm(nn.Module):
    """`eps` is 1e-5 here, as in Apex, where PyTorch's own takes the dtype's."""

    weight: nn.Parameter | None

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = torch.Size(_sizes(normalized_shape)), eps
        self.elementwise_affine = elementwise_affine
        weight = nn.Parameter(torch.ones(self.normalized_shape)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        if self.weight is not None:
            nn.init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return rms_norm(input, self.weight, self.eps, tuple(self.normalized_shape))

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class MixedFusedRMSNorm(FusedRMSNorm):
    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, *, memory_efficient: bool = False, **_: Any
    ) -> None:
        super().__init__(normalized_shape, eps)

    def forward(self, input: Tensor) -> Tensor:
        assert self.weight is not None
        return mixed_dtype_fused_rms_norm_affine(input, self.weight, self.normalized_shape, self.eps)
