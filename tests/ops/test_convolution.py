"""Convolutions against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_same, blank, call, gradients

# input, weight, stride, padding, dilation, transposed, output padding, groups
CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 4, 9), (6, 4, 3), [2], [1], [1], False, [0], 1),
    ((2, 4, 9, 8), (6, 4, 3, 3), [1, 1], [1, 1], [1, 1], False, [0, 0], 1),
    ((2, 4, 9, 8), (8, 1, 3, 3), [2, 1], [0, 1], [1, 2], False, [0, 0], 4),
    ((2, 4, 5, 5), (4, 3, 3, 3), [2, 2], [1, 1], [1, 1], True, [1, 1], 2),
    ((2, 4, 5, 6, 5), (6, 4, 3, 3, 3), [1, 1, 1], [0, 1, 0], [1, 1, 1], False, [0, 0, 0], 1),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("biased", (True, False))
@pytest.mark.parametrize("case", CASES)
def test_convolution(case: Any, biased: bool, dtype: torch.dtype, layout: Any) -> None:
    sizes, kernel, *settings, groups = case
    self, weight = layout(torch.randn(sizes, dtype=dtype)), torch.randn(kernel, dtype=dtype)
    channels = kernel[1] * groups if settings[3] else kernel[0]
    bias = [torch.randn(channels, dtype=dtype)] if biased else []
    wanted, grad, grads = gradients(
        lambda x, w, *b: torch.convolution(x, w, *(b or [None]), *settings, groups), [self, weight, *bias]
    )
    out = blank(wanted)
    call("aclnnConvolution", self, weight, *(bias or [None]), *settings, groups, out, 1)
    assert_same(out, wanted)
    outs = [blank(tensor) for tensor in (self, weight, *bias)]
    padded = [*outs, None][:3]
    bias_sizes, mask = [channels] if biased else None, [True, True, biased]
    call("aclnnConvolutionBackward", grad, self, weight, bias_sizes, *settings, groups, mask, 1, *padded)
    for got, reference in zip(outs, grads, strict=True):
        assert_same(got, reference)


def test_channels_last() -> None:
    self = torch.randn(2, 4, 8, 8).to(memory_format=torch.channels_last)
    weight = torch.randn(6, 4, 3, 3).to(memory_format=torch.channels_last)
    wanted = F.conv2d(self, weight)
    out = torch.empty(wanted.shape)
    call("aclnnConvolution", self, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, out, 1)
    assert_same(out, wanted)


def test_depthwise() -> None:
    self, weight, bias = torch.randn(2, 4, 8, 8), torch.randn(4, 1, 3, 3), torch.randn(4)
    wanted = F.conv2d(self, weight, bias, 2, 1, groups=4)
    out = blank(wanted)
    call("aclnnConvDepthwise2d", self, weight, [3, 3], bias, [2, 2], [1, 1], [1, 1], out, 1)
    assert_same(out, wanted)


def test_time_batch_channel() -> None:
    tensors = torch.randn(9, 2, 4), torch.randn(3, 4, 6), torch.randn(6)
    wanted, grad, grads = gradients(lambda x, w, b: torch.conv_tbc(x, w, b, 1), tensors)
    out, outs = blank(wanted), [blank(tensor) for tensor in tensors]
    call("aclnnConvTbc", *tensors, 1, out, 1)
    call("aclnnConvTbcBackward", grad, *tensors, 1, 1, *outs)
    for got, reference in zip((out, *outs), (wanted, *grads), strict=True):
        assert_same(got, reference)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_im2col(layout: Any) -> None:
    self = layout(torch.randn(2, 3, 7, 8))
    wanted, grad, (to_self,) = gradients(lambda x: F.unfold(x, 3, 2, 1, 2), [self])
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call("aclnnIm2col", self, [3, 3], [2, 2], [1, 1], [2, 2], out)
    call("aclnnIm2colBackward", grad, [7, 8], [3, 3], [2, 2], [1, 1], [2, 2], grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)
