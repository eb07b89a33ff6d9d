"""Pointwise operators of three tensors: multiply-add, divide-add, interpolation, selection."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.rules import pointwise

Scalar = int | float | bool | complex


@op("aclnnAddcmul", work=pointwise(2))
def addcmul(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar, out: Tensor) -> None:
    torch.addcmul(self, tensor1, tensor2, value=value, out=out)


@op("aclnnInplaceAddcmul", work=pointwise(2, outs=0))
def addcmul_(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar) -> None:
    self.addcmul_(tensor1, tensor2, value=value)


@op("aclnnAddcdiv", work=pointwise(2, 1))
def addcdiv(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar, out: Tensor) -> None:
    torch.addcdiv(self, tensor1, tensor2, value=value, out=out)


@op("aclnnInplaceAddcdiv", work=pointwise(2, 1, outs=0))
def addcdiv_(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar) -> None:
    self.addcdiv_(tensor1, tensor2, value=value)


@op("aclnnLerp", "aclnnLerps", work=pointwise(2))
def lerp(self: Tensor, end: Tensor, weight: Tensor | float, out: Tensor) -> None:
    torch.lerp(self, end, weight, out=out)


@op("aclnnInplaceLerp", "aclnnInplaceLerps", work=pointwise(2, outs=0))
def lerp_(self: Tensor, end: Tensor, weight: Tensor | float) -> None:
    self.lerp_(end, weight)


@op("aclnnSWhere", work=pointwise())
def where(condition: Tensor, self: Tensor, other: Tensor, out: Tensor) -> None:
    # A Python scalar arrives as a 0-dim tensor of its own type; torch.where wants the output's.
    if self.dtype is not out.dtype:
        self = self.to(out.dtype)
    if other.dtype is not out.dtype:
        other = other.to(out.dtype)
    torch.where(condition, self, other, out=out)
