"""Copies, casts, fills and the operators that make a tensor out of a few numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.rules import copying, filling
from jumar.ops.traffic import size_b
from jumar.physics.work import Kind, Pattern, Work

Scalar = int | float | bool | complex


@op("aclnnCast", work=copying())
def cast(self: Tensor, dtype: torch.dtype, out: Tensor) -> None:
    out.copy_(self)


@op("aclnnInplaceCopy", "aclnnInplaceFillTensor", work=copying(outs=0))
def copy_(self: Tensor, source: Tensor) -> None:
    self.copy_(source)


@op("aclnnNpuFormatCast", work=copying())
def format_cast(self: Tensor, out: Tensor) -> None:
    # On the chip private formats are a matter of layout; here every operator sees plain sizes and strides.
    out.copy_(self.reshape(out.shape))


@op("aclnnInplaceFillScalar", work=filling())
def fill_(self: Tensor, value: Scalar) -> None:
    self.fill_(value)


def _diagonal_work(self: Operand, value: Scalar, wrap: bool) -> Work:
    """One element of each row, or of each block of rows where the diagonal wraps."""
    rows = self.sizes[0] if wrap else min(self.sizes, default=1)
    return Work(Kind.COPY, written_b=float(rows * size_b(self)), pattern=Pattern.STRIDED)


@op("aclnnInplaceFillDiagonal", work=_diagonal_work)
def fill_diagonal_(self: Tensor, value: Scalar, wrap: bool) -> None:
    self.fill_diagonal_(value, wrap)


@op("aclnnInplaceZero", work=filling())
def zero_(self: Tensor) -> None:
    self.zero_()


@op("aclnnInplaceOne", work=filling())
def one_(self: Tensor) -> None:
    self.fill_(1)


@op("aclnnArange", work=filling(1))
def arange(start: Scalar, end: Scalar, step: Scalar, out: Tensor) -> None:
    torch.arange(start, end, step, out=out)


@op("aclnnRange", work=filling(1))
def range_(start: Scalar, end: Scalar, step: Scalar, out: Tensor) -> None:
    # torch.range warns on each call that it is deprecated; the operator below it does not.
    torch.ops.aten.range.out(start, end, step, out=out)


@op("aclnnLinspace", work=filling(1))
def linspace(start: Scalar, end: Scalar, steps: int, out: Tensor) -> None:
    torch.linspace(start, end, steps, out=out)


@op("aclnnLogSpace", work=filling(1, 1))
def logspace(start: Scalar, end: Scalar, steps: int, base: float, out: Tensor) -> None:
    torch.logspace(start, end, steps, base, out=out)


@op("aclnnEye", work=filling(1))
def eye(rows: int, columns: int, out: Tensor) -> None:
    torch.eye(rows, columns, out=out)
