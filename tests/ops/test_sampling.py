"""Token sampling filters against the plain formulas."""

from __future__ import annotations

import math
from typing import Any

import torch

from jumar.ops.registry import operators

LOGITS = torch.randn(4, 50, generator=torch.Generator().manual_seed(0))
K, P = torch.tensor([5, 50, 1, 20], dtype=torch.int32), torch.tensor([0.9, 0.5, 0.9, 1.0])


def run(name: str, *arguments: Any) -> Any:
    return operators()[name].run(*arguments)


def kept(row: torch.Tensor, k: int, p: float) -> set[int]:
    values, places = row.sort(descending=True, stable=True)
    chances = values[:k].softmax(0)
    before = chances.cumsum(0) - chances
    return set(places[:k][before < p].tolist())


def test_filter() -> None:
    out = torch.zeros_like(LOGITS)
    run("aclnnApplyTopKTopP", LOGITS, P, K, out)
    for row, filtered, k, p in zip(LOGITS, out, K.tolist(), P.tolist(), strict=True):
        places = set(filtered.isfinite().nonzero().flatten().tolist())
        assert places == kept(row, k, p)
        assert all(filtered[place] == row[place] for place in places)
    run("aclnnApplyTopKTopP", LOGITS, None, K, out)
    assert out.isfinite().sum(1).tolist() == K.tolist()
    run("aclnnApplyTopKTopP", LOGITS, None, None, out)
    assert torch.equal(out, LOGITS)


def test_sample_takes_the_most_likely_or_the_one_the_noise_favours() -> None:
    select, filtered = torch.zeros(4, dtype=torch.int64), torch.zeros(4, 50)
    run("aclnnTopKTopPSample", LOGITS, K, P, None, 1e-8, True, 32, select, filtered)
    assert torch.equal(select, LOGITS.argmax(1))
    for row, found, k, p in zip(LOGITS, filtered, K.tolist(), P.tolist(), strict=True):
        assert set(found.isfinite().nonzero().flatten().tolist()) == kept(row, k, p)
    noise = torch.ones(4, 50)
    noise[:, 1] = 1e-6  # the second most likely
    run("aclnnTopKTopPSample", LOGITS, torch.full_like(K, 2), P + 1, noise, 1e-8, False, 32, select, filtered)
    assert torch.equal(select, LOGITS.topk(2).indices[:, 1])


def test_sample_with_minimum_and_for_multinomial() -> None:
    select, filtered = torch.zeros(4, 1, dtype=torch.int64), torch.zeros(4, 50)
    places, masked = torch.zeros(4, 50, dtype=torch.int64), torch.zeros(4, 50)
    minimum = torch.tensor([0.0, 0.5, 1.0, 0.1])
    common = [LOGITS, K, P, None, minimum, 1e-8, True, 32, 1024, True, True]
    run("aclnnTopKTopPSampleV2", *common, select, filtered, places, masked)
    assert (masked > 0).sum(1).tolist() == filtered.isfinite().sum(1).tolist()
    assert int((masked[2] > 0).sum()) == 1
    for row in range(4):
        count = int((masked[row] > 0).sum())
        assert torch.equal(places[row, :count], LOGITS[row].sort(descending=True).indices[:count])
        assert math.isclose(float(masked[row, 0]), float(masked[row].max()))
