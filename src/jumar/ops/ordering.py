"""Order statistics: sort, topk, and the four forms of unique, whose result sizes depend on the data."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.bounds import front
from jumar.ops.registry import op
from jumar.ops.rules import reducing, sorting

Sizes = dict[int, tuple[int, ...]]

_NO_DIMENSION = 1000  # what the adapter passes to unique_consecutive for dim=None


@op("aclnnSort", work=sorting(2))
def sort(self: Tensor, stable: bool, dim: int, descending: bool, values: Tensor, indices: Tensor) -> None:
    torch.sort(self, stable=stable, dim=dim, descending=descending, out=(values, indices))


@op("aclnnTopk", work=sorting(2, kept=1))
def topk(
    self: Tensor, k: int, dim: int, largest: bool, sorted: bool, values: Tensor, indices: Tensor
) -> None:
    source = self.byte() if self.dtype is torch.bool else self  # the chip takes bool, CPU PyTorch does not
    if source is self and indices.dtype is torch.int64:
        torch.topk(self, k, dim, largest, sorted, out=(values, indices))
        return
    result, places = torch.topk(source, k, dim, largest, sorted)
    values.copy_(result)
    indices.copy_(places)


@op("aclnnTopkV2", work=sorting(2, kept=1))
def topk_v2(
    self: Tensor,
    k: int,
    dim: int,
    largest: bool,
    sorted: bool,
    index_type: int,
    values: Tensor,
    indices: Tensor,
) -> None:
    topk(self, k, dim, largest, sorted, values, indices)


def _put(outputs: dict[int, tuple[Tensor, Tensor]]) -> Sizes:
    """Writes each result to the beginning of its output; {position: (result, output)}."""
    for result, out in outputs.values():
        front(out, *result.shape).copy_(result)
    return {position: tuple(result.shape) for position, (result, _) in outputs.items()}


@op("aclnnUnique", sized=True, work=sorting())
def unique(self: Tensor, sorted: bool, return_inverse: bool, values: Tensor, inverse: Tensor) -> Sizes:
    result, places = torch.unique(self, sorted=True, return_inverse=True)
    if inverse.numel():
        inverse.copy_(places)
    return _put({3: (result, values)})


@op("aclnnUnique2", sized=True, work=sorting(outs=3))
def unique2(
    self: Tensor,
    sorted: bool,
    return_inverse: bool,
    return_counts: bool,
    values: Tensor,
    inverse: Tensor,
    counts: Tensor,
) -> Sizes:
    result, places, numbers = torch.unique(self, sorted=True, return_inverse=True, return_counts=True)
    if inverse.numel():
        inverse.copy_(places)
    return _put({4: (result, values), 6: (numbers if return_counts else numbers[:0], counts)})


@op("aclnnUniqueConsecutive", sized=True, work=reducing(2, outs=3))
def unique_consecutive(
    self: Tensor,
    return_inverse: bool,
    return_counts: bool,
    dim: int,
    values: Tensor,
    inverse: Tensor,
    counts: Tensor,
) -> Sizes:
    result, places, numbers = torch.unique_consecutive(
        self, return_inverse=True, return_counts=True, dim=None if dim == _NO_DIMENSION else dim
    )
    if inverse.numel():
        inverse.copy_(places)
    return _put({4: (result, values), 6: (numbers if return_counts else numbers[:0], counts)})


@op("aclnnUniqueDim", sized=True, work=sorting(outs=3))
def unique_dim(
    self: Tensor,
    sorted: bool,
    return_inverse: bool,
    dim: int,
    values: Tensor,
    inverse: Tensor,
    counts: Tensor,
) -> Sizes:
    result, places, numbers = torch.unique(
        self, sorted=True, return_inverse=True, return_counts=True, dim=dim
    )
    inverse.copy_(places)
    return _put({4: (result, values), 6: (numbers, counts)})
