"""Comparisons, logic, membership and tests for special values."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import of_one, of_two, of_two_in_place
from jumar.ops.rules import each, each_in_place, pointwise, reducing

Scalar = int | float | bool | complex


rows(
    of_one,
    {
        "aclnnIsNegInf": torch.isneginf,
        "aclnnIsPosInf": torch.isposinf,
        "aclnnLogicalNot": torch.logical_not,
    },
    work=each,
)

rows(
    of_two,
    {
        "aclnnEqScalar": torch.eq,
        "aclnnEqTensor": torch.eq,
        "aclnnGeScalar": torch.ge,
        "aclnnGeTensor": torch.ge,
        "aclnnGtScalar": torch.gt,
        "aclnnGtTensor": torch.gt,
        "aclnnLeScalar": torch.le,
        "aclnnLeTensor": torch.le,
        "aclnnLessScalar": torch.lt,
        "aclnnLogicalAnd": torch.logical_and,
        "aclnnLogicalOr": torch.logical_or,
        "aclnnLogicalXor": torch.logical_xor,
        "aclnnLtScalar": torch.lt,
        "aclnnLtTensor": torch.lt,
        "aclnnNeScalar": torch.ne,
        "aclnnNeTensor": torch.ne,
    },
    work=each,
)

rows(
    of_two_in_place,
    {
        "aclnnInplaceEqScalar": Tensor.eq_,
        "aclnnInplaceEqTensor": Tensor.eq_,
        "aclnnInplaceGeScalar": Tensor.ge_,
        "aclnnInplaceGeTensor": Tensor.ge_,
        "aclnnInplaceGtScalar": Tensor.gt_,
        "aclnnInplaceGtTensor": Tensor.gt_,
        "aclnnInplaceLeScalar": Tensor.le_,
        "aclnnInplaceLeTensor": Tensor.le_,
        "aclnnInplaceLogicalAnd": Tensor.logical_and_,
        "aclnnInplaceLogicalOr": Tensor.logical_or_,
        "aclnnInplaceLtScalar": Tensor.lt_,
        "aclnnInplaceLtTensor": Tensor.lt_,
        "aclnnInplaceNeScalar": Tensor.ne_,
        "aclnnInplaceNeTensor": Tensor.ne_,
    },
    work=each_in_place,
)


@op("aclnnInplaceLogicalNot", work=pointwise(outs=0))
def logical_not_(self: Tensor) -> None:
    self.logical_not_()


@op("aclnnIsFinite", work=pointwise())
def isfinite(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.isfinite(self))


@op("aclnnIsClose", work=pointwise(2))
def isclose(self: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: bool, out: Tensor) -> None:
    out.copy_(torch.isclose(self, other, rtol=rtol, atol=atol, equal_nan=equal_nan))


@op("aclnnIsInTensorScalar", work=pointwise(2))
def is_tensor_in_scalar(element: Tensor, test: Scalar, unique: bool, invert: bool, out: Tensor) -> None:
    torch.isin(element, test, assume_unique=unique, invert=invert, out=out)


@op("aclnnIsInScalarTensor", work=pointwise(2))
def is_scalar_in_tensor(element: Scalar, test: Tensor, unique: bool, invert: bool, out: Tensor) -> None:
    out.copy_(torch.isin(element, test, assume_unique=unique, invert=invert))


@op("aclnnEqual", work=reducing())
def equal(self: Tensor, other: Tensor, out: Tensor) -> None:
    out.fill_(torch.equal(self, other))
