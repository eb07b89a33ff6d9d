"""Clamping between bounds that are scalars or tensors, either of which may be absent."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.binary import as_wide_as
from jumar.ops.registry import op
from jumar.ops.rules import pointwise

Scalar = int | float | bool


@op("aclnnClamp", work=pointwise())
def clamp(self: Tensor, low: Scalar | None, high: Scalar | None, out: Tensor) -> None:
    torch.clamp(as_wide_as(self, out), low, high, out=out)


@op("aclnnClampTensor", work=pointwise())
def clamp_tensor(self: Tensor, low: Tensor | None, high: Tensor | None, out: Tensor) -> None:
    torch.clamp(self, low, high, out=out)


@op("aclnnClampMin", work=pointwise())
def clamp_min(self: Tensor, low: Scalar, out: Tensor) -> None:
    torch.clamp_min(as_wide_as(self, out), low, out=out)


@op("aclnnClampMinTensor", work=pointwise())
def clamp_min_tensor(self: Tensor, low: Tensor, out: Tensor) -> None:
    torch.clamp_min(self, low, out=out)


@op("aclnnInplaceClampMinTensor", work=pointwise(outs=0))
def clamp_min_(self: Tensor, low: Tensor) -> None:
    self.clamp_min_(low)


@op("aclnnClampMax", work=pointwise())
def clamp_max(self: Tensor, high: Scalar, out: Tensor) -> None:
    torch.clamp_max(as_wide_as(self, out), high, out=out)


@op("aclnnClampMaxTensor", work=pointwise())
def clamp_max_tensor(self: Tensor, high: Tensor, out: Tensor) -> None:
    torch.clamp_max(self, high, out=out)


@op("aclnnInplaceClampMax", "aclnnInplaceClampMaxTensor", work=pointwise(outs=0))
def clamp_max_(self: Tensor, high: Tensor | Scalar) -> None:
    self.clamp_max_(high)
