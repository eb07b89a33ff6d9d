"""Rotary position embeddings against the turn of complex numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from .compare import FLOATS, assert_near, blank, call

# mode: where the two parts of each pair lie in input and output
PAIRS: dict[int, Any] = {
    0: (lambda x: x.chunk(2, -1), lambda a, b: torch.cat((a, b), -1)),
    1: (lambda x: (x[..., ::2], x[..., 1::2]), lambda a, b: torch.stack((a, b), -1).flatten(-2)),
    3: (lambda x: (x[..., ::2], x[..., 1::2]), lambda a, b: torch.cat((a, b), -1)),
}


def _turn(x: Tensor, angle: Tensor, mode: int) -> Tensor:
    split, join = PAIRS[mode]
    one, two = split(x)
    cos, sin = angle.cos(), angle.sin()
    turned: Tensor = join(one * cos - two * sin, two * cos + one * sin)
    return turned


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("mode", PAIRS)
def test_rotary(mode: int, dtype: torch.dtype) -> None:
    self, angle = torch.randn(2, 5, 3, 8).to(dtype), torch.rand(1, 5, 1, 4)
    table = PAIRS[0 if mode == 3 else mode][1](angle, angle)
    cos, sin = table.cos().to(dtype), table.sin().to(dtype)
    leaf = self.float().requires_grad_()
    wanted = _turn(leaf, angle, mode)
    grad = torch.randn(wanted.shape).to(dtype)
    (reference,) = torch.autograd.grad(wanted, leaf, grad.float())
    out, grad_self, grad_cos, grad_sin = blank(self), blank(self), blank(cos), blank(sin)
    call("aclnnRotaryPositionEmbedding", self, cos, sin, mode, out)
    tolerance = {"rtol": 0.02, "atol": 0.02} if dtype is not torch.float32 else {"rtol": 1e-5, "atol": 1e-6}
    torch.testing.assert_close(out.float(), wanted.detach(), **tolerance)
    call("aclnnRotaryPositionEmbeddingGrad", grad, cos, sin, self, mode, grad_self, grad_cos, grad_sin)
    torch.testing.assert_close(grad_self.float(), reference, **tolerance)


def test_gradients_of_tables() -> None:
    self, cos, sin = (
        torch.randn(sizes, requires_grad=True) for sizes in ((2, 5, 3, 8), (1, 5, 1, 8), (1, 5, 1, 8))
    )
    one, two = self.chunk(2, -1)
    wanted = self * cos + torch.cat((-two, one), -1) * sin
    grad = torch.randn(wanted.shape)
    references = torch.autograd.grad(wanted, (self, cos, sin), grad)
    outs = [blank(tensor.detach()) for tensor in (self, cos, sin)]
    call("aclnnRotaryPositionEmbeddingGrad", grad, cos.detach(), sin.detach(), self.detach(), 0, *outs)
    for got, reference in zip(outs, references, strict=True):
        assert_near(got, reference)


def test_in_place_and_from_cache() -> None:
    query, key, angle = torch.randn(2, 5, 3, 8), torch.randn(2, 5, 1, 8), torch.rand(1, 5, 1, 4)
    table = torch.cat((angle, angle), -1)
    wanted = _turn(query, angle, 0), _turn(key, angle, 0)
    pair = query.clone(), key.clone()
    call("aclnnApplyRotaryPosEmb", *pair, table.cos(), table.sin(), 1)
    for got, reference in zip(pair, wanted, strict=True):
        assert_near(got, reference)
    out = blank(query)
    call("aclnnInterleaveRope", query, table.cos(), table.sin(), out)
    assert_near(out, _turn(query, angle, 3))

    angles, positions = torch.rand(10, 4), torch.tensor([3, 0, 9])
    tokens = torch.randn(3, 16)
    outs = blank(tokens), blank(tokens)
    cache = torch.cat((angles.cos(), angles.sin()), -1)
    call("aclnnRopeWithSinCosCache", positions, tokens, tokens, cache, [0, 0, 0], 8, True, *outs)
    assert_near(outs[0], _turn(tokens.view(3, 2, 8), angles[positions][:, None], 0).flatten(1))
