"""Normalisations that only the vendor has: by the root mean square, and those fused with a residual addition."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import normalising
from jumar.physics.work import Work

aten: Any = torch.ops.aten


def _dims(gamma: Tensor) -> list[int]:
    return list(range(-gamma.dim(), 0))


def _rms_norm(value: Tensor, gamma: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    rstd = torch.rsqrt(value.pow(2).mean(_dims(gamma), True) + eps)
    return value * rstd * wide(gamma), rstd


@op("aclnnRmsNorm", work=normalising(5, outs=2))
def rms_norm(self: Tensor, gamma: Tensor, eps: float, out: Tensor, rstd: Tensor) -> None:
    store_all((out, rstd), _rms_norm(wide(self), gamma, eps))


@op("aclnnGemmaRmsNorm", work=normalising(5, outs=2))
def gemma_rms_norm(self: Tensor, gamma: Tensor, eps: float, out: Tensor, rstd: Tensor) -> None:
    store_all((out, rstd), _rms_norm(wide(self), wide(gamma) + 1, eps))


@op("aclnnRmsNormGrad", work=normalising(10, outs=2, launches=2))
def rms_norm_backward(
    grad: Tensor, self: Tensor, rstd: Tensor, gamma: Tensor, grad_self: Tensor, grad_gamma: Tensor
) -> None:
    normal, gradient = wide(self) * rstd, wide(grad)
    to_normal = gradient * wide(gamma)
    store(grad_self, (to_normal - normal * (to_normal * normal).mean(_dims(gamma), True)) * rstd)
    store(grad_gamma, (gradient * normal).sum_to_size(gamma.shape))


@op("aclnnAddRmsNorm", work=normalising(6, outs=3))
def add_rms_norm(
    one: Tensor, two: Tensor, gamma: Tensor, eps: float, out: Tensor, rstd: Tensor | None, total: Tensor
) -> None:
    value = wide(one) + wide(two)
    store_all((out, rstd, total), (*_rms_norm(value, gamma, eps), value))


def _add_in_place_work(one: Operand, two: Operand, gamma: Operand, eps: float, rstd: Operand | None) -> Work:
    return normalising(6, outs=3)(one, two, gamma, eps, one, rstd, two)


@op("aclnnInplaceAddRmsNorm", work=_add_in_place_work)
def add_rms_norm_(one: Tensor, two: Tensor, gamma: Tensor, eps: float, rstd: Tensor | None) -> None:
    """The normalised sum replaces the first summand, the sum itself the second."""
    add_rms_norm(one, two, gamma, eps, one, rstd, two)


@op("aclnnAddRmsNormCast", work=normalising(6, outs=4))
def add_rms_norm_cast(
    one: Tensor,
    two: Tensor,
    gamma: Tensor,
    eps: float,
    out_wide: Tensor,
    out: Tensor,
    rstd: Tensor | None,
    total: Tensor,
) -> None:
    value = wide(one) + wide(two)
    normal, reciprocal = _rms_norm(value, gamma, eps)
    store_all((out_wide, out, rstd, total), (normal, normal, reciprocal, value))


def _layer_norm_backward(
    grad: Tensor, value: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    sizes = list(gamma.shape)
    zeros = torch.zeros(sizes)
    mask = [True, True, True]
    shape = [*value.shape[: value.dim() - len(sizes)], *[1] * len(sizes)]
    values: tuple[Tensor, Tensor, Tensor] = aten.native_layer_norm_backward(
        wide(grad), value, sizes, mean.reshape(shape), rstd.reshape(shape), wide(gamma), zeros, mask
    )
    return values


@op("aclnnAddLayerNorm", work=normalising(6, outs=4))
def add_layer_norm(
    one: Tensor,
    two: Tensor,
    gamma: Tensor,
    beta: Tensor,
    bias: Tensor | None,
    eps: float,
    sum_wanted: bool,
    out: Tensor,
    mean: Tensor,
    rstd: Tensor,
    total: Tensor | None,
) -> None:
    value = wide(one) + wide(two)
    if bias is not None:
        value = value + wide(bias)
    values = aten.native_layer_norm(value, list(gamma.shape), wide(gamma), wide(beta), eps)
    store_all((out, mean, rstd), values)
    if sum_wanted:
        store(total, value)


@op("aclnnAddLayerNormGrad", work=normalising(12, outs=3, launches=2))
def add_layer_norm_backward(
    grad: Tensor,
    one: Tensor,
    two: Tensor,
    rstd: Tensor,
    mean: Tensor,
    gamma: Tensor,
    grad_sum: Tensor | None,
    grad_self: Tensor,
    grad_gamma: Tensor,
    grad_beta: Tensor,
) -> None:
    to_sum, to_gamma, to_beta = _layer_norm_backward(grad, wide(one) + wide(two), mean, rstd, gamma)
    if grad_sum is not None:
        to_sum = to_sum + wide(grad_sum)
    store_all((grad_self, grad_gamma, grad_beta), (to_sum, to_gamma, to_beta))


@op("aclnnDeepNorm", work=normalising(6, outs=3))
def deep_norm(
    self: Tensor,
    residual: Tensor,
    beta: Tensor,
    gamma: Tensor,
    alpha: float,
    eps: float,
    mean: Tensor,
    rstd: Tensor,
    out: Tensor,
) -> None:
    value = wide(self) * alpha + wide(residual)
    values = aten.native_layer_norm(value, list(gamma.shape), wide(gamma), wide(beta), eps)
    store_all((out, mean, rstd), values)


@op("aclnnDeepNormGrad", work=normalising(12, outs=4, launches=2))
def deep_norm_backward(
    grad: Tensor,
    self: Tensor,
    residual: Tensor,
    gamma: Tensor,
    mean: Tensor,
    rstd: Tensor,
    alpha: float,
    grad_self: Tensor,
    grad_residual: Tensor,
    grad_beta: Tensor,
    grad_gamma: Tensor,
) -> None:
    value = wide(self) * alpha + wide(residual)
    to_sum, to_gamma, to_beta = _layer_norm_backward(grad, value, mean, rstd, gamma)
    store_all((grad_self, grad_residual, grad_beta, grad_gamma), (to_sum * alpha, to_sum, to_beta, to_gamma))
