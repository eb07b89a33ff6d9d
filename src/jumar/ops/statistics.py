"""Spread, order statistics and counts: std, var, median, kthvalue, histc, bincount, trace."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.rules import reducing, sorting
from jumar.ops.traffic import RUN_B, bytes_of
from jumar.physics.work import Kind, Pattern, Vector, Work

Dims = list[int] | None

# The adapter gives the spread of complex numbers a complex type, which it does not have: not for the chip.
COMPLEX = (torch.complex32, torch.complex64, torch.complex128)


@op("aclnnStd", refuses=COMPLEX, work=reducing(4))
def std(self: Tensor, dims: Dims, correction: int, keepdim: bool, out: Tensor) -> None:
    torch.std(self, dims, correction=correction, keepdim=keepdim, out=out)


@op("aclnnVarCorrection", refuses=COMPLEX, work=reducing(4))
def var(self: Tensor, dims: Dims, correction: int, keepdim: bool, out: Tensor) -> None:
    torch.var(self, dims, correction=correction, keepdim=keepdim, out=out)


@op("aclnnStdMeanCorrection", refuses=COMPLEX, work=reducing(4, outs=2))
def std_mean(self: Tensor, dims: Dims, correction: int, keepdim: bool, std: Tensor, mean: Tensor) -> None:
    found = torch.std_mean(self, dims, correction=correction, keepdim=keepdim)
    std.copy_(found[0])
    mean.copy_(found[1])


@op("aclnnVarMean", refuses=COMPLEX, work=reducing(4, outs=2))
def var_mean(self: Tensor, dims: Dims, correction: int, keepdim: bool, var: Tensor, mean: Tensor) -> None:
    found = torch.var_mean(self, dims, correction=correction, keepdim=keepdim)
    var.copy_(found[0])
    mean.copy_(found[1])


@op("aclnnMedian", work=sorting(outs=1))
def median(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.median(self))


@op("aclnnNanMedian", work=sorting(outs=1))
def nanmedian(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.nanmedian(self))


@op("aclnnKthvalue", work=sorting(2))
def kthvalue(self: Tensor, k: int, dim: int, keepdim: bool, values: Tensor, indices: Tensor) -> None:
    torch.kthvalue(self, k, dim, keepdim, out=(values, indices))


@op("aclnnHistc", work=reducing(2))
def histc(self: Tensor, bins: int, low: float, high: float, out: Tensor) -> None:
    if self.is_floating_point():
        torch.histc(self, bins, low, high, out=out)
    else:
        # CPU PyTorch counts no integers; the chip does.
        out.copy_(torch.histc(self.double(), bins, low, high))


@op("aclnnBincount", work=reducing(2))
def bincount(self: Tensor, weights: Tensor | None, minlength: int, out: Tensor) -> None:
    out.copy_(torch.bincount(self, weights, minlength))


def _trace_work(self: Operand, out: Operand) -> Work:
    """One element of each row, of memory the piece around it."""
    read_b = min(bytes_of(self), float(RUN_B * min(self.sizes, default=1)))
    vectors = (Vector("fp32", float(min(self.sizes, default=1))),)
    return Work(Kind.REDUCTION, (), vectors, read_b, bytes_of(out), Pattern.STRIDED)


@op("aclnnTrace", work=_trace_work)
def trace(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.trace(self))
