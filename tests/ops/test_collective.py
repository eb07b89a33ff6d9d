"""Reductions of collectives: in the order of ranks, also into one of the inputs."""

from __future__ import annotations

import pytest
import torch

from jumar.ops.collective import reduction


@pytest.mark.parametrize(
    ("name", "expected"), [("sum", [6, 9]), ("prod", [6, 24]), ("max", [3, 4]), ("min", [1, 2])]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int8, torch.int64])
def test_of_three_ranks(name: str, expected: list[int], dtype: torch.dtype) -> None:
    ranks = [torch.tensor(values, dtype=dtype) for values in ([1, 2], [2, 3], [3, 4])]
    reduction(ranks, [ranks[1]], {"reduction": name})
    assert ranks[1].tolist() == expected
    assert ranks[0].tolist() == [1, 2] and ranks[2].tolist() == [3, 4]


def test_the_order_of_ranks_and_rounding_after_each() -> None:
    ranks = [torch.tensor([value], dtype=torch.bfloat16) for value in (256.0, 1.0, 1.0)]
    out = torch.empty(1, dtype=torch.bfloat16)
    reduction(ranks, [out], {"reduction": "sum"})
    assert out.item() == 256.0  # 256 + 1 is 256 in bfloat16, twice; 1 + 1 first would give 258


def test_one_rank_copies() -> None:
    out = torch.empty(2)
    reduction([torch.tensor([1.0, 2.0])], [out], {"reduction": "sum"})
    assert out.tolist() == [1, 2]
