"""Legacy path: matrix products, convolutions, pooling, normalisation, losses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.legacy import Attributes, Inputs, Meaning, numbers, writes
from jumar.ops.registry import legacy

aten = torch.ops.aten


def _turned(tensor: Tensor, turn: bool) -> Tensor:
    return tensor.transpose(-1, -2) if turn else tensor


def _matmul(x: Inputs, a: Attributes) -> Tensor:
    first = _turned(x[0], bool(a.get("transpose_x1") or a.get("adj_x1")))
    second = _turned(x[1], bool(a.get("transpose_x2") or a.get("adj_x2")))
    product = torch.matmul(first, second)
    return product if len(x) < 3 or x[2] is None else product + x[2]


def _spatial(values: list[int], dims: int) -> list[int]:
    """The last entries: the lists begin with batch and channel."""
    return values[-dims:]


def _geometry(a: Attributes, dims: int) -> tuple[list[int], list[int], list[int]]:
    """Strides, paddings and dilations; the paddings come as (before, after) for each dimension."""
    return _spatial(a["strides"], dims), a["pads"][-2 * dims :: 2], _spatial(a["dilations"], dims)


def _convolution(x: Inputs, a: Attributes) -> Tensor:
    dims = x[0].dim() - 2
    bias = x[2] if len(x) > 2 else None
    result: Tensor = aten.convolution(
        x[0], x[1], bias, *_geometry(a, dims), False, [0] * dims, a.get("groups", 1)
    )
    return result


def _transposed(x: Inputs, a: Attributes) -> Tensor:
    dims = x[1].dim() - 2
    bias = x[3] if len(x) > 3 else None
    extra = _spatial(a["output_padding"], dims)
    result: Tensor = aten.convolution(x[1], x[2], bias, *_geometry(a, dims), True, extra, a.get("groups", 1))
    return result


def _gradient(grad: Tensor, self: Tensor, weight: Tensor, a: Attributes, which: int) -> Tensor:
    dims = grad.dim() - 2
    mask = [which == 0, which == 1, False]
    results = aten.convolution_backward(
        grad, self, weight, None, *_geometry(a, dims), False, [0] * dims, a.get("groups", 1), mask
    )
    result: Tensor = results[which]
    return result


def _input_gradient(x: Inputs, a: Attributes) -> Tensor:
    return _gradient(x[2], x[2].new_empty(numbers(x[0])), x[1], a, 0)


def _filter_gradient(x: Inputs, a: Attributes) -> Tensor:
    return _gradient(x[2], x[0], x[2].new_empty(numbers(x[1])), a, 1)


def _depthwise(a: Attributes, channels: int) -> Attributes:
    return {**a, "groups": channels}


_PRODUCTS: dict[str, Meaning] = {
    "MatMul": _matmul,
    "MatMulV2": _matmul,
    "BatchMatMul": _matmul,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "Conv2DBackpropInput": _input_gradient,
    "Conv3DBackpropInput": _input_gradient,
    "Conv2DBackpropFilter": _filter_gradient,
    "Conv3DBackpropFilter": _filter_gradient,
    "DepthwiseConv2D": lambda x, a: _convolution(
        [x[0], x[1].transpose(0, 1) if x[1].shape[0] == 1 else x[1], *x[2:]], _depthwise(a, x[0].shape[1])
    ),
    "BiasAddGrad": lambda x, a: x[0].sum([dim for dim in range(x[0].dim()) if dim != 1]),
    "MatrixInverse": lambda x, a: torch.linalg.inv(x[0]),
    "LogMatrixDeterminant": lambda x, a: tuple(torch.linalg.slogdet(x[0])),
    "Qr": lambda x, a: tuple(torch.linalg.qr(x[0], "complete" if a["full_matrices"] else "reduced")),
}


def _average(x: Inputs, a: Attributes) -> Tensor:
    kernel, strides, pads = a["ksize"][-2:], a["strides"][-2:], a["pads"][::2]
    divisor = a.get("divisor_override") or None
    result: Tensor = aten.avg_pool2d(x[0], kernel, strides, pads, a["ceil_mode"], not a["exclusive"], divisor)
    return result


_POOLING: dict[str, Meaning] = {
    "AvgPoolV2": _average,
    "AdaptiveAvgPool2d": lambda x, a: functional.adaptive_avg_pool2d(x[0], a["output_size"]),
    "AdaptiveAvgPool2dGrad": lambda x, a: aten._adaptive_avg_pool2d_backward(
        x[0], x[0].new_empty(a["orig_input_shape"])
    ),
    "UpsampleNearest3d": lambda x, a: functional.interpolate(x[0], a["output_size"]),
    "UpsampleTrilinear3d": lambda x, a: aten.upsample_trilinear3d(x[0], a["output_size"], a["align_corners"]),
    "ResizeBilinearV2": lambda x, a: aten.upsample_bilinear2d(x[0], numbers(x[1]), a["align_corners"]),
    "ResizeNearestNeighborV2": lambda x, a: aten.upsample_nearest2d(x[0], numbers(x[1])),
}


def _channels(tensor: Tensor, dims: int) -> Tensor:
    return tensor.float().reshape([1, -1] + [1] * (dims - 2))


def _rest(tensor: Tensor) -> list[int]:
    return [dim for dim in range(tensor.dim()) if dim != 1]


def _batch_norm_reduce(x: Inputs, a: Attributes) -> tuple[Tensor, Tensor]:
    self = x[0].float()
    return self.sum(_rest(self)), (self * self).sum(_rest(self))


def _batch_norm_update(x: Inputs, a: Attributes) -> tuple[Tensor, ...]:
    """y, running mean and variance, and what the batch saves: its mean and its variance."""
    self, total, square, scale, offset, mean, variance = x
    count = self.numel() / self.shape[1]
    batch_mean = total.reshape(-1) / count
    batch_variance = square.reshape(-1) / count - batch_mean**2
    dims = self.dim()
    spread = (_channels(batch_variance, dims) + a["epsilon"]).rsqrt()
    y = (self - _channels(batch_mean, dims)) * spread * _channels(scale, dims) + _channels(offset, dims)
    share, sample = a["factor"], count / max(count - 1, 1)
    return (
        y,
        mean * (1 - share) + batch_mean.reshape(mean.shape) * share,
        variance * (1 - share) + (batch_variance * sample).reshape(variance.shape) * share,
        batch_mean,
        batch_variance,
    )


def _batch_norm_infer(x: Inputs, a: Attributes) -> Tensor:
    self, scale, offset, mean, variance = x
    return functional.batch_norm(self, mean, variance, scale, offset, eps=a["epsilon"])


def _normalized(x: Tensor, mean: Tensor, variance: Tensor, a: Attributes) -> tuple[Tensor, Tensor]:
    spread = (_channels(variance, x.dim()) + a["epsilon"]).rsqrt()
    return (x.float() - _channels(mean, x.dim())) * spread, spread


def _batch_norm_update_grad(x: Inputs, a: Attributes) -> tuple[Tensor, Tensor]:
    grad, self, mean, variance = x
    shares, _ = _normalized(self, mean, variance, a)
    return (grad.float() * shares).sum(_rest(grad)), grad.float().sum(_rest(grad))


def _batch_norm_reduce_grad(x: Inputs, a: Attributes) -> Tensor:
    grad, self, d_scale, d_offset, scale, mean, variance = x
    shares, spread = _normalized(self, mean, variance, a)
    dims, count = self.dim(), self.numel() / self.shape[1]
    inner = grad.float() - _channels(d_offset, dims) / count - shares * _channels(d_scale, dims) / count
    result: Tensor = _channels(scale, dims) * spread * inner
    return result


def _layer_norm(x: Inputs, a: Attributes) -> tuple[Tensor, ...]:
    """y, mean and variance; the third output is 1/sigma in the newer type."""
    sizes = x[0].shape[a["begin_norm_axis"] :]
    y, mean, spread = torch.native_layer_norm(
        x[0], sizes, x[1].reshape(sizes), x[2].reshape(sizes), a["epsilon"]
    )
    return y, mean, spread.float() ** -2 - a["epsilon"]


_NORMALISATION: dict[str, Meaning] = {
    "BNTrainingReduce": _batch_norm_reduce,
    "BN3DTrainingReduce": _batch_norm_reduce,
    "BNTrainingUpdate": _batch_norm_update,
    "BN3DTrainingUpdate": _batch_norm_update,
    "BNInfer": _batch_norm_infer,
    "BNInferGrad": lambda x, a: x[0] * _channels(x[1] * (x[2] + a["epsilon"]).rsqrt(), x[0].dim()),
    "BNTrainingUpdateGrad": _batch_norm_update_grad,
    "BN3DTrainingUpdateGrad": _batch_norm_update_grad,
    "BNTrainingReduceGrad": _batch_norm_reduce_grad,
    "BN3DTrainingReduceGrad": _batch_norm_reduce_grad,
    "LayerNorm": _layer_norm,
    "LayerNormV3": lambda x, a: torch.native_layer_norm(
        x[0], x[0].shape[a["begin_norm_axis"] :], x[1], x[2], a["epsilon"]
    ),
}

_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def _how(a: Attributes) -> int:
    return _REDUCTIONS[a["reduction"]]


_LOSSES: dict[str, Meaning] = {
    "LpLoss": lambda x, a: functional.l1_loss(x[0], x[1], reduction=a["reduction"]),
    "L1LossGrad": lambda x, a: _signed(x, a),
    "MseLoss": lambda x, a: functional.mse_loss(x[0], x[1], reduction=a["reduction"]),
    "MseLossGrad": lambda x, a: aten.mse_loss_backward(x[2], x[0], x[1], _how(a)),
    "SmoothL1LossV2": lambda x, a: aten.smooth_l1_loss(x[0], x[1], _how(a), a["sigma"]),
    "SmoothL1LossGradV2": lambda x, a: aten.smooth_l1_loss_backward(x[2], x[0], x[1], _how(a), a["sigma"]),
    "SoftMarginLoss": lambda x, a: aten.soft_margin_loss(x[0], x[1], _how(a)),
    "SoftMarginLossGrad": lambda x, a: aten.soft_margin_loss_backward(x[2], x[0], x[1], _how(a)),
    "BinaryCrossEntropy": lambda x, a: aten.binary_cross_entropy(x[0], x[1], x[2], _how(a)),
    "BinaryCrossEntropyGrad": lambda x, a: aten.binary_cross_entropy_backward(
        x[2], x[0], x[1], x[3], _how(a)
    ),
    "SigmoidCrossEntropyWithLogitsV2": lambda x, a: aten.binary_cross_entropy_with_logits(*x[:4], _how(a)),
    "NLLLoss": lambda x, a: (aten.nll_loss2d_forward if x[0].dim() == 4 else aten.nll_loss_forward)(
        x[0], x[1].long(), x[2], _how(a), a["ignore_index"]
    ),
    "NLLLossGrad": lambda x, a: (aten.nll_loss2d_backward if x[0].dim() == 4 else aten.nll_loss_backward)(
        x[1], x[0], x[2].long(), x[3], _how(a), a.get("ignore_index", -100), x[4]
    ),
}


def _signed(x: Inputs, a: Attributes) -> Tensor:
    """The gradient of |self - target|."""
    share = x[1].numel() if a["reduction"] == "mean" else 1
    result: Tensor = torch.sign(x[1] - x[2]) * x[0] / share
    return result


_TABLES: Any = (_PRODUCTS, _POOLING, _NORMALISATION, _LOSSES)
for _table in _TABLES:
    for _type, _meaning in _table.items():
        legacy(_type)(writes(_meaning))
