"""Softmax operators against CPU PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call, gradients


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("dim", (-1, 1, 0))
@pytest.mark.parametrize(("name", "reference"), (("Softmax", F.softmax), ("LogSoftmax", F.log_softmax)))
def test_softmax(name: str, reference: Any, dim: int, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(4, 5, 6, dtype=dtype))
    wanted, grad, (to_self,) = gradients(lambda x: reference(x, dim), [self])
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call(f"aclnn{name}", self, dim, out)
    call(f"aclnn{name}Backward", layout(grad), layout(wanted), dim, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


def test_softmax_in_place() -> None:
    self = torch.randn(3, 70)
    wanted = self.softmax(-1)
    call("aclnnSoftmax", self, -1, self)
    assert_same(self, wanted)


def test_softmax_from_half_to_float() -> None:
    self = torch.randn(4, 6).bfloat16()
    out = torch.empty(4, 6)
    call("aclnnSoftmax", self, -1, out)
    assert_same(out, self.softmax(-1, torch.float32))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("fixed", (False, True))
def test_scaled_masked_softmax(dtype: torch.dtype, fixed: bool) -> None:
    self, mask = torch.randn(2, 3, 8, 8, dtype=dtype), torch.rand(2, 1, 8, 8) < 0.3
    applied = torch.ones(8, 8, dtype=torch.bool).triu(1) if fixed else mask
    wanted, grad, (to_self,) = gradients(
        lambda x: F.softmax((x * 0.5).masked_fill(applied, -10000), -1), [self.float()]
    )
    out, grad_self = blank(self), blank(self)
    call("aclnnScaledMaskedSoftmax", self, mask, 0.5, fixed, out)
    call("aclnnScaledMaskedSoftmaxBackward", grad, wanted, mask, 0.5, fixed, grad_self)
    assert_near(out, wanted)
    assert_near(grad_self, to_self)
