"""Batch normalisation, also in the parts from which SyncBatchNorm puts it together over several chips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.results import LOW_PRECISION, store, store_all, wide
from jumar.ops.rules import normalising, pointwise, reducing
from jumar.physics.work import Work

aten: Any = torch.ops.aten


def _parameters(
    self: Tensor, *given: Tensor | None, saved: tuple[Tensor | None, ...] = ()
) -> list[Tensor | None]:
    """The parameters in the dtype in which CPU PyTorch keeps statistics: that of the input unless one has more bits.

    Statistics that the chip has saved are in float32 always and do not count.
    """
    dtype = self.dtype
    if dtype in LOW_PRECISION and any(tensor is not None and tensor.dtype is not dtype for tensor in given):
        dtype = torch.float32
    return [tensor if tensor is None else tensor.to(dtype) for tensor in (*given, *saved)]


def batch_norm_work(*arguments: Any) -> Work:
    """Training goes over the input twice: statistics of a channel are known only after all of it."""
    training = bool(arguments[5])
    return normalising(5, outs=3, launches=1 + training, again=int(training))(*arguments)


def batch_norm_backward_work(*arguments: Any) -> Work:
    """Sums over each channel first, then the gradient of the input from the same two tensors."""
    training = bool(arguments[7])
    return normalising(10, outs=3, launches=2, again=2 if training else 0)(*arguments)


@op("aclnnBatchNorm", work=batch_norm_work)
def batch_norm(
    self: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    out: Tensor,
    save_mean: Tensor,
    save_invstd: Tensor,
) -> None:
    """Evaluation leaves the saved statistics alone: its derivative uses the running ones."""
    weight, bias, mean, var = _parameters(self, weight, bias, running_mean, running_var)
    value, batch_mean, batch_invstd = aten.native_batch_norm(
        self, weight, bias, mean, var, training, momentum, eps
    )
    store(out, value)
    if not training:
        return
    store_all((save_mean, save_invstd), (batch_mean, batch_invstd))
    for original, updated in ((running_mean, mean), (running_var, var)):
        if original is not updated and updated is not None:
            store(original, updated)


@op("aclnnBatchNormBackward", work=batch_norm_backward_work)
def batch_norm_backward(
    grad: Tensor,
    self: Tensor,
    weight: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    save_mean: Tensor | None,
    save_invstd: Tensor | None,
    training: bool,
    eps: float,
    mask: list[bool],
    grad_self: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    saved = (save_mean, save_invstd)
    parameters = _parameters(self, weight, running_mean, running_var, saved=saved)
    values = aten.native_batch_norm_backward(grad, self, *parameters, training, eps, mask)
    store_all((grad_self, grad_weight, grad_bias), values)


def _others(self: Tensor) -> list[int]:
    return [0, *range(2, self.dim())]


def _by_channel(parameter: Tensor, self: Tensor) -> Tensor:
    channel: Tensor = wide(parameter).view(1, -1, *[1] * (self.dim() - 2))
    return channel


def _update_running(running: Tensor | None, value: Tensor, momentum: float) -> None:
    if running is not None:
        store(running, (1 - momentum) * wide(running) + momentum * value)


@op("aclnnBatchNormStats", work=reducing(4, outs=2))
def batch_norm_stats(self: Tensor, eps: float, mean: Tensor, invstd: Tensor) -> None:
    var, average = torch.var_mean(wide(self), _others(self), correction=0)
    store(mean, average)
    store(invstd, torch.rsqrt(var + eps))


@op("aclnnBatchNormElemt", work=pointwise(4))
def batch_norm_elemt(
    self: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    invstd: Tensor,
    eps: float,
    out: Tensor,
) -> None:
    value = (wide(self) - _by_channel(mean, self)) * _by_channel(invstd, self)
    if weight is not None:
        value = value * _by_channel(weight, self)
    if bias is not None:
        value = value + _by_channel(bias, self)
    store(out, value)


@op("aclnnBatchNormGatherStatsWithCounts", work=reducing(6, 1, outs=2))
def batch_norm_gather_stats(
    self: Tensor,
    mean: Tensor,
    invstd: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    eps: float,
    counts: Tensor,
    out_mean: Tensor,
    out_invstd: Tensor,
) -> None:
    """Statistics of all chips from those of each, rows of `mean` and `invstd` over `counts` elements."""
    weights = (counts.float() / counts.float().sum()).view(-1, 1)
    average = (wide(mean) * weights).sum(0)
    variances = wide(invstd).pow(-2) - eps
    variance = ((variances + (wide(mean) - average) ** 2) * weights).sum(0)
    store(out_mean, average)
    store(out_invstd, torch.rsqrt(variance + eps))
    total = float(counts.sum())
    _update_running(running_mean, average, momentum)
    _update_running(running_var, variance * (total / max(total - 1, 1)), momentum)


@op("aclnnBatchNormReduceBackward", work=reducing(4, outs=4))
def batch_norm_reduce_backward(
    grad: Tensor,
    self: Tensor,
    mean: Tensor,
    invstd: Tensor,
    weight: Tensor | None,
    input_wanted: bool,
    weight_wanted: bool,
    bias_wanted: bool,
    sum_dy: Tensor | None,
    sum_dy_xmu: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    total = wide(grad).sum(_others(self))
    centred = (wide(grad) * (wide(self) - _by_channel(mean, self))).sum(_others(self))
    if input_wanted:
        store_all((sum_dy, sum_dy_xmu), (total, centred))
    if weight_wanted:
        store(grad_weight, centred * wide(invstd))
    if bias_wanted:
        store(grad_bias, total)


@op("aclnnBatchNormElemtBackward", work=pointwise(8))
def batch_norm_elemt_backward(
    grad: Tensor,
    self: Tensor,
    mean: Tensor,
    invstd: Tensor,
    weight: Tensor | None,
    sum_dy: Tensor,
    sum_dy_xmu: Tensor,
    counts: Tensor,
    out: Tensor,
) -> None:
    total = counts.float().sum()
    centred = wide(self) - _by_channel(mean, self)
    slope = _by_channel(wide(sum_dy_xmu) * wide(invstd) ** 2 / total, self)
    value = (wide(grad) - _by_channel(wide(sum_dy) / total, self) - centred * slope) * _by_channel(
        invstd, self
    )
    store(out, value if weight is None else value * _by_channel(weight, self))


@op("aclnnBatchNormReduce", work=reducing(3, outs=2))
def batch_norm_reduce(self: Tensor, total: Tensor, square_total: Tensor) -> None:
    value = wide(self)
    store(total, value.sum(_others(self)))
    store(square_total, value.square().sum(_others(self)))


@op("aclnnSyncBatchNormGatherStats", work=reducing(6, 1, outs=2))
def sync_batch_norm_gather_stats(
    total: Tensor,
    square_total: Tensor,
    counts: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    eps: float,
    out_mean: Tensor,
    out_invstd: Tensor,
) -> None:
    count = counts.float().sum()
    average = wide(total).sum(0) / count
    variance = (wide(square_total).sum(0) / count - average**2).clamp(min=0)
    store(out_mean, average)
    store(out_invstd, torch.rsqrt(variance + eps))
    _update_running(running_mean, average, momentum)
    _update_running(running_var, variance * (count / (count - 1).clamp(min=1)), momentum)
