"""Indexing operators against PyTorch's own, on contiguous and strided tensors, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from .layouts import LAYOUTS, laid, run, values

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]


def number(value: float, dtype: torch.dtype) -> Any:
    return bool(value) if dtype is torch.bool else int(value)


ROWS = torch.tensor([2, 0, 2, -1])
PLACES = torch.tensor([2, 0, 1])
INTO = torch.tensor([[0, 1, 2, 0], [2, 2, 0, 1]])

# name -> (arguments after self and before the output, what PyTorch gives)
INTO_OUTPUT: dict[str, tuple[Callable[[Tensor], list[Any]], Callable[[Tensor], Tensor]]] = {
    "aclnnIndexSelect": (lambda x: [1, PLACES], lambda x: x.index_select(1, PLACES)),
    "aclnnGather": (lambda x: [0, INTO], lambda x: x.gather(0, INTO)),
    "aclnnTake": (lambda x: [INTO], lambda x: x.take(INTO)),
    "aclnnIndexAdd": (
        lambda x: [0, PLACES.int(), x.flip(0), 1],
        lambda x: x.index_add(0, PLACES, x.flip(0)),
    ),
    "aclnnIndexAddV2": (lambda x: [0, PLACES, x.flip(0), 1, 0], lambda x: x.index_add(0, PLACES, x.flip(0))),
    "aclnnIndexCopy": (lambda x: [0, PLACES.int(), x.flip(0)], lambda x: x.index_copy(0, PLACES, x.flip(0))),
    "aclnnIndexFill": (
        lambda x: [-1, PLACES.int(), number(1, x.dtype)],
        lambda x: x.index_fill(-1, PLACES, number(1, x.dtype)),
    ),
    "aclnnIndexFillTensor": (
        lambda x: [-1, [2, 0], number(1, x.dtype)],
        lambda x: x.index_fill(-1, torch.tensor([2, 0]), number(1, x.dtype)),
    ),
    "aclnnGatherV3": (lambda x: [0, INTO[0], 0, 1], lambda x: x[INTO[0]]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", INTO_OUTPUT)
def test_into_output(name: str, dtype: torch.dtype, layout: str) -> None:
    arguments, reference = INTO_OUTPUT[name]
    self = values(dtype, 3, 4)
    expected = reference(self)
    out = laid(torch.zeros_like(expected), layout)
    run(name, laid(self, layout), *arguments(self), out)
    assert torch.equal(out, expected)


# name -> (operator's own arguments after self, PyTorch's in-place method)
IN_PLACE: dict[str, tuple[Callable[[Tensor], list[Any]], Callable[[Tensor], Any]]] = {
    "aclnnInplaceIndexCopy": (
        lambda x: [0, PLACES, x.flip(0)],
        lambda x: x.index_copy_(0, PLACES, x.flip(0)),
    ),
    "aclnnInplaceIndexFill": (lambda x: [1, PLACES, 1], lambda x: x.index_fill_(1, PLACES, 1)),
    "aclnnInplaceIndexFillTensor": (
        lambda x: [1, [-1], 1],
        lambda x: x.index_fill_(1, torch.tensor([-1]), 1),
    ),
    "aclnnInplacePut": (lambda x: [INTO, x[:2].flip(0), True], lambda x: x.put_(INTO, x[:2].flip(0), True)),
    "aclnnInplaceMaskedFillScalar": (lambda x: [x[:1] > 3, 1], lambda x: x.masked_fill_(x[:1] > 3, 1)),
    "aclnnInplaceMaskedFillTensor": (
        lambda x: [(x > 3).byte(), torch.ones(1, dtype=x.dtype)],
        lambda x: x.masked_fill_(x > 3, 1),
    ),
    "aclnnInplaceMaskedScatter": (
        lambda x: [x > 3, x.flip(1)],
        lambda x: x.masked_scatter_(x > 3, x.flip(1)),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name: str, dtype: torch.dtype, layout: str) -> None:
    arguments, reference = IN_PLACE[name]
    self = values(dtype, 3, 4)
    mine = laid(self, layout)
    run(name, mine, *arguments(self))
    reference(self)
    assert torch.equal(mine, self)


NONE = slice(None)
MASK = torch.tensor([True, False, True])

# What a program writes in the brackets, what the adapter passes (None: an empty vector of the tensor's type)
BRACKETS = [
    ((ROWS,), [ROWS]),
    ((NONE, PLACES), [None, PLACES]),
    ((ROWS.int(),), [ROWS.int()]),
    ((INTO, NONE, INTO), [INTO, None, INTO]),
    ((NONE, NONE, INTO), [None, None, INTO]),
    ((MASK, NONE, 1), [MASK.nonzero().view(-1), None, torch.tensor(1)]),
    ((ROWS[:0],), [ROWS[:0]]),
    ((NONE, ROWS[:0]), [None, ROWS[:0]]),
    ((torch.zeros(3, dtype=torch.bool),), [ROWS[:0]]),
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", range(len(BRACKETS)))
def test_index_and_index_put(case: int, dtype: torch.dtype, layout: str) -> None:
    brackets, passed = BRACKETS[case]
    self = values(dtype, 3, 4, 3)
    indices = [torch.empty(0, dtype=dtype) if index is None else index for index in passed]
    expected = self[brackets]
    out = laid(torch.zeros_like(expected), layout)
    run("aclnnIndex", laid(self, layout), indices, out)
    assert torch.equal(out, expected)
    for accumulate in (False, True):
        for source in (expected.flip(0).contiguous(), torch.ones(1, dtype=dtype)):
            mine, theirs = laid(self, layout), self.clone()
            run("aclnnIndexPutImpl", mine, indices, source, accumulate, False)
            torch.ops.aten.index_put_(theirs, _explicit(brackets), source, accumulate)
            assert torch.equal(mine, theirs)


def _explicit(brackets: tuple[Any, ...]) -> list[Tensor | None]:
    return [None if isinstance(part, slice) else torch.as_tensor(part) for part in brackets]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sized(dtype: torch.dtype, layout: str) -> None:
    self = values(dtype, 3, 4, 2)
    source, chosen = laid(self, layout), self > 4
    out = torch.zeros(self.numel(), dtype=dtype)
    assert run("aclnnMaskedSelect", source, chosen, out) == {2: (int(chosen.sum()),)}
    assert torch.equal(out[: int(chosen.sum())], self[chosen])
    places = self.nonzero()
    out = torch.zeros(self.numel(), 3, dtype=torch.int64)
    assert run("aclnnNonzero", source, out) == {1: tuple(places.shape)}
    assert torch.equal(out.view(-1)[: places.numel()].view(places.shape), places)
    out = torch.zeros(3, self.numel(), dtype=torch.int64)
    assert run("aclnnNonzeroV2", source, out) == {1: (3, len(places))}
    assert torch.equal(out.view(-1)[: places.numel()].view(3, -1), places.t())


def test_sized_broadcasts_and_empty() -> None:
    self, mask = torch.arange(6.0).view(2, 3), torch.tensor([[True], [False]])
    out = torch.zeros(6)
    assert run("aclnnMaskedSelect", self, mask, out) == {2: (3,)}
    assert torch.equal(out[:3], self[0])
    assert run("aclnnNonzero", torch.zeros(0, 3), torch.zeros(0, 2, dtype=torch.int64)) == {1: (0, 2)}
    assert run("aclnnNonzero", torch.tensor(2.0), torch.zeros(1, 0, dtype=torch.int64)) == {1: (1, 0)}
    assert run("aclnnNonzeroV2", torch.zeros(4), torch.zeros(1, 4, dtype=torch.int64)) == {1: (1, 0)}


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int32])
def test_searchsorted(dtype: torch.dtype, right: bool) -> None:
    sequence, wanted = torch.tensor([1, 3, 5, 7], dtype=dtype), torch.tensor([[3, 0], [9, 4]], dtype=dtype)
    expected = torch.searchsorted(sequence, wanted, right=right)
    out = torch.zeros(2, 2, dtype=torch.int64)
    run("aclnnSearchSorted", sequence, wanted, False, right, None, out)
    assert torch.equal(out, expected)
    out = torch.zeros(2, 2, dtype=torch.int32)
    run("aclnnBucketize", wanted, sequence, True, right, out)
    assert torch.equal(out, expected.int())
    order = torch.tensor([3, 1, 0, 2])
    run("aclnnSearchSorted", sequence[torch.tensor([2, 1, 3, 0])], wanted, True, right, order, out)
    assert torch.equal(out, expected.int())
    scalar = torch.zeros((), dtype=torch.int64)
    run("aclnnSearchSorteds", sequence, 3, False, right, None, scalar)
    assert int(scalar) == int(expected[0, 0])


def test_gather_v3_in_batches() -> None:
    self, index = values(torch.float32, 2, 3, 4), torch.tensor([[0, 2], [1, 1]])
    out = torch.zeros(2, 2, 4)
    run("aclnnGatherV3", self, 1, index, 1, 0, out)
    assert torch.equal(out, torch.stack([self[0, index[0]], self[1, index[1]]]))


BAD = torch.tensor([0, 77])
X = torch.zeros(3, 4)

OUT_OF_RANGE: list[tuple[str, list[Any]]] = [
    ("aclnnIndex", [X, [BAD], torch.zeros(2, 4)]),
    ("aclnnIndex", [X, [-BAD], torch.zeros(2, 4)]),
    ("aclnnIndexPutImpl", [X.clone(), [BAD], X[:2].clone(), True, False]),
    ("aclnnIndexSelect", [X, 0, BAD, torch.zeros(2, 4)]),
    ("aclnnIndexSelect", [X, 1, BAD, torch.zeros(3, 2)]),
    ("aclnnIndexSelect", [X, 1, -BAD, torch.zeros(3, 2)]),
    ("aclnnIndexAdd", [X, 0, BAD, X[:2].clone(), 1, torch.zeros(3, 4)]),
    ("aclnnInplaceIndexCopy", [X.clone(), 0, BAD, X[:2].clone()]),
    ("aclnnInplaceIndexFill", [X.clone(), 0, BAD, 1.0]),
    ("aclnnGather", [X, 1, BAD.view(2, 1), torch.zeros(2, 1)]),
    ("aclnnGather", [X, 1, BAD.view(1, 2), torch.zeros(1, 2)]),
    ("aclnnGatherV3", [X, 0, BAD, 0, 1, torch.zeros(2, 4)]),
    ("aclnnTake", [X, BAD, torch.zeros(2)]),
    ("aclnnInplacePut", [X.clone(), BAD, torch.zeros(2), False]),
    ("aclnnInplaceMaskedScatter", [X.clone(), X == 0, torch.zeros(2)]),
    ("aclnnSearchSorted", [X[0], X[0], False, False, torch.tensor([0, 1, 2, 9]), X[0].long()]),
]


@pytest.mark.parametrize("case", range(len(OUT_OF_RANGE)), ids=lambda case: f"{case}-{OUT_OF_RANGE[case][0]}")
def test_index_out_of_range(case: int) -> None:
    name, arguments = OUT_OF_RANGE[case]
    with pytest.raises(IndexError):
        run(name, *arguments)
