"""The foreach family: one operator over lists of tensors, as fused lists of the pointwise operators.

The adapter sends only lists of one floating or integer type, cut into pieces; the outputs may be the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.rules import copying, filling, foreach, reducing

Scalar = int | float | bool | complex
Tensors = list[Tensor]
Function = Callable[..., Any]

# The numbers by which the adapter names a way of rounding.
ROUNDINGS: dict[int, Function] = {
    1: torch.round,
    2: torch.floor,
    3: torch.ceil,
    5: torch.trunc,
    7: torch.frac,
}


def _each(function: Function) -> Callable[[Tensors, Tensors], None]:
    def run(tensors: Tensors, outs: Tensors) -> None:
        for tensor, out in zip(tensors, outs, strict=True):
            function(tensor, out=out)

    return run


rows(
    _each,
    {
        "aclnnForeachAbs": torch.abs,
        "aclnnForeachAcos": torch.acos,
        "aclnnForeachAsin": torch.asin,
        "aclnnForeachAtan": torch.atan,
        "aclnnForeachCos": torch.cos,
        "aclnnForeachCosh": torch.cosh,
        "aclnnForeachErf": torch.erf,
        "aclnnForeachErfc": torch.erfc,
        "aclnnForeachExp": torch.exp,
        "aclnnForeachExpm1": torch.expm1,
        "aclnnForeachLog": torch.log,
        "aclnnForeachLog10": torch.log10,
        "aclnnForeachLog1p": torch.log1p,
        "aclnnForeachLog2": torch.log2,
        "aclnnForeachNeg": torch.neg,
        "aclnnForeachReciprocal": torch.reciprocal,
        "aclnnForeachSigmoid": torch.sigmoid,
        "aclnnForeachSign": torch.sign,
        "aclnnForeachSin": torch.sin,
        "aclnnForeachSinh": torch.sinh,
        "aclnnForeachSqrt": torch.sqrt,
        "aclnnForeachTan": torch.tan,
        "aclnnForeachTanh": torch.tanh,
    },
    work=foreach,
)


def _with_scalar(function: Function) -> Callable[[Tensors, Scalar, Tensors], None]:
    def run(tensors: Tensors, scalar: Scalar, outs: Tensors) -> None:
        for tensor, out in zip(tensors, outs, strict=True):
            function(tensor, scalar, out=out)

    return run


def _with_scalar_tensor(function: Function) -> Callable[[Tensors, Tensor, Tensors], None]:
    def run(tensors: Tensors, scalar: Tensor, outs: Tensors) -> None:
        value = scalar.item()
        for tensor, out in zip(tensors, outs, strict=True):
            function(tensor, value, out=out)

    return run


def _with_scalars(function: Function) -> Callable[[Tensors, list[Scalar], Tensors], None]:
    def run(tensors: Tensors, scalars: list[Scalar], outs: Tensors) -> None:
        for tensor, scalar, out in zip(tensors, scalars, outs, strict=True):
            function(tensor, scalar, out=out)

    return run


def _with_list(function: Function) -> Callable[[Tensors, Tensors, Tensors], None]:
    def run(tensors: Tensors, others: Tensors, outs: Tensors) -> None:
        for tensor, other, out in zip(tensors, others, outs, strict=True):
            function(tensor, other, out=out)

    return run


# As in PyTorch, the maximum with a scalar is a clamp.
WITH_SCALAR: dict[str, Function] = {
    "Add": torch.add,
    "Div": torch.div,
    "Maximum": torch.clamp_min,
    "Minimum": torch.clamp_max,
    "Mul": torch.mul,
    "Pow": torch.pow,
    "Sub": torch.sub,
}

rows(_with_scalar, {f"aclnnForeach{name}ScalarV2": run for name, run in WITH_SCALAR.items()}, work=foreach)
rows(
    _with_scalar_tensor, {f"aclnnForeach{name}Scalar": run for name, run in WITH_SCALAR.items()}, work=foreach
)
rows(_with_scalars, {f"aclnnForeach{name}ScalarList": run for name, run in WITH_SCALAR.items()}, work=foreach)

rows(
    _with_list,
    {
        "aclnnForeachDivList": torch.div,
        "aclnnForeachMaximumList": torch.maximum,
        "aclnnForeachMinimumList": torch.minimum,
        "aclnnForeachMulList": torch.mul,
        "aclnnForeachPowList": torch.pow,
    },
    work=foreach,
)


def _with_list_and_alpha(function: Function) -> Callable[[Tensors, Tensors, Any, Tensors], None]:
    def run(tensors: Tensors, others: Tensors, alpha: Scalar | Tensor, outs: Tensors) -> None:
        value = alpha.item() if isinstance(alpha, Tensor) else alpha
        for tensor, other, out in zip(tensors, others, outs, strict=True):
            function(tensor, other, alpha=value, out=out)

    return run


rows(
    _with_list_and_alpha,
    {
        "aclnnForeachAddList": torch.add,
        "aclnnForeachAddListV2": torch.add,
        "aclnnForeachSubList": torch.sub,
        "aclnnForeachSubListV2": torch.sub,
    },
    work=foreach,
)


def _with_two_lists(function: Function) -> Callable[[Tensors, Tensors, Tensors, Any, Tensors], None]:
    def run(tensors: Tensors, first: Tensors, second: Tensors, value: Scalar | Tensor, outs: Tensors) -> None:
        number = value.item() if isinstance(value, Tensor) else value
        for tensor, one, two, out in zip(tensors, first, second, outs, strict=True):
            function(tensor, one, two, value=number, out=out)

    return run


def _with_two_lists_and_scalars(
    function: Function,
) -> Callable[[Tensors, Tensors, Tensors, Tensor, Tensors], None]:
    def run(tensors: Tensors, first: Tensors, second: Tensors, values: Tensor, outs: Tensors) -> None:
        for tensor, one, two, value, out in zip(tensors, first, second, values.tolist(), outs, strict=True):
            function(tensor, one, two, value=value, out=out)

    return run


WITH_TWO_LISTS: dict[str, Function] = {"Addcdiv": torch.addcdiv, "Addcmul": torch.addcmul}

rows(
    _with_two_lists, {f"aclnnForeach{name}Scalar": run for name, run in WITH_TWO_LISTS.items()}, work=foreach
)
rows(
    _with_two_lists,
    {f"aclnnForeach{name}ScalarV2": run for name, run in WITH_TWO_LISTS.items()},
    work=foreach,
)
rows(
    _with_two_lists_and_scalars,
    {f"aclnnForeach{name}ScalarList": run for name, run in WITH_TWO_LISTS.items()},
    work=foreach,
)


@op("aclnnForeachLerpScalar", work=foreach(torch.lerp))
def lerp_scalar(tensors: Tensors, ends: Tensors, weight: float, outs: Tensors) -> None:
    for tensor, end, out in zip(tensors, ends, outs, strict=True):
        torch.lerp(tensor, end, weight, out=out)


@op("aclnnForeachLerpList", work=foreach(torch.lerp))
def lerp_list(tensors: Tensors, ends: Tensors, weights: Tensors, outs: Tensors) -> None:
    for tensor, end, weight, out in zip(tensors, ends, weights, outs, strict=True):
        torch.lerp(tensor, end, weight, out=out)


@op("aclnnForeachPowScalarAndTensor", work=foreach(torch.pow))
def pow_scalar_and_tensor(base: Scalar, exponents: Tensors, outs: Tensors) -> None:
    for exponent, out in zip(exponents, outs, strict=True):
        torch.pow(base, exponent, out=out)


@op("aclnnForeachNorm", work=reducing(2))
def norm(tensors: Tensors, order: float, outs: Tensors) -> None:
    for tensor, out in zip(tensors, outs, strict=True):
        torch.linalg.vector_norm(tensor, order, out=out)


@op("aclnnForeachRoundOffNumber", work=foreach(torch.round))
def round_off_number(tensors: Tensors, mode: Tensor, outs: Tensors) -> None:
    round_off_number_v2(tensors, int(mode.item()), outs)


@op("aclnnForeachRoundOffNumberV2", work=foreach(torch.round))
def round_off_number_v2(tensors: Tensors, mode: int, outs: Tensors) -> None:
    function = ROUNDINGS[int(mode)]
    for tensor, out in zip(tensors, outs, strict=True):
        function(tensor, out=out)


@op("aclnnForeachCopy", work=copying())
def copy(sources: Tensors, targets: Tensors) -> None:
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)


@op("aclnnForeachZeroInplace", work=filling())
def zero_(tensors: Tensors) -> None:
    for tensor in tensors:
        tensor.zero_()
