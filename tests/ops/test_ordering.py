"""Sorting, unique and running extrema against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from .layouts import LAYOUTS, laid, run

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]


def values(dtype: torch.dtype, *sizes: int) -> Tensor:
    numbers = torch.arange(torch.Size(sizes).numel()).view(sizes)
    result = (numbers * 7 % 5).to(dtype)
    if dtype.is_floating_point and result.numel() > 4:
        result.view(-1)[2] = float("nan")
    return result


def same(mine: Tensor, theirs: Tensor) -> bool:
    return mine.dtype is theirs.dtype and torch.allclose(mine.double(), theirs.double(), 0, 0, equal_nan=True)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("largest", [False, True])
def test_sort_and_topk(largest: bool, dim: int, dtype: torch.dtype, layout: str) -> None:
    self = values(dtype, 4, 5)
    expected = torch.sort(self, stable=True, dim=dim, descending=largest)
    outs = [laid(torch.zeros(4, 5, dtype=kind), layout) for kind in (dtype, torch.int64)]
    run("aclnnSort", laid(self, layout), False, dim, largest, *outs)
    assert all(map(same, outs, expected))
    source = self.byte() if dtype is torch.bool else self
    expected = torch.topk(source, 3, dim, largest)
    for kind, name, extra in ((torch.int64, "aclnnTopk", []), (torch.int32, "aclnnTopkV2", [3])):
        outs = [laid(torch.zeros(expected[0].shape, dtype=type_), layout) for type_ in (dtype, kind)]
        run(name, laid(self, layout), 3, dim, largest, True, *extra, *outs)
        assert same(outs[0], expected[0].to(dtype)) and same(outs[1], expected[1].to(kind))


def test_sort_of_nothing_and_of_one_number() -> None:
    for self in (torch.zeros(0), torch.zeros(3, 0), torch.tensor(5.0)):
        outs = torch.zeros_like(self), torch.zeros_like(self, dtype=torch.int64)
        run("aclnnSort", self, False, -1, False, *outs)
        assert torch.equal(outs[0], self)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [*DTYPES[3:], torch.float32])
def test_unique(dtype: torch.dtype, layout: str) -> None:
    self = values(dtype, 3, 4).nan_to_num()
    source = laid(self, layout)
    result, places, numbers = torch.unique(self, return_inverse=True, return_counts=True)
    found, inverse = torch.zeros(12, dtype=dtype), torch.zeros(3, 4, dtype=torch.int64)
    assert run("aclnnUnique", source, True, True, found, inverse) == {3: tuple(result.shape)}
    assert torch.equal(found[: len(result)], result) and torch.equal(inverse, places)
    counts = torch.zeros(12, dtype=torch.int64)
    sizes = run("aclnnUnique2", source, True, True, True, found, inverse, counts)
    assert sizes[4] == sizes[6] == tuple(result.shape)
    assert torch.equal(counts[: len(result)], numbers) and torch.equal(inverse, places)
    nothing = torch.zeros(0, dtype=torch.int64)
    assert run("aclnnUnique2", source, True, False, False, found, nothing, nothing)[4] == tuple(result.shape)


@pytest.mark.parametrize("dim", [None, 0, 1])
def test_unique_consecutive(dim: int | None) -> None:
    self = torch.tensor([[1, 1, 2], [1, 1, 2], [3, 3, 3]])
    result, places, numbers = torch.unique_consecutive(self, True, True, dim)
    found = torch.zeros(9, dtype=torch.int64) if dim is None else torch.zeros(3, 3, dtype=torch.int64)
    inverse, counts = torch.zeros_like(places), torch.zeros(9, dtype=torch.int64)
    sizes = run(
        "aclnnUniqueConsecutive", self, True, True, 1000 if dim is None else dim, found, inverse, counts
    )
    assert sizes[4] == tuple(result.shape) and sizes[6] == tuple(numbers.shape)
    assert torch.equal(found.view(-1)[: result.numel()].view(result.shape), result)
    assert torch.equal(inverse, places) and torch.equal(counts[: len(numbers)], numbers)


@pytest.mark.parametrize("dim", [0, 1])
def test_unique_dim(dim: int) -> None:
    self = torch.tensor([[3, 1, 3], [1, 1, 1], [3, 1, 3]])
    result, places, numbers = torch.unique(self, True, True, True, dim)
    found = torch.zeros(3, 3, dtype=torch.int64)
    inverse, counts = torch.zeros(3, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
    sizes = run("aclnnUniqueDim", self, True, True, dim, found, inverse, counts)
    assert sizes == {4: tuple(result.shape), 6: tuple(numbers.shape)}
    assert torch.equal(found.view(-1)[: result.numel()].view(result.shape), result)
    assert torch.equal(inverse, places) and torch.equal(counts[: len(numbers)], numbers)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extrema(name: str, dim: int, dtype: torch.dtype, layout: str) -> None:
    self = values(dtype, 4, 5)
    expected = getattr(torch, name)(self, dim)
    for kind in (torch.int64, torch.int32):
        outs = [laid(torch.zeros(4, 5, dtype=type_), layout) for type_ in (dtype, kind)]
        run(f"aclnn{name.capitalize()}", laid(self, layout), dim, *outs)
        assert same(outs[0], expected[0]) and same(outs[1], expected[1].to(kind))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums_and_products(name: str, dtype: torch.dtype, layout: str) -> None:
    self = values(dtype, 4, 5)
    for dim in (0, -1):
        expected = getattr(torch, name)(self, dim)
        out = laid(torch.zeros_like(expected), layout)
        run(f"aclnn{name.capitalize()}", laid(self, layout), dim, expected.dtype, out)
        assert same(out, expected)
    wide = torch.zeros(4, 5, dtype=torch.float32)
    run(f"aclnn{name.capitalize()}", self, 0, torch.float32, wide)
    assert same(wide, getattr(torch, name)(self, 0, dtype=torch.float32))


def test_running_operators_on_one_number_and_on_nothing() -> None:
    for name in ("Cummax", "Cummin"):
        out, places = torch.zeros(()), torch.ones((), dtype=torch.int64)
        run(f"aclnn{name}", torch.tensor(3.0), 0, out, places)
        assert (float(out), int(places)) == (3.0, 0)
        run(f"aclnn{name}", torch.zeros(0, 3), 0, torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64))
    out = torch.zeros(())
    run("aclnnCumsum", torch.tensor(3.0), -1, torch.float32, out)
    assert float(out) == 3.0
