"""Look-ups in tables of vectors, and one-hot codes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.results import store
from jumar.ops.rules import filling, gathering, sorting_work
from jumar.ops.traffic import bytes_of, size_b, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

aten: Any = torch.ops.aten


def _signed(number: int) -> int:
    """The adapter passes -1 (no padding index) through an unsigned 64-bit argument."""
    return number - (1 << 64) if number >= 1 << 63 else number


@op("aclnnEmbedding", work=gathering())
def embedding(weight: Tensor, indices: Tensor, out: Tensor) -> None:
    if weight.dtype is out.dtype and out.is_contiguous():
        torch.index_select(weight, 0, indices.reshape(-1), out=out.view(-1, *weight.shape[1:]))
    else:
        store(out, weight.index_select(0, indices.reshape(-1)))


def _embedding_backward_work(grad: Operand, indices: Operand, *rest: Any) -> Work:
    """Indices are sorted, the table is set to zero, and rows are added to the places where they belong."""
    out = rest[-1]
    order = sorting_work([indices], [indices, indices], indices.elements)
    vectors = (*order.vectors, Vector("fp32", float(grad.elements)))
    added_b = float(grad.elements * size_b(out))
    read_b = order.read_b + bytes_of(grad) + added_b
    written_b = order.written_b + bytes_of(out) + added_b
    return Work(Kind.GATHER, (), vectors, read_b, written_b, Pattern.GATHER, 2 + order.launches)


@op("aclnnEmbeddingDenseBackward", work=_embedding_backward_work)
def embedding_dense_backward(
    grad: Tensor, indices: Tensor, num_weights: int, padding_index: int, scale_by_frequency: bool, out: Tensor
) -> None:
    arguments = (num_weights, _signed(padding_index), scale_by_frequency)
    store(out, aten.embedding_dense_backward(grad, indices, *arguments))


def _renorm_work(self: Operand, indices: Operand, max_norm: float, norm_type: float) -> Work:
    """The rows that are named are read, measured and, too long as they may be, written again."""
    rows_b = min(float(indices.elements * self.sizes[-1] * size_b(self)), bytes_of(self))
    vectors = (Vector("fp32", 3.0 * rows_b / size_b(self)),)
    return Work(Kind.GATHER, (), vectors, bytes_of(indices) + rows_b, rows_b, Pattern.GATHER)


@op("aclnnEmbeddingRenorm", work=_renorm_work)
def embedding_renorm_(self: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    torch.embedding_renorm_(self, indices, max_norm, norm_type)


def _bag_work(weight: Operand, indices: Operand, *rest: Any) -> Work:
    """Every row that is named is read and added to its bag."""
    count = float(indices.elements * weight.sizes[-1])
    read_b = count * size_b(weight) + total_b(indices, *rest[:-4])
    vectors = (Vector("fp32", count),)
    return Work(Kind.GATHER, (), vectors, read_b, total_b(*rest[-4:]), Pattern.GATHER)


@op("aclnnEmbeddingBag", work=_bag_work)
def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_by_frequency: bool,
    mode: int,
    sparse: bool,
    sample_weights: Tensor | None,
    include_last_offset: bool,
    padding_index: int,
    out: Tensor,
    offset_to_bag: Tensor,
    bag_size: Tensor,
    max_indices: Tensor,
) -> None:
    """Where PyTorch leaves one of the last three empty and the adapter does not, it is zero."""
    offsets = offsets.to(indices.dtype)
    value, *rest = aten._embedding_bag(
        weight,
        indices,
        offsets,
        scale_by_frequency,
        mode,
        sparse,
        sample_weights,
        include_last_offset,
        padding_index,
    )
    store(out, value)
    for output, result in zip((offset_to_bag, bag_size, max_indices), rest, strict=True):
        if output.numel() == result.numel():
            store(output, result)
        else:
            output.zero_()


@op("aclnnOneHot", work=filling(1))
def one_hot(self: Tensor, depth: int, on: Tensor, off: Tensor, axis: int, out: Tensor) -> None:
    classes = torch.arange(depth, dtype=self.dtype)
    axis = axis if axis >= 0 else axis + out.dim()
    classes = classes.view(*[1] * axis, -1, *[1] * (self.dim() - axis))
    store(out, torch.where(self.unsqueeze(axis) == classes, on, off))
