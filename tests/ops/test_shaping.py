"""Joining, splitting, repeating and rearranging against PyTorch's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from .layouts import LAYOUTS, laid, run, values

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.bool, torch.complex64]


COUNTS = torch.tensor([2, 0, 1])
MASKS = (0, 0, 0, 0, 0)

# (name, arguments between self and the output, what PyTorch gives); self is of size 3 x 4 x 2
CASES: list[tuple[str, list[Any], Callable[[Tensor], Tensor]]] = [
    ("aclnnRepeat", [[2, 1, 3]], lambda x: x.repeat(2, 1, 3)),
    ("aclnnRepeat", [[2, 1, 1, 2]], lambda x: x.repeat(2, 1, 1, 2)),
    ("aclnnRepeat", [[0, 1, 1]], lambda x: x.repeat(0, 1, 1)),
    ("aclnnRepeatInterleaveIntWithDim", [3, 1, 12], lambda x: x.repeat_interleave(3, 1)),
    ("aclnnRepeatInterleaveIntWithDim", [0, -1, 0], lambda x: x.repeat_interleave(0, -1)),
    ("aclnnRepeatInterleaveInt", [2, 48], lambda x: x.repeat_interleave(2)),
    ("aclnnRepeatInterleaveWithDim", [COUNTS, 0, 3], lambda x: x.repeat_interleave(COUNTS, 0)),
    ("aclnnRepeatInterleaveWithDim", [COUNTS[:1].int(), -1, 4], lambda x: x.repeat_interleave(2, -1)),
    ("aclnnRepeatInterleave", [COUNTS.repeat(8), 24], lambda x: x.repeat_interleave(COUNTS.repeat(8))),
    ("aclnnRoll", [[1, -1], [0, 2]], lambda x: x.roll((1, -1), (0, 2))),
    ("aclnnRoll", [[5], []], lambda x: x.roll(5)),
    ("aclnnFlip", [[0, -1]], lambda x: x.flip(0, -1)),
    ("aclnnChannelShuffle", [2], lambda x: torch.channel_shuffle(x, 2)),
    ("aclnnConfusionTranspose", [[1, 0, 2], [4, 6], True], lambda x: x.permute(1, 0, 2).reshape(4, 6)),
    ("aclnnConfusionTranspose", [[1, 0], [4, 6], False], lambda x: x.reshape(4, 6).t()),
    ("aclnnStridedSlice", [[1, 0], [3, 4], [1, 2], *MASKS], lambda x: x[1:3, 0:4:2]),
    ("aclnnStridedSlice", [[-1, 3], [0, -9], [-1, -2], *MASKS], lambda x: x[1:].flip(0)[:, [3, 1]]),
    ("aclnnStridedSlice", [[1, 1], [9, 2], [1, 1], 1, 2, 0, 0, 0], lambda x: x[:, 1:]),
    ("aclnnStridedSlice", [[0, 1], [0, 2], [1, 1], 0, 0, 1, 0, 0], lambda x: x[..., 1:2]),
    ("aclnnStridedSlice", [[0, -2, 0], [0, 0, 1], [1, 1, 1], 0, 0, 0, 1, 2], lambda x: x[None, -2, 0:1]),
    ("aclnnTril", [-1], lambda x: x.tril(-1)),
    ("aclnnTriu", [1], lambda x: x.triu(1)),
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda case: f"{case}-{CASES[case][0]}")
def test_case(case: int, dtype: torch.dtype, layout: str) -> None:
    name, arguments, reference = CASES[case]
    self = values(dtype, 3, 4, 2)
    expected = reference(self)
    out = laid(torch.zeros_like(expected), layout)
    run(name, laid(self, layout), *arguments, out)
    assert torch.equal(out, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_joining_and_splitting(dtype: torch.dtype, layout: str) -> None:
    parts = [laid(values(dtype, 3, size, 2), layout) for size in (1, 4, 0, 2)]
    joined = torch.cat(parts, 1)
    out = laid(torch.zeros_like(joined), layout)
    run("aclnnCat", parts, -2, out)
    assert torch.equal(out, joined)
    pieces = [laid(torch.zeros_like(part), layout) for part in parts]
    run("aclnnSplitWithSize", laid(joined, layout), [1, 4, 0, 2], 1, pieces)
    assert all(map(torch.equal, pieces, parts))
    out = laid(torch.zeros(3, 4, 3, 2, dtype=dtype), layout)
    run("aclnnStack", [parts[1]] * 3, 2, out)
    assert torch.equal(out, torch.stack([parts[1]] * 3, 2))


def test_joining_types() -> None:
    out = torch.zeros(4)
    run("aclnnCat", [torch.tensor([1, 2]), torch.tensor([0.5, 1.5], dtype=torch.bfloat16)], 0, out)
    assert torch.equal(out, torch.tensor([1, 2, 0.5, 1.5]))


def test_chunk_cat() -> None:
    parts = [torch.arange(5.0), torch.arange(6.0).view(3, 2)]
    expected = torch._chunk_cat(parts, 0, 2)
    out = torch.zeros_like(expected)
    run("aclnnChunkCat", parts, 0, 2, out)
    assert torch.equal(out, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_triangles_in_place(layout: str) -> None:
    self = values(torch.float32, 2, 3, 3)
    mine = laid(self, layout)
    run("aclnnInplaceTril", mine, 1)
    assert torch.equal(mine, self.tril(1))
    run("aclnnInplaceTriu", mine, 0)
    assert torch.equal(mine, self.tril(1).triu(0))


def test_repeats_of_numbers() -> None:
    out = torch.zeros(3, dtype=torch.int64)
    run("aclnnRepeatInterleaveTensor", COUNTS, 3, out)
    assert out.tolist() == [0, 0, 2]


def test_gradients() -> None:
    out = torch.ones(4, 3)
    run("aclnnRepeatInterleaveGrad", values(torch.float32, 4, 3), COUNTS, 1, out)
    grad = values(torch.float32, 4, 3)
    assert torch.equal(out, torch.stack([grad[:, 0] + grad[:, 1], torch.zeros(4), grad[:, 2]], 1))
    windows, out = values(torch.float32, 2, 2, 3), torch.ones(2, 4)
    run("aclnnUnfoldGrad", windows, [2, 4], 1, 3, 1, out)
    assert torch.equal(out, torch.ops.aten.unfold_backward(windows, [2, 4], 1, 3, 1))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_one_hot(axis: int) -> None:
    self = torch.tensor([[1, 0, 3], [2, 2, 9]])
    sizes = list(self.shape)
    sizes.insert(axis % 3, 4)
    out = torch.full(sizes, 7, dtype=torch.int64)
    run("aclnnOneHot", self, 4, torch.tensor([1]), torch.tensor([0]), axis, out)
    inside = torch.nn.functional.one_hot(self.clamp(max=4), 5)[..., :4]
    assert torch.equal(out, inside.movedim(-1, axis % 3))


def test_coalesce_sparse() -> None:
    sparse = torch.sparse_coo_tensor([[1, 0, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3), check_invariants=True)
    unique, inverse = torch.unique(torch.tensor([5, 0, 5]), return_inverse=True)
    places, sums = torch.zeros(2, 2, dtype=torch.int32), torch.ones(2)
    run("aclnnCoalesceSparse", unique, inverse, sparse._indices().t(), sparse._values(), places, sums)
    whole = sparse.coalesce()
    assert torch.equal(places.t().long(), whole.indices()) and torch.equal(sums, whole.values())
