"""Activation functions and their derivatives. Sigmoid and tanh themselves are among the pointwise operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.registry import op, rows
from jumar.ops.results import store, wide
from jumar.ops.rules import each, each_in_place, pointwise

aten: Any = torch.ops.aten


def _into(function: Callable[..., Any]) -> Callable[..., None]:
    """Inputs in PyTorch's order, then the output."""

    def run(*arguments: Any) -> None:
        function(*arguments[:-1], out=arguments[-1])

    return run


def _in_place(function: Callable[..., Any]) -> Callable[..., None]:
    def run(self: Tensor, *arguments: Any) -> None:
        function(self, *arguments, out=self)

    return run


def _derivative(function: Callable[..., Any]) -> Callable[..., None]:
    def run(*arguments: Any) -> None:
        function(*arguments[:-1], grad_input=arguments[-1])

    return run


def relu(self: Tensor, out: Tensor) -> None:
    torch.clamp_min(self, 0, out=out)


def celu(self: Tensor, alpha: float, out: Tensor) -> None:
    aten.elu.out(self, alpha, 1.0, 1.0 / alpha, out=out)


rows(
    _into,
    {
        "aclnnRelu": relu,
        "aclnnElu": aten.elu.out,
        "aclnnCelu": celu,
        "aclnnGelu": aten.gelu.out,
        "aclnnGlu": aten.glu.out,
        "aclnnHardshrink": aten.hardshrink.out,
        "aclnnHardsigmoid": aten.hardsigmoid.out,
        "aclnnHardswish": aten.hardswish.out,
        "aclnnHardtanh": aten.hardtanh.out,
        "aclnnLeakyRelu": aten.leaky_relu.out,
        "aclnnLogSigmoid": aten.log_sigmoid.out,
        "aclnnMish": aten.mish.out,
        "aclnnSilu": aten.silu.out,
        "aclnnSoftplus": aten.softplus.out,
        "aclnnSoftshrink": aten.softshrink.out,
        "aclnnThreshold": aten.threshold.out,
    },
    work=each,
)

rows(
    _in_place,
    {
        "aclnnInplaceRelu": relu,
        "aclnnInplaceElu": aten.elu.out,
        "aclnnInplaceCelu": celu,
        "aclnnInplaceHardsigmoid": aten.hardsigmoid.out,
        "aclnnInplaceHardswish": aten.hardswish.out,
        "aclnnInplaceHardtanh": aten.hardtanh.out,
        "aclnnInplaceLeakyRelu": aten.leaky_relu.out,
        "aclnnInplaceMish": aten.mish.out,
        "aclnnInplaceThreshold": aten.threshold.out,
    },
    work=each_in_place,
)

rows(
    _derivative,
    {
        "aclnnEluBackward": aten.elu_backward.grad_input,
        "aclnnGeluBackward": aten.gelu_backward.grad_input,
        "aclnnGluBackward": aten.glu_backward.grad_input,
        "aclnnHardshrinkBackward": aten.hardshrink_backward.grad_input,
        "aclnnHardsigmoidBackward": aten.hardsigmoid_backward.grad_input,
        "aclnnHardtanhBackward": aten.hardtanh_backward.grad_input,
        "aclnnLeakyReluBackward": aten.leaky_relu_backward.grad_input,
        "aclnnSiluBackward": aten.silu_backward.grad_input,
        "aclnnSoftplusBackward": aten.softplus_backward.grad_input,
        "aclnnSoftshrinkBackward": aten.softshrink_backward.grad_input,
        "aclnnThresholdBackward": aten.threshold_backward.grad_input,
    },
    work=each,
)

rows(
    _into,
    {
        "aclnnHardswishBackward": aten.hardswish_backward.out,
        "aclnnHardswishBackwardV2": aten.hardswish_backward.out,
    },
    work=each,
)

_GELU = ("none", "tanh")


@op("aclnnGeluV2", work=pointwise(8, 1))
def gelu(self: Tensor, approximate: int, out: Tensor) -> None:
    aten.gelu.out(self, approximate=_GELU[approximate], out=out)


@op("aclnnGeluBackwardV2", work=pointwise(12, 2))
def gelu_backward(grad: Tensor, self: Tensor, approximate: str, grad_input: Tensor) -> None:
    aten.gelu_backward.grad_input(grad, self, approximate=approximate, grad_input=grad_input)


@op("aclnnLogSigmoidForward", work=pointwise(1, 1, outs=2))
def log_sigmoid(self: Tensor, out: Tensor, buffer: Tensor) -> None:
    """The adapter's buffer is empty, so the derivative makes its own."""
    aten.log_sigmoid.out(self, out=out)


