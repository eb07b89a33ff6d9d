"""Embeddings against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_same, blank, call, gradients


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("integer", (torch.int64, torch.int32))
@pytest.mark.parametrize("padding", (-1, 2))
@pytest.mark.parametrize("by_frequency", (False, True))
def test_embedding(
    by_frequency: bool, padding: int, integer: torch.dtype, dtype: torch.dtype, layout: Any
) -> None:
    weight, indices = layout(torch.randn(10, 6, dtype=dtype)), torch.randint(10, (3, 7)).to(integer)
    wanted, grad, (to_weight,) = gradients(
        lambda w: torch.embedding(w, indices, padding, by_frequency), [weight]
    )
    out, grad_weight = blank(wanted, layout), blank(weight, layout)
    call("aclnnEmbedding", weight, indices, out)
    call("aclnnEmbeddingDenseBackward", grad, indices, 10, padding % (1 << 64), by_frequency, grad_weight)
    assert_same(out, wanted)
    assert_same(grad_weight, to_weight)


@pytest.mark.parametrize("mode", (0, 1, 2))
@pytest.mark.parametrize("include_last", (False, True))
@pytest.mark.parametrize("padding", (-1, 3))
@pytest.mark.parametrize("weighted", (False, True))
def test_embedding_bag(mode: int, include_last: bool, padding: int, weighted: bool) -> None:
    if weighted and mode:
        pytest.skip("sample weights exist for sums only")
    weight, indices = torch.randn(10, 6), torch.randint(10, (12,))
    offsets = torch.tensor([0, 4, 4, 9] + [12] * include_last)
    samples = torch.rand(12) if weighted else None
    arguments = (weight, indices, offsets, False, mode, False, samples, include_last, padding)
    wanted, places, sizes, maxima = torch.ops.aten._embedding_bag(*arguments)
    outs = blank(wanted), torch.ones(12).long(), torch.ones(4).long(), torch.ones(maxima.shape).long()
    call("aclnnEmbeddingBag", *arguments, *outs)
    assert_same(outs[0], wanted)
    assert_same(outs[2], sizes)
    assert_same(outs[3], maxima)
    assert_same(outs[1], places if places.numel() else torch.zeros(12).long())


def test_renorm_and_one_hot() -> None:
    weight, indices = torch.randn(5, 8) * 4, torch.tensor([1, 3, 1])
    wanted = torch.embedding_renorm_(weight.clone(), indices, 1.5, 2.0)
    call("aclnnEmbeddingRenorm", weight, indices, 1.5, 2.0)
    assert_same(weight, wanted)
    for axis in (-1, 1, 0):
        self, out = torch.randint(4, (3, 5)), None
        wanted = F.one_hot(self, 4).movedim(-1, axis)
        out = torch.empty(wanted.shape, dtype=torch.int64)
        call("aclnnOneHot", self, 4, torch.tensor([1]), torch.tensor([0]), axis, out)
        assert_same(out, wanted)
