"""Norms, distances and decompositions against CPU PyTorch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from .compare import LAYOUTS, assert_near, assert_same, blank, call


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", (0, 1, 2, 3, math.inf, -math.inf, 2.5))
@pytest.mark.parametrize(("dims", "keepdim"), ((None, False), ([], False), ([1], True), ([0, 2], False)))
def test_vector_norm(order: Any, dims: Any, keepdim: bool, layout: Any) -> None:
    self = layout(torch.randn(3, 4, 5))
    wanted = torch.linalg.vector_norm(self, order, dims or None, keepdim)
    out = blank(wanted)
    call("aclnnLinalgVectorNorm", self, order, dims, keepdim, torch.float32, out)
    assert_same(out, wanted)


def test_norm_of_half_in_float() -> None:
    self, out = torch.randn(50).half(), torch.empty(())
    call("aclnnLinalgVectorNorm", self, 2, None, False, torch.float32, out)
    assert_same(out, torch.linalg.vector_norm(self, dtype=torch.float32))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_decompositions(layout: Any) -> None:
    base = torch.randn(2, 4, 4)
    self = layout(base @ base.mT + torch.eye(4))
    out, sign, log = blank(self, layout), torch.empty(2), torch.empty(2)
    call("aclnnInverse", self, out)
    assert_same(out, torch.inverse(self))
    call("aclnnLinalgCholesky", self, True, out)
    assert_same(out, torch.linalg.cholesky(self, upper=True))
    call("aclnnSlogdet", self, sign, log)
    assert_same(log, torch.linalg.slogdet(self)[1])
    q, r = blank(self), blank(self)
    call("aclnnLinalgQr", self, 0, q, r)
    assert_same(q, torch.linalg.qr(self)[0])
    assert_same(r, torch.linalg.qr(self)[1])
    right = torch.randn(2, 4, 3)
    solution, copied = blank(right), blank(self)
    call("aclnnTriangularSolve", right, self, True, False, False, solution, copied)
    assert_same(solution, torch.linalg.solve_triangular(self, right, upper=True))


@pytest.mark.parametrize("full", (False, True))
def test_svd(full: bool) -> None:
    self = torch.randn(5, 3)
    u, s, vh = torch.linalg.svd(self, full)
    values, left, right = blank(s), blank(u), blank(vh)
    call("aclnnSvd", self, full, True, values, left, right.mT)
    for got, wanted in zip((values, left, right), (s, u, vh), strict=True):
        assert_same(got, wanted)


def test_distances() -> None:
    one, two = torch.randn(2, 4, 3), torch.randn(2, 5, 3)
    for order in (1.0, 2.0, 3.0):
        wanted = torch.cdist(one, two, order)
        out = blank(wanted)
        call("aclnnCdist", one, two, order, 2, out)
        assert_same(out, wanted)
        grad, grad_one = torch.randn(wanted.shape), blank(one)
        leaf = one.clone().requires_grad_()
        (reference,) = torch.autograd.grad(torch.cdist(leaf, two, order), leaf, grad)
        call("aclnnCdistBackward", grad, one, two, wanted, order, grad_one)
        assert_near(grad_one, reference)
    flat = torch.empty(6)
    call("aclnnPdist", one[0], 2.0, flat)
    assert_same(flat, torch.pdist(one[0]))
    crossed = blank(one)
    call("aclnnLinalgCross", one, one.flip(0), -1, crossed)
    assert_same(crossed, torch.linalg.cross(one, one.flip(0)))
