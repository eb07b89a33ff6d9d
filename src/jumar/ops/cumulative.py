"""Running sums, products, maxima and minima along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.rules import reducing


@op("aclnnCumsum", work=reducing(2))
def cumsum(self: Tensor, dim: int, dtype: torch.dtype, out: Tensor) -> None:
    torch.cumsum(self, dim, dtype=out.dtype, out=out)


@op("aclnnCumprod", work=reducing(2))
def cumprod(self: Tensor, dim: int | float, dtype: torch.dtype, out: Tensor) -> None:
    torch.cumprod(self, int(dim), dtype=out.dtype, out=out)


def _extremum(function: Callable[..., Any]) -> Callable[..., None]:
    def run(self: Tensor, dim: int, values: Tensor, indices: Tensor) -> None:
        if indices.dtype is torch.int64:
            function(self, dim, out=(values, indices))
        else:
            places = torch.empty(indices.shape, dtype=torch.int64)
            function(self, dim, out=(values, places))
            indices.copy_(places)

    return run


rows(
    _extremum, {"aclnnCummax": torch.cummax, "aclnnCummin": torch.cummin}, work=lambda _: reducing(2, outs=2)
)
