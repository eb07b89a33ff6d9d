"""Layer and group normalisation. The chip keeps means and reciprocal deviations of 16-bit inputs in float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.registry import op
from jumar.ops.results import LOW_PRECISION, store, store_all, wide
from jumar.ops.rules import normalising

aten: Any = torch.ops.aten


def _float_parameters(
    self: Tensor, sizes: list[int], weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor | None, Tensor | None]:
    """With float32 parameters CPU PyTorch keeps the statistics of a 16-bit input in float32; results are the same."""
    if self.dtype not in LOW_PRECISION:
        return weight, bias
    weight = torch.ones(sizes) if weight is None else weight.float()
    return weight, torch.zeros(sizes) if bias is None else bias.float()


@op("aclnnLayerNorm", "aclnnFastLayerNorm", work=normalising(5, outs=3))
def layer_norm(
    self: Tensor,
    sizes: list[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    out: Tensor,
    mean: Tensor | None,
    rstd: Tensor | None,
) -> None:
    weight, bias = _float_parameters(self, sizes, weight, bias)
    if mean is not None and rstd is not None and out.is_contiguous() and self.numel():
        aten.native_layer_norm.out(self, sizes, weight, bias, eps, out0=out, out1=mean, out2=rstd)
    else:
        store_all((out, mean, rstd), aten.native_layer_norm(self, sizes, weight, bias, eps))


@op("aclnnLayerNormBackward", work=normalising(10, outs=3, launches=2))
def layer_norm_backward(
    grad: Tensor,
    self: Tensor,
    sizes: list[int],
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mask: list[bool],
    grad_self: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    """CPU PyTorch rounds the statistics to 16 bits where the parameters have 16 bits too."""
    if weight is None or weight.dtype is self.dtype:
        mean, rstd = mean.to(self.dtype), rstd.to(self.dtype)
    else:
        weight, bias = _float_parameters(self, sizes, weight, bias)
    values = aten.native_layer_norm_backward(grad, self, sizes, mean, rstd, weight, bias, mask)
    store_all((grad_self, grad_weight, grad_bias), values)


@op("aclnnGroupNorm", work=normalising(5, outs=3))
def group_norm(
    self: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    batch: int,
    channels: int,
    spatial: int,
    groups: int,
    eps: float,
    out: Tensor,
    mean: Tensor,
    rstd: Tensor,
) -> None:
    values = aten.native_group_norm(self.contiguous(), weight, bias, batch, channels, spatial, groups, eps)
    store_all((out, mean, rstd), values)


@op("aclnnGroupNormBackward", work=normalising(10, outs=3, launches=2))
def group_norm_backward(
    grad: Tensor,
    self: Tensor,
    mean: Tensor,
    rstd: Tensor,
    weight: Tensor | None,
    batch: int,
    channels: int,
    spatial: int,
    groups: int,
    mask: list[bool],
    grad_self: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    values = aten.native_group_norm_backward(
        grad.contiguous(),
        self.contiguous(),
        mean.contiguous(),
        rstd.contiguous(),
        weight,
        batch,
        channels,
        spatial,
        groups,
        mask,
    )
    store_all((grad_self, grad_weight, grad_bias), values)


def _group_statistics(self: Tensor, groups: int, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """The input by groups in float32, normalised, with the mean and reciprocal deviation of each group."""
    grouped = wide(self).reshape(self.shape[0], groups, -1)
    mean = grouped.mean(-1)
    rstd = torch.rsqrt(grouped.var(-1, correction=0) + eps)
    normal = (grouped - mean[..., None]) * rstd[..., None]
    return normal.reshape(self.shape), mean, rstd


def _by_channel(parameter: Tensor, self: Tensor) -> Tensor:
    channel: Tensor = wide(parameter).view(1, -1, *[1] * (self.dim() - 2))
    return channel


def _affine(normal: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        normal = normal * _by_channel(weight, normal)
    return normal if bias is None else normal + _by_channel(bias, normal)


@op("aclnnGroupNormSilu", work=normalising(7, 1, outs=3))
def group_norm_silu(
    self: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    groups: int,
    eps: float,
    out: Tensor,
    mean: Tensor,
    rstd: Tensor,
) -> None:
    normal, *statistics = _group_statistics(self, groups, eps)
    store_all((out, mean, rstd), (functional.silu(_affine(normal, weight, bias)), *statistics))


@op("aclnnGroupNormSwish", work=normalising(7, 1, outs=3))
def group_norm_swish(
    self: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    groups: int,
    data_format: str,
    eps: float,
    activate: bool,
    scale: float,
    out: Tensor,
    mean: Tensor,
    rstd: Tensor,
) -> None:
    normal, *statistics = _group_statistics(self, groups, eps)
    value = _affine(normal, weight, bias)
    if activate:
        value = value * torch.sigmoid(scale * value)
    store_all((out, mean, rstd), (value, *statistics))


@op("aclnnGroupNormSwishGrad", work=normalising(14, 1, outs=3, launches=2))
def group_norm_swish_backward(
    grad: Tensor,
    mean: Tensor,
    rstd: Tensor,
    self: Tensor,
    weight: Tensor,
    bias: Tensor,
    groups: int,
    data_format: str,
    scale: float,
    weight_wanted: bool,
    bias_wanted: bool,
    grad_self: Tensor,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    sizes = (self.shape[0], groups, -1)
    grouped = wide(self).reshape(sizes)
    normal = ((grouped - wide(mean)[..., None]) * wide(rstd)[..., None]).reshape(self.shape)
    value = _affine(normal, weight, bias)
    gate = torch.sigmoid(scale * value)
    to_value = wide(grad) * gate * (1 + scale * value * (1 - gate))
    others = [0, *range(2, self.dim())]
    if weight_wanted:
        store(grad_weight, (to_value * normal).sum(others))
    if bias_wanted:
        store(grad_bias, to_value.sum(others))
    to_normal = (to_value * _by_channel(weight, self)).reshape(sizes)
    normal = normal.reshape(sizes)
    mixed = to_normal - to_normal.mean(-1, True) - normal * (to_normal * normal).mean(-1, True)
    store(grad_self, mixed * wide(rstd)[..., None])
