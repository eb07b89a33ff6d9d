"""Reductions over dimensions: sums, products, extremes, norms, truth. No dimensions means all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.rules import normalising, reducing

Dims = list[int] | None


@op("aclnnReduceSum", work=reducing())
def reduce_sum(self: Tensor, dims: Dims, keepdim: bool, dtype: torch.dtype, out: Tensor) -> None:
    torch.sum(self, dims, keepdim, dtype=dtype, out=out)


@op("aclnnReduceNansum", work=reducing())
def reduce_nansum(self: Tensor, dims: Dims, keepdim: bool, dtype: torch.dtype, out: Tensor) -> None:
    torch.nansum(self, dims, keepdim, dtype=dtype, out=out)


@op("aclnnMean", work=reducing())
def mean(self: Tensor, dims: Dims, keepdim: bool, dtype: torch.dtype, out: Tensor) -> None:
    torch.mean(self, dims, keepdim, dtype=dtype, out=out)


@op("aclnnProd", work=reducing())
def prod(self: Tensor, dtype: torch.dtype, out: Tensor) -> None:
    out.copy_(torch.prod(self, dtype=dtype))


@op("aclnnProdDim", work=reducing())
def prod_dim(self: Tensor, dim: int, keepdim: bool, dtype: torch.dtype, out: Tensor) -> None:
    torch.prod(self, dim, keepdim, dtype=dtype, out=out)


@op("aclnnLogSumExp", work=reducing(3, 1))
def logsumexp(self: Tensor, dims: Dims, keepdim: bool, out: Tensor) -> None:
    torch.logsumexp(self, dims or list(range(self.dim())), keepdim, out=out)


def _truth(function: Callable[..., Any]) -> Callable[[Tensor, Dims, bool, Tensor], None]:
    def run(self: Tensor, dims: Dims, keepdim: bool, out: Tensor) -> None:
        function(self, dim=dims or None, keepdim=keepdim, out=out)

    return run


rows(_truth, {"aclnnAll": torch.all, "aclnnAny": torch.any}, work=lambda _: reducing())


def _extreme_over_dims(function: Callable[..., Any]) -> Callable[[Tensor, Dims, bool, Tensor], None]:
    def run(self: Tensor, dims: Dims, keepdim: bool, out: Tensor) -> None:
        function(self, dims or (), keepdim, out=out)

    return run


rows(_extreme_over_dims, {"aclnnAmax": torch.amax, "aclnnAmin": torch.amin}, work=lambda _: reducing())


def _extreme(function: Callable[..., Any]) -> Callable[[Tensor, Tensor], None]:
    def run(self: Tensor, out: Tensor) -> None:
        function(self, out=out)

    return run


rows(_extreme, {"aclnnMax": torch.max, "aclnnMin": torch.min}, work=lambda _: reducing())


def _extreme_and_index(function: Callable[..., Any]) -> Callable[[Tensor, int, bool, Tensor, Tensor], None]:
    def run(self: Tensor, dim: int, keepdim: bool, values: Tensor, indices: Tensor) -> None:
        function(self, dim, keepdim, out=(values, indices))

    return run


rows(
    _extreme_and_index,
    {
        "aclnnMaxDim": torch.max,
        "aclnnMedianDim": torch.median,
        "aclnnMinDim": torch.min,
        "aclnnNanMedianDim": torch.nanmedian,
    },
    work=lambda _: reducing(2, outs=2),
)


def _index_of_extreme(function: Callable[..., Any]) -> Callable[[Tensor, int, bool, Tensor], None]:
    def run(self: Tensor, dim: int, keepdim: bool, out: Tensor) -> None:
        function(self, dim, keepdim, out=out)

    return run


rows(
    _index_of_extreme, {"aclnnArgMax": torch.argmax, "aclnnArgMin": torch.argmin}, work=lambda _: reducing(2)
)


@op("aclnnAminmax", work=reducing(2, outs=2))
def aminmax(self: Tensor, dims: Dims, keepdim: bool, low: Tensor, high: Tensor) -> None:
    torch.amin(self, dims or (), keepdim, out=low)
    torch.amax(self, dims or (), keepdim, out=high)


@op("aclnnAminmaxAll", work=reducing(2, outs=2))
def aminmax_all(self: Tensor, low: Tensor, high: Tensor) -> None:
    torch.aminmax(self, out=(low, high))


@op("aclnnAminmaxDim", work=reducing(2, outs=2))
def aminmax_dim(self: Tensor, dim: int, keepdim: bool, low: Tensor, high: Tensor) -> None:
    torch.aminmax(self, dim=dim, keepdim=keepdim, out=(low, high))


@op("aclnnNorm", work=reducing(2))
def norm(self: Tensor, order: float, dims: Dims, keepdim: bool, out: Tensor) -> None:
    wider = None if out.dtype is self.dtype or self.is_complex() else out.dtype
    torch.linalg.vector_norm(self, order, dims or None, keepdim, dtype=wider, out=out)


@op("aclnnRenorm", work=normalising(3))
def renorm(self: Tensor, order: float, dim: int, limit: float, out: Tensor) -> None:
    torch.renorm(self, order, dim, limit, out=out)


@op("aclnnInplaceRenorm", work=normalising(3, outs=0))
def renorm_(self: Tensor, order: float, dim: int, limit: float) -> None:
    self.renorm_(order, dim, limit)
