"""Joining, splitting, repeating and rearranging: the data movement that leaves every element as it is."""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.bounds import bounded
from jumar.ops.registry import op
from jumar.ops.rules import copying, gathering, pointwise, reducing, sliced
from jumar.ops.slices import strided_slice

Scalar = int | float | bool | complex


@op("aclnnCat", work=copying())
def cat(tensors: list[Tensor], dim: int, out: Tensor) -> None:
    torch.cat(tensors, dim, out=out)


@op("aclnnStack", work=copying())
def stack(tensors: list[Tensor], dim: int, out: Tensor) -> None:
    torch.stack(tensors, dim, out=out)


@op("aclnnSplitWithSize", work=copying())
def split_with_size(self: Tensor, sizes: list[int], dim: int, outs: list[Tensor]) -> None:
    for piece, out in zip(torch.split(self, sizes, dim), outs, strict=True):
        out.copy_(piece)


@op("aclnnChunkCat", work=copying())
def chunk_cat(tensors: list[Tensor], dim: int, num_chunks: int, out: Tensor) -> None:
    torch._chunk_cat(tensors, dim, num_chunks, out=out)


@op("aclnnRepeat", work=copying())
def repeat(self: Tensor, repeats: list[int], out: Tensor) -> None:
    """Each dimension becomes a pair (times, size) of a broadcast copy, so no temporary is needed."""
    if not out.is_contiguous():
        out.copy_(self.repeat(repeats))
        return
    sizes = (1,) * (len(repeats) - self.dim()) + tuple(self.shape)
    pairs = [number for pair in zip(repeats, sizes, strict=True) for number in pair]
    ones = [number for size in sizes for number in (1, size)]
    out.view(pairs).copy_(self.reshape(ones).expand(pairs))


@op("aclnnRepeatInterleaveIntWithDim", work=copying())
def repeat_interleave_int_dim(self: Tensor, repeats: int, dim: int, output_size: int, out: Tensor) -> None:
    if out.numel():
        dim %= max(1, self.dim())
        torch.unflatten(out, dim, (-1, repeats)).copy_(self.unsqueeze(dim + 1))


@op("aclnnRepeatInterleaveInt", work=copying())
def repeat_interleave_int(self: Tensor, repeats: int, output_size: int, out: Tensor) -> None:
    repeat_interleave_int_dim(self.reshape(-1), repeats, 0, output_size, out)


@op("aclnnRepeatInterleaveWithDim", work=gathering())
@bounded
def repeat_interleave_dim(self: Tensor, repeats: Tensor, dim: int, output_size: int, out: Tensor) -> None:
    repeats = repeats.reshape(-1)
    if len(repeats) == 1:
        repeats = repeats.expand(self.shape[dim])
    places = torch.repeat_interleave(repeats, output_size=out.shape[dim])
    torch.index_select(self, dim, places, out=out)


@op("aclnnRepeatInterleave", work=gathering())
def repeat_interleave(self: Tensor, repeats: Tensor, output_size: int, out: Tensor) -> None:
    repeat_interleave_dim(self.reshape(-1), repeats, 0, output_size, out)


@op("aclnnRepeatInterleaveTensor", work=pointwise(4))
def repeat_interleave_tensor(repeats: Tensor, output_size: int, out: Tensor) -> None:
    out.copy_(torch.repeat_interleave(repeats, output_size=out.numel()))


@op("aclnnRepeatInterleaveGrad", work=reducing())
@bounded
def repeat_interleave_grad(grad: Tensor, repeats: Tensor, dim: int, out: Tensor) -> None:
    places = torch.repeat_interleave(repeats.reshape(-1), output_size=grad.shape[dim])
    out.zero_().index_add_(dim, places, grad)


@op("aclnnRoll", work=copying())
def roll(self: Tensor, shifts: list[int], dims: list[int], out: Tensor) -> None:
    out.copy_(torch.roll(self, shifts, dims))


@op("aclnnFlip", work=copying())
def flip(self: Tensor, dims: list[int], out: Tensor) -> None:
    out.copy_(torch.flip(self, dims))


@op("aclnnChannelShuffle", work=copying())
def channel_shuffle(self: Tensor, groups: int, out: Tensor) -> None:
    batch, channels, *rest = self.shape
    pairs = self.reshape(batch, groups, channels // groups, *rest).transpose(1, 2)
    out.copy_(pairs.reshape(self.shape))


@op("aclnnConfusionTranspose", work=copying())
def confusion_transpose(
    self: Tensor, perm: list[int], shape: list[int], transpose_first: bool, out: Tensor
) -> None:
    out.copy_(self.permute(perm).reshape(shape) if transpose_first else self.reshape(shape).permute(perm))


@op("aclnnStridedSlice", work=sliced)
def strided_slice_masks(
    self: Tensor,
    begin: list[int],
    end: list[int],
    strides: list[int],
    begin_mask: int,
    end_mask: int,
    ellipsis_mask: int,
    new_axis_mask: int,
    shrink_axis_mask: int,
    out: Tensor,
) -> None:
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    out.copy_(strided_slice(self, begin, end, strides, *masks).reshape(out.shape))


@op("aclnnTril", work=pointwise(2))
def tril(self: Tensor, diagonal: int, out: Tensor) -> None:
    torch.tril(self, diagonal, out=out)


@op("aclnnTriu", work=pointwise(2))
def triu(self: Tensor, diagonal: int, out: Tensor) -> None:
    torch.triu(self, diagonal, out=out)


@op("aclnnInplaceTril", work=pointwise(2, outs=0))
def inplace_tril(self: Tensor, diagonal: int) -> None:
    self.tril_(diagonal)


@op("aclnnInplaceTriu", work=pointwise(2, outs=0))
def inplace_triu(self: Tensor, diagonal: int) -> None:
    self.triu_(diagonal)


@op("aclnnUnfoldGrad", work=reducing())
def unfold_grad(grad: Tensor, sizes: list[int], dim: int, size: int, step: int, out: Tensor) -> None:
    out.copy_(torch.ops.aten.unfold_backward(grad, sizes, dim, size, step))


@op("aclnnCoalesceSparse", work=reducing(outs=2))
@bounded
def coalesce_sparse(
    unique_len: Tensor,
    unique: Tensor,
    indices: Tensor,
    values: Tensor,
    new_indices: Tensor,
    new_values: Tensor,
) -> None:
    """Entry i of the sparse tensor goes to row unique[i]; values of one row are added."""
    rows = unique.reshape(-1).long()
    new_indices.index_copy_(0, rows, indices.to(new_indices.dtype))
    new_values.zero_().index_add_(0, rows, values.to(new_values.dtype))
