"""Reading and writing by index or by mask: index, gather, take, put, masked_*, nonzero, searchsorted."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.bounds import bounded, front, like, long, start
from jumar.ops.registry import op
from jumar.ops.rules import filling_places, gathering, pointwise, reducing, scattering
from jumar.ops.traffic import bytes_of, size_b, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

Scalar = int | float | bool | complex
Sizes = dict[int, tuple[int, ...]]


def _placeholder(index: Tensor, dtype: torch.dtype) -> bool:
    """The adapter stands an empty vector of the tensor's own type for an index that is None."""
    return index.numel() == 0 and index.dim() == 1 and index.dtype is dtype


def _indices(self: Tensor, indices: list[Tensor]) -> list[Tensor | None]:
    return [None if _placeholder(index, self.dtype) else index for index in indices]


@op("aclnnIndex", work=gathering())
@bounded
def index(self: Tensor, indices: list[Tensor], out: Tensor) -> None:
    if out.numel():  # an empty result means that an empty vector in the list was a real index
        torch.ops.aten.index.Tensor_out(self, _indices(self, indices), out=out)


def _index_put_work(
    self: Operand, indices: list[Operand], values: Operand, accumulate: bool, unsafe: bool
) -> Work:
    """As many places as the indices broadcast to, each with what lies in the dimensions that have no index."""
    places, rest = 1, 1
    for dim, size in enumerate(self.sizes):
        index = indices[dim] if dim < len(indices) else None
        if index is None or not index.elements:
            rest *= size
        else:
            places = max(places, index.elements)
    count = float(places * rest)
    touched_b = count * size_b(self)
    read_b = total_b(indices) + min(bytes_of(values), touched_b) + (touched_b if accumulate else 0.0)
    vectors = (Vector("fp32", count),)
    return Work(Kind.GATHER, (), vectors, read_b, touched_b, Pattern.GATHER)


@op("aclnnIndexPutImpl", work=_index_put_work)
@bounded
def index_put_impl(
    self: Tensor, indices: list[Tensor], values: Tensor, accumulate: bool, unsafe: bool
) -> None:
    # Nothing but empty vectors: one of them was a real index (no list is all None) and selects nothing.
    if any(index.numel() for index in indices):
        torch.ops.aten.index_put_(self, _indices(self, indices), like(values, self), accumulate)


@op("aclnnIndexSelect", work=gathering())
@bounded
def index_select(self: Tensor, dim: int, index: Tensor, out: Tensor) -> None:
    torch.index_select(self, dim, index, out=out)


@op("aclnnIndexAdd", work=scattering(reads_target=True, outs=1))
@bounded
def index_add(self: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Scalar, out: Tensor) -> None:
    start(out, self).index_add_(dim, index, like(source, out), alpha=alpha)


@op("aclnnIndexAddV2", work=scattering(reads_target=True, outs=1))
def index_add_v2(
    self: Tensor, dim: int, index: Tensor, source: Tensor, alpha: Scalar, mode: int, out: Tensor
) -> None:
    index_add(self, dim, index, source, alpha, out)


@op("aclnnInplaceIndexCopy", work=scattering())
@bounded
def inplace_index_copy(self: Tensor, dim: int, index: Tensor, source: Tensor) -> None:
    self.index_copy_(dim, long(index), like(source, self))


@op("aclnnIndexCopy", work=scattering(outs=1))
def index_copy(self: Tensor, dim: int, index: Tensor, source: Tensor, out: Tensor) -> None:
    inplace_index_copy(start(out, self), dim, index, source)


@op("aclnnInplaceIndexFill", work=filling_places())
@bounded
def inplace_index_fill(self: Tensor, dim: int, index: Tensor, value: Scalar) -> None:
    self.index_fill_(dim, long(index), value)


@op("aclnnIndexFill", work=filling_places(1))
def index_fill(self: Tensor, dim: int, index: Tensor, value: Scalar, out: Tensor) -> None:
    inplace_index_fill(start(out, self), dim, index, value)


@op("aclnnInplaceIndexFillTensor", work=filling_places())
def inplace_index_fill_tensor(self: Tensor, dim: int, index: list[int], value: Scalar) -> None:
    inplace_index_fill(self, dim, torch.tensor(index, dtype=torch.int64), value)