@op("aclnnLogSigmoidBackward", work=pointwise(3, 1))
def log_sigmoid_backward(grad: Tensor, self: Tensor, buffer: Tensor, grad_input: Tensor) -> None:
    _, buffer = aten.log_sigmoid_forward(self)
    aten.log_sigmoid_backward.grad_input(grad, self, buffer, grad_input=grad_input)


@op("aclnnMishBackward", work=pointwise(6, 2))
def mish_backward(grad: Tensor, self: Tensor, grad_input: Tensor) -> None:
    store(grad_input, aten.mish_backward(grad, self))


@op("aclnnPrelu", work=pointwise(2))
def prelu(self: Tensor, weight: Tensor, out: Tensor) -> None:
    store(out, aten._prelu_kernel(self, weight))


@op("aclnnPreluBackward", work=pointwise(3, outs=2))
def prelu_backward(
    grad: Tensor, self: Tensor, weight: Tensor, grad_input: Tensor, grad_weight: Tensor
) -> None:
    """The weight arrives flat, one number or one for each channel; its derivative is summed to that."""
    dimensions = self.dim()
    sizes = [1] * dimensions
    if weight.numel() > 1:
        sizes[1] = weight.numel()
    to_self, to_weight = aten._prelu_kernel_backward(grad, self, weight.view(sizes))
    store(grad_input, to_self)
    store(grad_weight, to_weight.sum_to_size(sizes))


@op("aclnnFastGelu", work=pointwise(2, 1))
def fast_gelu(self: Tensor, out: Tensor) -> None:
    value = wide(self)
    store(out, value * torch.sigmoid(1.702 * value))


@op("aclnnFastGeluBackward", work=pointwise(5, 1))
def fast_gelu_backward(grad: Tensor, self: Tensor, grad_input: Tensor) -> None:
    value = wide(self)
    gate = torch.sigmoid(1.702 * value)
    store(grad_input, wide(grad) * gate * (1 + 1.702 * value * (1 - gate)))


@op("aclnnSwiGlu", work=pointwise(2, 0.5))
def swiglu(self: Tensor, dim: int, out: Tensor) -> None:
    left, right = wide(self).chunk(2, dim)
    store(out, functional.silu(left) * right)


@op("aclnnSwiGluGrad", work=pointwise(4, 0.5))
def swiglu_backward(grad: Tensor, self: Tensor, dim: int, grad_input: Tensor) -> None:
    left, right = wide(self).chunk(2, dim)
    to_left, to_right = grad_input.chunk(2, dim)
    gradient = wide(grad)
    store(to_left, aten.silu_backward(gradient * right, left))
    store(to_right, gradient * functional.silu(left))


@op("aclnnGeGluV3", work=pointwise(4, 0.5, outs=2))
def geglu(
    self: Tensor, dim: int, approximate: int, activate_left: bool, out: Tensor, out_gelu: Tensor
) -> None:
    linear, gate = self.chunk(2, dim)[:: -1 if activate_left else 1]
    activated = functional.gelu(wide(gate), approximate=_GELU[approximate])
    store(out_gelu, activated)
    store(out, wide(linear) * activated)


@op("aclnnGeGluV3Backward", work=pointwise(7, 1))
def geglu_backward(
    grad: Tensor,
    self: Tensor,
    gelu_result: Tensor,
    dim: int,
    approximate: int,
    activate_left: bool,
    grad_input: Tensor,
) -> None:
    order = -1 if activate_left else 1
    linear, gate = self.chunk(2, dim)[::order]
    to_linear, to_gate = grad_input.chunk(2, dim)[::order]
    gradient = wide(grad)
    store(to_linear, gradient * wide(gelu_result))
    to_activated = gradient * wide(linear)
    store(to_gate, aten.gelu_backward(to_activated, wide(gate), approximate=_GELU[approximate]))


@op("aclnnGeluMul", work=pointwise(4, 0.5))
def gelu_mul(self: Tensor, approximate: str, out: Tensor) -> None:
    gate, linear = wide(self).chunk(2, -1)
    store(out, functional.gelu(gate, approximate=approximate) * linear)


@op("aclnnClippedSwiglu", work=pointwise(3, 0.5))
def clipped_swiglu(
    self: Tensor,
    group_index: Tensor | None,
    dim: int,
    alpha: float,
    limit: float,
    bias: float,
    interleaved: bool,
    out: Tensor,
) -> None:
    """Gate times linear part plus `bias`, both clipped at `limit`; only the rows counted by `group_index`."""
    flat = wide(self).flatten(0, dim - 1) if dim % self.dim() else wide(self)[None]
    flat = flat.flatten(1)
    gate, linear = (flat[:, ::2], flat[:, 1::2]) if interleaved else flat.chunk(2, 1)
    gate = gate.clamp(max=limit)
    value = gate * torch.sigmoid(alpha * gate) * (linear.clamp(-limit, limit) + bias)
    if group_index is not None:
        value[int(group_index.sum()) :] = 0
    store(out, value)
