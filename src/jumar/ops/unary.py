"""Pointwise operators of one tensor: exponentials, trigonometry, rounding, signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import of_one
from jumar.ops.rules import each, each_in_place, pointwise


def _in_place(function: Callable[..., Any]) -> Callable[[Tensor], None]:
    def run(self: Tensor) -> None:
        function(self)

    return run


rows(
    of_one,
    {
        "aclnnAbs": torch.abs,
        "aclnnAcos": torch.acos,
        "aclnnAcosh": torch.acosh,
        "aclnnAsin": torch.asin,
        "aclnnAsinh": torch.asinh,
        "aclnnAtan": torch.atan,
        "aclnnAtanh": torch.atanh,
        "aclnnCeil": torch.ceil,
        "aclnnCos": torch.cos,
        "aclnnCosh": torch.cosh,
        "aclnnErfinv": torch.erfinv,
        "aclnnExp2": torch.exp2,
        "aclnnFloor": torch.floor,
        "aclnnFrac": torch.frac,
        "aclnnLog": torch.log,
        "aclnnLog10": torch.log10,
        "aclnnLog1p": torch.log1p,
        "aclnnLog2": torch.log2,
        "aclnnNeg": torch.neg,
        "aclnnReciprocal": torch.reciprocal,
        "aclnnRound": torch.round,
        "aclnnRsqrt": torch.rsqrt,
        "aclnnSigmoid": torch.sigmoid,
        "aclnnSign": torch.sgn,
        "aclnnSignbit": torch.signbit,
        "aclnnSin": torch.sin,
        "aclnnSinc": torch.sinc,
        "aclnnSinh": torch.sinh,
        "aclnnSqrt": torch.sqrt,
        "aclnnTan": torch.tan,
        "aclnnTanh": torch.tanh,
        "aclnnTrunc": torch.trunc,
    },
    work=each,
)

# Left out of what the chip takes: types for which the adapter picks an output that cannot hold the result.
SMALL_INTEGERS = (torch.uint8, torch.int8, torch.int16)
COMPLEX = (torch.complex32, torch.complex64, torch.complex128)

rows(of_one, {"aclnnExp": torch.exp}, refuses=(*SMALL_INTEGERS, torch.int32), work=each)
rows(of_one, {"aclnnErf": torch.erf, "aclnnErfc": torch.erfc}, refuses=SMALL_INTEGERS, work=each)
rows(of_one, {"aclnnExpm1": torch.expm1}, refuses=COMPLEX, work=each)

rows(
    _in_place,
    {
        "aclnnInplaceAcos": torch.acos_,
        "aclnnInplaceAcosh": torch.acosh_,
        "aclnnInplaceAsin": torch.asin_,
        "aclnnInplaceAsinh": torch.asinh_,
        "aclnnInplaceAtan": torch.atan_,
        "aclnnInplaceAtanh": torch.atanh_,
        "aclnnInplaceCeil": torch.ceil_,
        "aclnnInplaceCos": torch.cos_,
        "aclnnInplaceCosh": torch.cosh_,
        "aclnnInplaceErf": torch.erf_,
        "aclnnInplaceErfc": torch.erfc_,
        "aclnnInplaceErfinv": Tensor.erfinv_,
        "aclnnInplaceExp": torch.exp_,
        "aclnnInplaceExp2": torch.exp2_,
        "aclnnInplaceExpm1": torch.expm1_,
        "aclnnInplaceFloor": torch.floor_,
        "aclnnInplaceFrac": torch.frac_,
        "aclnnInplaceLog": torch.log_,
        "aclnnInplaceLog10": torch.log10_,
        "aclnnInplaceLog1p": torch.log1p_,
        "aclnnInplaceLog2": torch.log2_,
        "aclnnInplaceReciprocal": torch.reciprocal_,
        "aclnnInplaceRsqrt": torch.rsqrt_,
        "aclnnInplaceSigmoid": torch.sigmoid_,
        "aclnnInplaceSin": torch.sin_,
        "aclnnInplaceSinc": torch.sinc_,
        "aclnnInplaceSinh": torch.sinh_,
        "aclnnInplaceSqrt": torch.sqrt_,
        "aclnnInplaceTan": torch.tan_,
        "aclnnInplaceTanh": torch.tanh_,
    },
    work=each_in_place,
)


@op("aclnnRoundDecimals", work=pointwise())
def round_decimals(self: Tensor, decimals: int, out: Tensor) -> None:
    if self.is_floating_point():
        torch.round(self, decimals=decimals, out=out)
    elif decimals >= 0:
        out.copy_(self)
    else:
        # CPU PyTorch rounds no integers to tens, the chip does; float64 is exact up to 2**53.
        out.copy_(torch.round(self.double(), decimals=decimals))


@op("aclnnInplaceRoundDecimals", work=pointwise(outs=0))
def round_decimals_(self: Tensor, decimals: int) -> None:
    round_decimals(self, decimals, self)


@op("aclnnNanToNum", work=pointwise(2))
def nan_to_num(self: Tensor, nan: float, posinf: float, neginf: float, out: Tensor) -> None:
    torch.nan_to_num(self, nan=nan, posinf=posinf, neginf=neginf, out=out)


@op("aclnnInplaceNanToNum", work=pointwise(2, outs=0))
def nan_to_num_(self: Tensor, nan: float, posinf: float, neginf: float) -> None:
    torch.nan_to_num_(self, nan=nan, posinf=posinf, neginf=neginf)


rows(
    lambda function: lambda grad, result, out: function(grad, result, grad_input=out),
    {
        "aclnnSigmoidBackward": torch.ops.aten.sigmoid_backward.grad_input,
        "aclnnTanhBackward": torch.ops.aten.tanh_backward.grad_input,
    },
    work=each,
)


def _clamp_or_none(eps: float) -> float | None:
    """The adapter says -1 where the program gave no eps."""
    return None if eps < 0 else eps


# The adapter's result for integers would be of the same type.
@op("aclnnLogit", refuses=(*SMALL_INTEGERS, torch.int32, torch.int64, torch.bool), work=pointwise(2, 1))
def logit(self: Tensor, eps: float, out: Tensor) -> None:
    torch.ops.aten.logit.out(self, _clamp_or_none(eps), out=out)


@op("aclnnLogitGrad", work=pointwise(2, 1))
def logit_grad(self: Tensor, grad: Tensor, eps: float, out: Tensor) -> None:
    torch.ops.aten.logit_backward.grad_input(grad, self, _clamp_or_none(eps), grad_input=out)
