"""Scatter operators against PyTorch's own, on contiguous and strided tensors, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from .layouts import LAYOUTS, laid, run

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8]

INDEX = torch.tensor([[0, 1, 2, 0], [2, 2, 0, 1]])


def values(dtype: torch.dtype, *sizes: int) -> Tensor:
    numbers = torch.arange(torch.Size(sizes).numel()).view(sizes)
    return (numbers * 7 % 11 + 1).to(dtype)


@pytest.mark.parametrize("index_type", [torch.int64, torch.int32])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", [0, 1, 2])
def test_scatter(reduction: int, dtype: torch.dtype, layout: str, index_type: torch.dtype) -> None:
    self, source, index = values(dtype, 3, 4), laid(values(dtype, 2, 4), layout), INDEX.to(index_type)
    how: dict[str, Any] = {1: {"reduce": "add"}, 2: {"reduce": "multiply"}}.get(reduction, {})
    for given, suffix in ((source, ""), (3, "Value")):
        expected = self.scatter(0, INDEX, given, **how)
        out = laid(torch.zeros_like(self), layout)
        run(f"aclnnScatter{suffix}", laid(self, layout), 0, index, given, reduction, out)
        assert torch.equal(out, expected)
        mine = laid(self, layout)
        run(f"aclnnInplaceScatter{suffix}", mine, -2, index, given, reduction)
        assert torch.equal(mine, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scatter_add(dtype: torch.dtype, layout: str) -> None:
    self, source = values(dtype, 3, 4), values(dtype, 2, 4)
    expected = self.scatter_add(0, INDEX, source)
    mine = laid(self, layout)
    run("aclnnScatterAdd", mine, 0, INDEX, laid(source, layout), mine)  # the adapter passes one tensor twice
    assert torch.equal(mine, expected)
    out = laid(torch.zeros_like(self), layout)
    run("aclnnScatterAdd", self, 0, INDEX.int(), source, out)
    assert torch.equal(out, expected)


@pytest.mark.parametrize("include_self", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", range(6))
def test_scatter_reduce(reduction: int, dtype: torch.dtype, include_self: bool) -> None:
    name = ["", "sum", "prod", "amax", "amin", "mean"][reduction]
    self, source = values(dtype, 3, 4), values(dtype, 2, 4)
    if name:
        expected = self.scatter_reduce(0, INDEX, source, name, include_self=include_self)
    else:
        expected = self.scatter(0, INDEX, source)
    out = torch.zeros_like(self)
    run("aclnnScatterReduce", self, 0, INDEX, source, reduction, include_self, out)
    assert torch.equal(out, expected)
    mine = laid(self, "transposed")
    run("aclnnInplaceScatterReduce", mine, 0, INDEX.int(), source, reduction, include_self)
    assert torch.equal(mine, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scatter_nd_update(layout: str) -> None:
    self, mine = values(torch.float32, 3, 4, 2), laid(values(torch.float32, 3, 4, 2), layout)
    places, updates = torch.tensor([[0, 1], [2, 3]]), torch.tensor([[50.0, 51], [60, 61]])
    run("aclnnScatterNdUpdate", mine, places.int(), updates)
    self[0, 1], self[2, 3] = updates
    assert torch.equal(mine, self)
    run("aclnnScatterNdUpdate", mine, torch.tensor([[1]]), updates.new_ones(1, 4, 2))
    self[1] = 1
    assert torch.equal(mine, self)


@pytest.mark.parametrize("axis", [2, -2])
def test_scatter_update_writes_a_run_in_each_batch(axis: int) -> None:
    cache, update = torch.zeros(2, 3, 5, 4), values(torch.float32, 2, 3, 2, 4)
    run("aclnnInplaceScatterUpdate", cache, torch.tensor([3, 0]), update, axis)
    expected = torch.zeros(2, 3, 5, 4)
    expected[0, :, 3:5], expected[1, :, 0:2] = update
    assert torch.equal(cache, expected)
    run("aclnnInplaceScatterUpdate", cache, torch.tensor([[1, 3]]), update[:1], axis)
    expected[1, :, 3:5] = update[0]
    assert torch.equal(cache, expected)


@pytest.mark.parametrize("axis", [-2, 2])
def test_scatter_list(axis: int) -> None:
    caches, update = [torch.zeros(3, 5, 4) for _ in range(3)], values(torch.float32, 3, 3, 1, 4)
    mask = torch.tensor([1, 0, 1], dtype=torch.uint8)
    run("aclnnScatterList", caches, torch.tensor([4, 1, 0]), update, mask, "update", axis)
    assert torch.equal(caches[0][:, 4], update[0, :, 0])
    assert not caches[1].any()
    assert torch.equal(caches[2][:, 0], update[2, :, 0])


X = torch.zeros(3, 4)
BAD = torch.tensor([[0, 77]])
OUT_OF_RANGE: list[tuple[str, list[Any]]] = [
    ("aclnnScatter", [X, 0, BAD, torch.ones(1, 2), 0, X.clone()]),
    ("aclnnScatter", [X, 0, -BAD, torch.ones(1, 2), 1, X.clone()]),
    ("aclnnInplaceScatterValue", [X.clone(), 0, BAD, 1.0, 0]),
    ("aclnnScatterAdd", [X, 1, BAD, torch.ones(1, 2), X.clone()]),
    (
        "aclnnScatterAdd",
        [torch.zeros(8, 16), 0, BAD.t().expand(2, 16), torch.ones(2, 16), torch.zeros(8, 16)],
    ),
    ("aclnnScatterReduce", [X, 1, BAD, torch.ones(1, 2), 5, True, X.clone()]),
    ("aclnnScatterNdUpdate", [X.clone(), BAD, torch.ones(1)]),
    ("aclnnInplaceScatterUpdate", [torch.zeros(1, 3, 4), torch.tensor([2]), torch.ones(1, 2, 4), 1]),
    ("aclnnInplaceScatterUpdate", [torch.zeros(1, 3, 4), torch.tensor([[9, 0]]), torch.ones(1, 2, 4), 1]),
    ("aclnnScatterList", [[X.clone()], torch.tensor([3]), torch.ones(1, 1, 4), None, "update", -2]),
]


@pytest.mark.parametrize("case", range(len(OUT_OF_RANGE)), ids=lambda case: f"{case}-{OUT_OF_RANGE[case][0]}")
def test_index_out_of_range(case: int) -> None:
    name, arguments = OUT_OF_RANGE[case]
    with pytest.raises(IndexError):
        run(name, *arguments)
