"""Pointwise operators of three tensors: multiply-add, divide-add, interpolation, selection."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op

Scalar = int | float | bool | complex


@op("aclnnAddcmul")
def addcmul(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar, out: Tensor) -> None:
    torch.addcmul(self, tensor1, tensor2, value=value, out=out)


@op("aclnnInplaceAddcmul")
def addcmul_(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar) -> None:
    self.addcmul_(tensor1, tensor2, value=value)


@op("aclnnAddcdiv")
def addcdiv(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar, out: Tensor) -> None:
    torch.addcdiv(self, tensor1, tensor2, value=value, out=out)


@op("aclnnInplaceAddcdiv")
def addcdiv_(self: Tensor, tensor1: Tensor, tensor2: Tensor, value: Scalar) -> None:
    self.addcdiv_(tensor1, tensor2, value=value)


@op("aclnnLerp", "aclnnLerps")
def lerp(self: Tensor, end: Tensor, weight: Tensor | float, out: Tensor) -> None:
    torch.lerp(self, end, weight, out=out)


@op("aclnnInplaceLerp", "aclnnInplaceLerps")
def lerp_(self: Tensor, end: Tensor, weight: Tensor | float) -> None:
    self.lerp_(end, weight)


@op("aclnnSWhere")
def where(condition: Tensor, self: Tensor, other: Tensor, out: Tensor) -> None:
    # A Python scalar arrives as a 0-dim tensor of its own type; torch.where wants the output's.
    if self.dtype is not out.dtype:
        self = self.to(out.dtype)
    if other.dtype is not out.dtype:
        other = other.to(out.dtype)
    torch.where(condition, self, other, out=out)