@op("aclnnIndexFillTensor", work=filling_places(1))
def index_fill_tensor(self: Tensor, dim: int, index: list[int], value: Scalar, out: Tensor) -> None:
    inplace_index_fill_tensor(start(out, self), dim, index, value)


@op("aclnnGather", work=gathering())
@bounded
def gather(self: Tensor, dim: int, index: Tensor, out: Tensor) -> None:
    torch.gather(self, dim, long(index), out=out)


@op("aclnnGatherV3", work=gathering())
@bounded
def gather_v3(self: Tensor, dim: int, index: Tensor, batch_dims: int, mode: int, out: Tensor) -> None:
    """`dim` is replaced by the sizes of the index, apart for each element of the first `batch_dims` ones."""
    dim %= max(1, self.dim())
    if batch_dims:
        for part, rows, result in zip(self, index, out, strict=True):
            gather_v3(part, dim - 1, rows, batch_dims - 1, mode, result)
        return
    result = self.index_select(dim, index.reshape(-1))
    out.copy_(result.reshape(out.shape))


@op("aclnnTake", work=gathering())
@bounded
def take(self: Tensor, index: Tensor, out: Tensor) -> None:
    torch.take(self, long(index), out=out)


@op("aclnnInplacePut", work=scattering(1, 2))
@bounded
def inplace_put(self: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> None:
    self.put_(long(index), like(source, self), accumulate)


@op("aclnnInplaceMaskedFillScalar", "aclnnInplaceMaskedFillTensor", work=pointwise(outs=0))
def inplace_masked_fill(self: Tensor, mask: Tensor, value: Scalar | Tensor) -> None:
    if isinstance(value, Tensor):
        value = value.reshape(())
    self.masked_fill_(mask.bool(), value)


@op("aclnnInplaceMaskedScatter", work=pointwise(2, outs=0))
@bounded
def inplace_masked_scatter(self: Tensor, mask: Tensor, source: Tensor) -> None:
    self.masked_scatter_(mask.bool(), like(source, self))


@op("aclnnMaskedSelect", sized=True, work=reducing())
def masked_select(self: Tensor, mask: Tensor, out: Tensor) -> Sizes:
    result = torch.masked_select(self, mask.bool())
    front(out, len(result)).copy_(result)
    return {2: (len(result),)}


@op("aclnnNonzero", sized=True, work=reducing())
def nonzero(self: Tensor, out: Tensor) -> Sizes:
    result = torch.nonzero(self)
    front(out, *result.shape).copy_(result)
    return {1: tuple(result.shape)}


@op("aclnnNonzeroV2", sized=True, work=reducing())
def nonzero_v2(self: Tensor, out: Tensor) -> Sizes:
    """The transposed form: one row for each dimension."""
    result = torch.nonzero(self).t()
    front(out, *result.shape).copy_(result)
    return {1: tuple(result.shape)}


def _search_work(sequence: Operand, *rest: Any) -> Work:
    """Bisection for each value: every step looks at another place."""
    out = rest[-1]
    depth = math.log2(max(2, sequence.sizes[-1] if sequence.sizes else 1))
    vectors = (Vector("fp32", 3.0 * depth * out.elements),)
    read_b = total_b(sequence, rest[0])
    return Work(Kind.GATHER, (), vectors, read_b, bytes_of(out), Pattern.GATHER)


def _bucketize_work(self: Operand, boundaries: Operand, out_int32: bool, right: bool, out: Operand) -> Work:
    return _search_work(boundaries, self, out)


@op("aclnnSearchSorted", work=_search_work)
@bounded
def search_sorted(
    sequence: Tensor, self: Tensor, out_int32: bool, right: bool, sorter: Tensor | None, out: Tensor
) -> None:
    torch.searchsorted(sequence, self, out_int32=out_int32, right=right, sorter=sorter, out=out)


@op("aclnnSearchSorteds", work=_search_work)
@bounded
def search_sorted_scalar(
    sequence: Tensor, value: Scalar, out_int32: bool, right: bool, sorter: Tensor | None, out: Tensor
) -> None:
    result = torch.searchsorted(sequence, value, out_int32=out_int32, right=right, sorter=sorter)
    out.copy_(result.reshape(out.shape))


@op("aclnnBucketize", work=_bucketize_work)
def bucketize(self: Tensor, boundaries: Tensor, out_int32: bool, right: bool, out: Tensor) -> None:
    torch.bucketize(self, boundaries, out_int32=out_int32, right=right, out=out)
