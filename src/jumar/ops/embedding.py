"""Look-ups in tables of vectors, and one-hot codes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op
from jumar.ops.results import store
from jumar.ops.rules import filling, gathering

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


@op("aclnnEmbeddingDenseBackward")
def embedding_dense_backward(
    grad: Tensor, indices: Tensor, num_weights: int, padding_index: int, scale_by_frequency: bool, out: Tensor
) -> None:
    arguments = (num_weights, _signed(padding_index), scale_by_frequency)
    store(out, aten.embedding_dense_backward(grad, indices, *arguments))


@op("aclnnEmbeddingRenorm")
def embedding_renorm_(self: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    torch.embedding_renorm_(self, indices, max_norm, norm_type)


@op("aclnnEmbeddingBag")
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
