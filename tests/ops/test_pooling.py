"""Pooling against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_same, blank, call, gradients

AVERAGES: tuple[tuple[list[int], list[int], list[int], bool, bool, int], ...] = (
    ([3, 3], [2, 2], [1, 1], False, True, 0),
    ([3, 2], [2, 2], [1, 0], True, False, 0),
    ([2, 2], [], [0, 0], False, True, 3),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("settings", AVERAGES)
def test_average_2d(settings: Any, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(2, 3, 9, 8, dtype=dtype))
    wanted, grad, (to_self,) = gradients(
        lambda x: torch.ops.aten.avg_pool2d(x, *settings[:5], settings[5] or None), [self]
    )
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call("aclnnAvgPool2d", self, *settings, 1, out)
    call("aclnnAvgPool2dBackward", layout(grad), self, *settings, 1, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_average_3d(dtype: torch.dtype, layout: Any) -> None:
    """CPU PyTorch has this in 32 bits only."""
    self = layout(torch.randn(2, 3, 6, 9, 8, dtype=dtype))
    settings = ([2, 3, 3], [2, 2, 2], [0, 1, 1], True, False)
    wanted, grad, (to_self,) = gradients(lambda x: F.avg_pool3d(x, *settings), [self.float()])
    wanted, grad, to_self = wanted.to(dtype), grad.to(dtype), to_self.to(dtype)
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call("aclnnAvgPool3d", self, *settings, 0, out)
    call("aclnnAvgPool3dBackward", grad, self, *settings, 0, grad_self)
    assert_same(out, wanted)
    torch.testing.assert_close(grad_self, to_self, rtol=0.02, atol=0.002)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("sizes", ([1, 1], [3, 4], [2, 3, 2], [1, 1, 1]))
def test_adaptive_average(sizes: list[int], dtype: torch.dtype, layout: Any) -> None:
    dims = len(sizes)
    self = layout(torch.randn(2, 3, *[6, 9, 8][:dims], dtype=dtype))
    function = F.adaptive_avg_pool2d if dims == 2 else F.adaptive_avg_pool3d
    wanted, grad, (to_self,) = gradients(lambda x: function(x, sizes), [self])
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call(f"aclnnAdaptiveAvgPool{dims}d", self, sizes, out)
    call(f"aclnnAdaptiveAvgPool{dims}dBackward", grad, self, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("integer", (torch.int64, torch.int32))
@pytest.mark.parametrize("sizes", ([3, 4], [2, 3, 2]))
def test_adaptive_maximum(sizes: list[int], integer: torch.dtype, layout: Any) -> None:
    dims = len(sizes)
    self = layout(torch.randn(2, 3, *[6, 9, 8][:dims]))
    function = F.adaptive_max_pool2d if dims == 2 else F.adaptive_max_pool3d
    wanted, grad, (to_self,) = gradients(lambda x: function(x, sizes), [self])
    out, indices, grad_self = blank(wanted), torch.empty(wanted.shape, dtype=integer), blank(self)
    call(f"aclnnAdaptiveMaxPool{dims}d", self, sizes, out, indices)
    call(f"aclnnAdaptiveMaxPool{dims}dBackward", grad, self, indices, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


MAXIMA: tuple[tuple[list[int], list[int], list[int], list[int], bool], ...] = (
    ([3, 3], [2, 2], [1, 1], [1, 1], False),
    ([2, 3], [1, 2], [1, 0], [2, 1], True),
    ([1, 1], [2, 2], [0, 0], [1, 1], False),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("masked", (True, False))
@pytest.mark.parametrize("settings", MAXIMA)
def test_maximum_2d(settings: Any, masked: bool, dtype: torch.dtype, layout: Any) -> None:
    """The mask has the size that the adapter gives it."""
    self = layout(torch.randn(2, 3, 12, 13, dtype=dtype))
    wanted, grad, (to_self,) = gradients(lambda x: F.max_pool2d(x, *settings), [self])
    out, grad_self = blank(wanted), blank(self)
    kernel = settings[0]
    blocks = -(-wanted.shape[-2] * wanted.shape[-1] // 16) + 1
    if masked:
        places = torch.zeros(2, 3, kernel[0] * kernel[1], blocks * 32, dtype=torch.int8)
    else:
        places = torch.zeros(wanted.shape, dtype=torch.int32)
    kind = "Mask" if masked else "Indices"
    call(f"aclnnMaxPool2dWith{kind}", self, *settings, out, places)
    call(f"aclnnMaxPool2dWith{kind}Backward", grad, self, places, *settings, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


def test_maximum_3d_and_unpooling() -> None:
    self = torch.randn(2, 3, 6, 8, 8)
    settings = ([2, 2, 2], [2, 2, 2], [0, 0, 0], [1, 1, 1], False)
    wanted, grad, (to_self,) = gradients(lambda x: F.max_pool3d(x, *settings), [self])
    out, indices, grad_self = blank(wanted), torch.empty(wanted.shape, dtype=torch.int32), blank(self)
    call("aclnnMaxPool3dWithArgmax", self, *settings, out, indices)
    call("aclnnMaxPool3dWithArgmaxBackward", grad, self, indices, *settings, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)
    back = blank(self)
    call("aclnnMaxUnpool3d", out, indices, [6, 8, 8], [2, 2, 2], [0, 0, 0], back)
    assert_same(back, F.max_unpool3d(wanted, indices.long(), 2))
    flat, places = F.max_pool2d(self[:, 0], 2, return_indices=True)
    back = torch.empty(2, 6, 8, 8)
    call("aclnnMaxUnpool2d", flat, places, [8, 8], back)
    assert_same(back, F.max_unpool2d(flat, places, 2))
