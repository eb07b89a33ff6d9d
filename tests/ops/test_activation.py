"""Activation operators against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call, gradients

# operator, arguments between the input and the output, the same function in PyTorch
FORWARD: tuple[tuple[str, tuple[Any, ...], Callable[[Tensor], Tensor]], ...] = (
    ("Relu", (), torch.relu),
    ("Elu", (1.3, 1.1, 0.9), lambda x: torch.ops.aten.elu(x, 1.3, 1.1, 0.9)),
    ("Celu", (1.3,), lambda x: F.celu(x, 1.3)),
    ("Gelu", (), F.gelu),
    ("GeluV2", (0,), F.gelu),
    ("GeluV2", (1,), lambda x: F.gelu(x, approximate="tanh")),
    ("Glu", (-1,), F.glu),
    ("Glu", (1,), lambda x: F.glu(x, 1)),
    ("Hardshrink", (0.4,), lambda x: F.hardshrink(x, 0.4)),
    ("Hardsigmoid", (), F.hardsigmoid),
    ("Hardswish", (), F.hardswish),
    ("Hardtanh", (-0.5, 0.7), lambda x: F.hardtanh(x, -0.5, 0.7)),
    ("LeakyRelu", (0.2,), lambda x: F.leaky_relu(x, 0.2)),
    ("LogSigmoid", (), F.logsigmoid),
    ("Mish", (), F.mish),
    ("Silu", (), F.silu),
    ("Softplus", (2, 1), lambda x: F.softplus(x, 2, 1)),
    ("Softshrink", (0.4,), lambda x: F.softshrink(x, 0.4)),
    ("Threshold", (0.1, 3), lambda x: F.threshold(x, 0.1, 3)),
)

BACKWARD: tuple[tuple[str, tuple[Any, ...], Callable[[Tensor], Tensor]], ...] = (
    ("GeluBackward", (), F.gelu),
    ("GeluBackwardV2", ("none",), F.gelu),
    ("GeluBackwardV2", ("tanh",), lambda x: F.gelu(x, approximate="tanh")),
    ("GluBackward", (1,), lambda x: F.glu(x, 1)),
    ("HardshrinkBackward", (0.4,), lambda x: F.hardshrink(x, 0.4)),
    ("HardsigmoidBackward", (), F.hardsigmoid),
    ("HardswishBackward", (), F.hardswish),
    ("HardswishBackwardV2", (), F.hardswish),
    ("HardtanhBackward", (-0.5, 0.7), lambda x: F.hardtanh(x, -0.5, 0.7)),
    ("LeakyReluBackward", (0.2, False), lambda x: F.leaky_relu(x, 0.2)),
    ("LogSigmoidBackward", (torch.empty(0),), F.logsigmoid),
    ("MishBackward", (), F.mish),
    ("SiluBackward", (), F.silu),
    ("SoftplusBackward", (2, 1), lambda x: F.softplus(x, 2, 1)),
    ("SoftshrinkBackward", (0.4,), lambda x: F.softshrink(x, 0.4)),
    ("ThresholdBackward", (0.0,), torch.relu),
)

IN_PLACE: tuple[tuple[str, tuple[Any, ...], Callable[[Tensor], Tensor]], ...] = (
    ("InplaceRelu", (), torch.relu),
    ("InplaceElu", (1.3, 1.1, 0.9), lambda x: torch.ops.aten.elu(x, 1.3, 1.1, 0.9)),
    ("InplaceCelu", (1.3,), lambda x: F.celu(x, 1.3)),
    ("InplaceHardsigmoid", (), F.hardsigmoid),
    ("InplaceHardswish", (), F.hardswish),
    ("InplaceHardtanh", (-0.5, 0.7), lambda x: F.hardtanh(x, -0.5, 0.7)),
    ("InplaceLeakyRelu", (0.2,), lambda x: F.leaky_relu(x, 0.2)),
    ("InplaceMish", (), F.mish),
    ("InplaceThreshold", (0.1, 3), lambda x: F.threshold(x, 0.1, 3)),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "arguments", "reference"), FORWARD)
def test_forward(name: str, arguments: Any, reference: Any, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(5, 6, 8, dtype=dtype) * 2)
    wanted = reference(self)
    out = blank(wanted, layout)
    call(f"aclnn{name}", self, *arguments, out)
    assert_same(out, wanted, name)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "arguments", "reference"), BACKWARD)
def test_backward(name: str, arguments: Any, reference: Any, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(5, 6, 8, dtype=dtype) * 2)
    _, grad, (wanted,) = gradients(reference, [self])
    out = blank(wanted, layout)
    call(f"aclnn{name}", layout(grad), self, *arguments, out)
    assert_same(out, wanted, name)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "arguments", "reference"), IN_PLACE)
def test_in_place(name: str, arguments: Any, reference: Any, layout: Any) -> None:
    self = layout(torch.randn(5, 6, 8) * 2)
    wanted = reference(self)
    call(f"aclnn{name}", self, *arguments)
    assert_same(self, wanted, name)


@pytest.mark.parametrize("from_result", (False, True))
def test_elu_backward(from_result: bool) -> None:
    self = torch.randn(5, 7)
    result, grad, (wanted,) = gradients(F.elu, [self])
    out = blank(wanted)
    call("aclnnEluBackward", grad, 1, 1, 1, from_result, result if from_result else self, out)
    assert_near(out, wanted)


@pytest.mark.parametrize("channels", (1, 4))
def test_prelu(channels: int) -> None:
    self, weight = torch.randn(3, 4, 5), torch.rand(channels)
    wanted, grad, (to_self, to_weight) = gradients(F.prelu, [self, weight])
    out, grad_self, grad_weight = blank(wanted), blank(to_self), blank(to_weight)
    call("aclnnPrelu", self, weight.view(1, channels, 1), out)
    call("aclnnPreluBackward", grad, self, weight, grad_self, grad_weight)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)
    assert_near(grad_weight, to_weight)


def _swiglu(x: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return F.silu(left) * right


def _geglu(x: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return left * F.gelu(right, approximate="tanh")


def _fast_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("forward", "backward", "reference"),
    (
        (("SwiGlu", (-1,)), ("SwiGluGrad", (-1,)), _swiglu),
        (("FastGelu", ()), ("FastGeluBackward", ()), _fast_gelu),
        (("GeluMul", ("none",)), None, lambda x: F.gelu(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1]),
    ),
)
def test_fused(forward: Any, backward: Any, reference: Any, dtype: torch.dtype) -> None:
    self = torch.randn(4, 3, 8, dtype=dtype)
    wanted, grad, (to_self,) = gradients(reference, [self.float()])
    out, grad_self = blank(wanted.to(dtype)), blank(self)
    call(f"aclnn{forward[0]}", self, *forward[1], out)
    assert_near(out, wanted)
    if backward:
        call(f"aclnn{backward[0]}", grad, self, *backward[1], grad_self)
        assert_near(grad_self, to_self)


@pytest.mark.parametrize("activate_left", (False, True))
def test_geglu(activate_left: bool) -> None:
    self = torch.randn(4, 3, 8)
    reference = (lambda x: _geglu(x.roll(4, -1))) if activate_left else _geglu
    wanted, grad, (to_self,) = gradients(reference, [self])
    out, activated, grad_self = blank(wanted), blank(wanted), blank(self)
    call("aclnnGeGluV3", self, -1, 1, activate_left, out, activated)
    call("aclnnGeGluV3Backward", grad, self, activated, -1, 1, activate_left, grad_self)
    assert_near(out, wanted)
    assert_near(grad_self, to_self)
