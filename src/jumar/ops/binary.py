"""Pointwise arithmetic of two operands: tensor with tensor, tensor with scalar, scalar with tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import of_two_in_place
from jumar.ops.rules import each, each_in_place, pointwise

Scalar = int | float | bool | complex

ROUNDING_MODES = (None, "trunc", "floor")


def as_wide_as(tensor: Tensor, out: Tensor) -> Tensor:
    """The operand of a scalar: an integer tensor in the floating type of the output.

    The output's type was chosen in the program's process, where the default type may be float64 or the scalar
    may have been a 0-dim tensor; the scalar alone would make it float32 here.
    """
    if tensor.dtype is out.dtype or tensor.is_floating_point() or tensor.is_complex():
        return tensor
    return tensor.to(out.dtype) if out.is_floating_point() else tensor


def _two_tensors(function: Callable[..., Any]) -> Callable[[Tensor, Tensor, Tensor], None]:
    def run(self: Tensor, other: Tensor, out: Tensor) -> None:
        function(self, other, out=out)

    return run


def _tensor_and_scalar(function: Callable[..., Any]) -> Callable[[Tensor, Scalar, Tensor], None]:
    def run(self: Tensor, other: Scalar, out: Tensor) -> None:
        if self.dtype is not out.dtype:
            self = as_wide_as(self, out)
        function(self, other, out=out)

    return run


def _scalar_and_tensor(function: Callable[..., Any]) -> Callable[[Scalar, Tensor, Tensor], None]:
    def run(self: Scalar, other: Tensor, out: Tensor) -> None:
        function(self, as_wide_as(other, out), out=out)

    return run


rows(
    _two_tensors,
    {
        "aclnnAtan2": torch.atan2,
        "aclnnDiv": torch.div,
        "aclnnFloorDivide": torch.floor_divide,
        "aclnnFmodTensor": torch.fmod,
        "aclnnGcd": torch.gcd,
        "aclnnLogAddExp": torch.logaddexp,
        "aclnnLogAddExp2": torch.logaddexp2,
        "aclnnMaximum": torch.maximum,
        "aclnnMinimum": torch.minimum,
        "aclnnMul": torch.mul,
        "aclnnPowTensorTensor": torch.pow,
        "aclnnRemainderTensorTensor": torch.remainder,
        "aclnnXLogYTensor": torch.xlogy,
    },
    work=each,
)

rows(
    _tensor_and_scalar,
    {
        "aclnnDivs": torch.div,
        "aclnnFloorDivides": torch.floor_divide,
        "aclnnFmodScalar": torch.fmod,
        "aclnnMuls": torch.mul,
        "aclnnPowTensorScalar": torch.pow,
        "aclnnRemainderTensorScalar": torch.remainder,
        "aclnnXLogYScalarOther": torch.xlogy,
    },
    work=each,
)

rows(
    _scalar_and_tensor,
    {
        "aclnnPowScalarTensor": torch.pow,
        "aclnnXLogYScalarSelf": torch.xlogy,
    },
    work=each,
)

rows(
    of_two_in_place,
    {
        "aclnnInplaceAtan2": Tensor.atan2_,
        "aclnnInplaceDiv": Tensor.div_,
        "aclnnInplaceDivs": Tensor.div_,
        "aclnnInplaceFloorDivide": Tensor.floor_divide_,
        "aclnnInplaceFloorDivides": Tensor.floor_divide_,
        "aclnnInplaceFmodScalar": Tensor.fmod_,
        "aclnnInplaceFmodTensor": Tensor.fmod_,
        "aclnnInplaceMul": Tensor.mul_,
        "aclnnInplaceMuls": Tensor.mul_,
        "aclnnInplacePowTensorScalar": Tensor.pow_,
        "aclnnInplacePowTensorTensor": Tensor.pow_,
        "aclnnInplaceRemainderTensorScalar": Tensor.remainder_,
        "aclnnInplaceRemainderTensorTensor": Tensor.remainder_,
        "aclnnInplaceXLogYScalarOther": Tensor.xlogy_,
    },
    work=each_in_place,
)


@op("aclnnAdd", work=pointwise())
def add(self: Tensor, other: Tensor, alpha: Scalar, out: Tensor) -> None:
    torch.add(self, other, alpha=alpha, out=out)


@op("aclnnAdds", work=pointwise())
def adds(self: Tensor, other: Scalar, alpha: Scalar, out: Tensor) -> None:
    if self.dtype is not out.dtype:
        self = as_wide_as(self, out)
    torch.add(self, other, alpha=alpha, out=out)


@op("aclnnAddV3", work=pointwise())
def add_to_scalar(self: Scalar, other: Tensor, alpha: Scalar, out: Tensor) -> None:
    torch.add(self, as_wide_as(other, out), alpha=alpha, out=out)


@op("aclnnInplaceAdd", "aclnnInplaceAdds", work=pointwise(outs=0))
def add_(self: Tensor, other: Tensor | Scalar, alpha: Scalar) -> None:
    self.add_(other, alpha=alpha)


@op("aclnnAddRelu", work=pointwise(2))
def add_relu(self: Tensor, other: Tensor, alpha: Scalar, out: Tensor) -> None:
    torch.add(self, other, alpha=alpha, out=out).relu_()


@op("aclnnInplaceAddRelu", work=pointwise(2, outs=0))
def add_relu_(self: Tensor, other: Tensor, alpha: Scalar) -> None:
    self.add_(other, alpha=alpha).relu_()


@op("aclnnSub", work=pointwise())
def sub(self: Tensor, other: Tensor, alpha: Scalar, out: Tensor) -> None:
    torch.sub(self, other, alpha=alpha, out=out)


@op("aclnnSubs", work=pointwise())
def subs(self: Tensor, other: Scalar, alpha: Scalar, out: Tensor) -> None:
    if self.dtype is not out.dtype:
        self = as_wide_as(self, out)
    torch.sub(self, other, alpha=alpha, out=out)


@op("aclnnInplaceSub", "aclnnInplaceSubs", work=pointwise(outs=0))
def sub_(self: Tensor, other: Tensor | Scalar, alpha: Scalar) -> None:
    self.sub_(other, alpha=alpha)


@op("aclnnRsub", work=pointwise())
def rsub(self: Tensor, other: Tensor, alpha: Scalar, out: Tensor) -> None:
    torch.sub(other, self, alpha=alpha, out=out)


@op("aclnnRsubs", work=pointwise())
def rsubs(self: Tensor, other: Scalar, alpha: Scalar, out: Tensor) -> None:
    torch.sub(other, as_wide_as(self, out), alpha=alpha, out=out)


@op("aclnnDivMod", work=pointwise(2, 1))
def divmod_(self: Tensor, other: Tensor, mode: int, out: Tensor) -> None:
    torch.div(self, other, rounding_mode=ROUNDING_MODES[mode], out=out)


@op("aclnnDivMods", work=pointwise(2, 1))
def divmods(self: Tensor, other: float, mode: int, out: Tensor) -> None:
    torch.div(as_wide_as(self, out), other, rounding_mode=ROUNDING_MODES[mode], out=out)


@op("aclnnInplaceDivMod", "aclnnInplaceDivMods", work=pointwise(2, 1, outs=0))
def divmod_in_place(self: Tensor, other: Tensor | float, mode: int) -> None:
    self.div_(other, rounding_mode=ROUNDING_MODES[mode])


@op("aclnnRemainderScalarTensor", work=pointwise(3))
def remainder_of_scalar(self: Scalar, other: Tensor, out: Tensor) -> None:
    out.copy_(torch.remainder(self, as_wide_as(other, out)))
