"""Spread, order statistics and counts: std, var, median, kthvalue, histc, bincount, trace."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.rules import reducing

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


@op("aclnnMedian")
def median(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.median(self))


@op("aclnnNanMedian")
def nanmedian(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.nanmedian(self))


@op("aclnnKthvalue")
def kthvalue(self: Tensor, k: int, dim: int, keepdim: bool, values: Tensor, indices: Tensor) -> None:
    torch.kthvalue(self, k, dim, keepdim, out=(values, indices))


@op("aclnnHistc", work=reducing(2))
def histc(self: Tensor, bins: int, low: float, high: float, out: Tensor) -> None:
    if self.is_floating_point():
        torch.histc(self, bins, low, high, out=out)
    else:
        # CPU PyTorch counts no integers; the chip does.
        out.copy_(torch.histc(self.double(), bins, low, high))


@op("aclnnBincount")
def bincount(self: Tensor, weights: Tensor | None, minlength: int, out: Tensor) -> None:
    out.copy_(torch.bincount(self, weights, minlength))


@op("aclnnTrace")
def trace(self: Tensor, out: Tensor) -> None:
    out.copy_(torch.trace(self))
