"""Legacy path: pointwise arithmetic, activations and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.legacy import Attributes, Inputs, Meaning, writes
from jumar.ops.registry import legacy

aten = torch.ops.aten

# Types called like PyTorch's function, with the same arguments.
_SAME_NAME = """
    Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Erfc Erfinv Exp Expm1 Floor Log1p Neg Reciprocal
    Relu Rsqrt Selu Sigmoid Sign Sin Sinh Sqrt Square Tan Tanh Trunc
    Add Atan2 Dot Greater Lerp Less Maximum Minimum Mul Pow Sub Xlogy
"""

# Types that are a PyTorch function of all their inputs, in order.
_PLAIN: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name.lower()) for name in _SAME_NAME.split()},
    "Gelu": functional.gelu,
    "Mish": functional.mish,
    "HardSwish": functional.hardswish,
    "HardSigmoid": functional.hardsigmoid,
    "LogSigmoid": functional.logsigmoid,
    "IsFinite": torch.isfinite,
    "Invert": torch.bitwise_not,
    "LogicalNot": torch.logical_not,
    "LogicalAnd": torch.logical_and,
    "LogicalOr": torch.logical_or,
    "BitwiseAnd": torch.bitwise_and,
    "BitwiseOr": torch.bitwise_or,
    "BitwiseXor": torch.bitwise_xor,
    "LeftShift": torch.bitwise_left_shift,
    "RightShift": torch.bitwise_right_shift,
    "RealDiv": torch.div,
    "FloorDiv": torch.floor_divide,
    "FloorMod": torch.remainder,
    "Mod": torch.fmod,
    "Equal": torch.eq,
    "NotEqual": torch.ne,
    "GreaterEqual": torch.ge,
    "LessEqual": torch.le,
    "ClipByValue": torch.clamp,
    "ClipByValueV2": torch.clamp,
    "PRelu": torch.prelu,
    "SiluGrad": aten.silu_backward,
    "MishGrad": aten.mish_backward,
    "HardSwishGrad": aten.hardswish_backward,
    "HardSigmoidGrad": aten.hardsigmoid_backward,
    "PReluGrad": aten._prelu_kernel_backward,
}

_FAST_GELU = 1.702
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

_LOGARITHMS = {-1.0: torch.log, 2.0: torch.log2, 10.0: torch.log10}


def _fast_gelu_grad(x: Inputs, attributes: Attributes) -> Tensor:
    grad, self = x[0].float(), x[1].float()
    share: Tensor = torch.sigmoid(_FAST_GELU * self)
    result: Tensor = grad * share * (1 + _FAST_GELU * self * (1 - share))
    return result


def _elu(a: Attributes) -> tuple[float, float, float]:
    return a["alpha"], a["scale"], a["input_scale"]


_WITH_ATTRIBUTES: dict[str, Meaning] = {
    "AxpyV2": lambda x, a: x[0] + x[2] * x[1],
    "Addcmul": lambda x, a: torch.addcmul(x[0], x[1], x[2], value=x[3].item()),
    "Addcdiv": lambda x, a: torch.addcdiv(x[0], x[1], x[2], value=x[3].item()),
    "Select": lambda x, a: torch.where(x[0].bool(), x[1], x[2]),
    "Round": lambda x, a: torch.round(x[0], decimals=a.get("decimals", 0)),
    "Log": lambda x, a: _LOGARITHMS[a["base"]](x[0]),
    "LogAddExp": lambda x, a: (torch.logaddexp2 if a["base"] == 2 else torch.logaddexp)(x[0], x[1]),
    "NanToNum": lambda x, a: torch.nan_to_num(x[0], a["nan"], a["posinf"], a["neginf"]),
    "IsClose": lambda x, a: torch.isclose(x[0], x[1], a["rtol"], a["atol"], a["equal_nan"]),
    "Cross": lambda x, a: torch.linalg.cross(x[0], x[1], dim=a["dim"]),
    "TensorEqual": lambda x, a: torch.tensor(torch.equal(x[0], x[1])),
    "Swish": lambda x, a: (
        x[0] * torch.sigmoid(a["scale"] * x[0]) if a["scale"] != 1 else functional.silu(x[0])
    ),
    "SwishGrad": lambda x, a: aten.silu_backward(x[0], x[1]),
    "FastGelu": lambda x, a: x[0].float() * torch.sigmoid(_FAST_GELU * x[0].float()),
    "FastGeluGrad": _fast_gelu_grad,
    "GeluGrad": lambda x, a: aten.gelu_backward(x[0], x[1]),
    "SigmoidGrad": lambda x, a: aten.sigmoid_backward(x[1], x[0]),
    "TanhGrad": lambda x, a: aten.tanh_backward(x[1], x[0]),
    "ReluGrad": lambda x, a: aten.threshold_backward(x[0], x[1], 0),
    "ThresholdV2D": lambda x, a: torch.threshold(x[0], a["threshold"], a["value"]),
    "ThresholdGradV2D": lambda x, a: aten.threshold_backward(x[0], x[1], a["threshold"]),
    "SeluGrad": lambda x, a: x[0] * torch.where(x[1] > 0, _SELU_SCALE, x[1] + _SELU_SCALE * _SELU_ALPHA),
    "Elu": lambda x, a: aten.elu(x[0], *_elu(a)),
    "EluGradV2": lambda x, a: aten.elu_backward(x[0], *_elu(a), a["is_result"], x[1]),
    "CeluV2": lambda x, a: torch.celu(x[0], a["alpha"]),
    "LeakyRelu": lambda x, a: functional.leaky_relu(x[0], a["negative_slope"]),
    "LeakyReluGrad": lambda x, a: aten.leaky_relu_backward(x[0], x[1], a["negative_slope"], False),
    "HardShrink": lambda x, a: functional.hardshrink(x[0], a["lambd"]),
    "HardShrinkGrad": lambda x, a: aten.hardshrink_backward(x[0], x[1], a["lambd"]),
    "SoftShrink": lambda x, a: functional.softshrink(x[0], a["lambd"]),
    "SoftShrinkGrad": lambda x, a: aten.softshrink_backward(x[0], x[1], a["lambd"]),
    "SoftplusV2": lambda x, a: functional.softplus(x[0], a["beta"], a["threshold"]),
    "SoftplusV2Grad": lambda x, a: aten.softplus_backward(x[0], x[1], a["beta"], a["threshold"]),
    "LogSigmoidGrad": lambda x, a: x[0] * torch.sigmoid(-x[1]),
    "HardtanhGrad": lambda x, a: aten.hardtanh_backward(x[1], x[0], a["min_val"], a["max_val"]),
    "GLU": lambda x, a: functional.glu(x[0], a["dim"]),
    "GLUGrad": lambda x, a: aten.glu_backward(x[0], x[1], a["dim"]),
}


def _plain(function: Callable[..., Any]) -> Meaning:
    def meaning(x: Inputs, a: Attributes) -> Any:
        return function(*x)

    return meaning


for _type, _function in _PLAIN.items():
    legacy(_type)(writes(_plain(_function)))
for _type, _meaning in _WITH_ATTRIBUTES.items():
    legacy(_type)(writes(_meaning))
