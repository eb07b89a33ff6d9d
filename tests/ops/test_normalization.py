"""Layer, group, batch and root-mean-square normalisation against CPU PyTorch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call, gradients

ALL = [True, True, True]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("affine", (True, False))
@pytest.mark.parametrize("sizes", ([6], [5, 6]))
def test_layer_norm(sizes: list[int], affine: bool, dtype: torch.dtype, layout: Any) -> None:
    """The adapter hands in ones and zeros where the program has no weight and bias, but in the derivative only."""
    self = layout(torch.randn(4, 5, 6, dtype=dtype))
    weight, bias = (
        (torch.randn(sizes, dtype=dtype), torch.randn(sizes, dtype=dtype)) if affine else (None, None)
    )
    wanted = F.layer_norm(self, sizes, weight, bias)
    statistics = [*self.shape[: 3 - len(sizes)], *[1] * len(sizes)]
    out, mean, rstd = blank(wanted), torch.empty(statistics), torch.empty(statistics)
    call("aclnnLayerNorm", self, sizes, weight, bias, 1e-5, out, mean, rstd)
    assert_same(out, wanted)
    assert_near(mean, self.float().mean(list(range(-len(sizes), 0)), True))

    one, zero = torch.ones(sizes, dtype=dtype), torch.zeros(sizes, dtype=dtype)
    given = (one, zero) if weight is None or bias is None else (weight, bias)
    _, grad, grads = gradients(lambda x, w, b: F.layer_norm(x, sizes, w, b), [self, *given])
    outs = blank(self), torch.empty(sizes), torch.empty(sizes)
    call("aclnnLayerNormBackward", grad, self, sizes, mean, rstd, *given, ALL, *outs)
    for got, reference in zip(outs, grads, strict=True):
        assert_same(got.to(dtype), reference)
    call(
        "aclnnLayerNormBackward",
        grad,
        self,
        sizes,
        mean,
        rstd,
        *given,
        [True, False, False],
        outs[0],
        None,
        None,
    )


def test_empty_layer_norm() -> None:
    self, out = torch.empty(0, 6), torch.empty(0, 6)
    call(
        "aclnnLayerNorm", self, [6], torch.ones(6), torch.zeros(6), 1e-5, out, torch.empty(0), torch.empty(0)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("affine", (True, False))
def test_group_norm(affine: bool, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(2, 6, 3, 4, dtype=dtype))
    given = (torch.randn(6, dtype=dtype), torch.randn(6, dtype=dtype)) if affine else ()
    wanted, grad, grads = gradients(lambda x, *p: F.group_norm(x, 3, *p), [self, *given])
    parameters = given or (None, None)
    out, mean, rstd = blank(wanted), torch.empty(2, 3, dtype=dtype), torch.empty(2, 3, dtype=dtype)
    call("aclnnGroupNorm", self, *parameters, 2, 6, 12, 3, 1e-5, out, mean, rstd)
    assert_same(out, wanted)
    outs = blank(self), *(torch.empty(6, dtype=dtype) for _ in given)
    padded = (*outs, None, None)[:3]
    mask = [output is not None for output in padded]
    call("aclnnGroupNormBackward", grad, self, mean, rstd, parameters[0], 2, 6, 12, 3, mask, *padded)
    for got, reference in zip(outs, grads, strict=True):
        assert_same(got, reference)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("training", (True, False))
@pytest.mark.parametrize("affine", (True, False))
@pytest.mark.parametrize("sizes", ((8, 5), (4, 5, 6), (4, 5, 6, 3), (2, 5, 3, 2, 2)))
def test_batch_norm(sizes: Any, affine: bool, training: bool, dtype: torch.dtype, layout: Any) -> None:
    self = layout(torch.randn(sizes, dtype=dtype))
    given = (torch.randn(5), torch.randn(5)) if affine else ()
    running = torch.randn(5), torch.rand(5)
    copies = [tensor.clone() for tensor in running]
    wanted, grad, grads = gradients(
        lambda x, *p: F.batch_norm(x, copies[0], copies[1], *p, training=training, momentum=0.2),
        [self, *given],
    )
    parameters = given or (None, None)
    out, mean, invstd = blank(wanted), torch.empty(5), torch.empty(5)
    call("aclnnBatchNorm", self, *parameters, *running, training, 0.2, 1e-5, out, mean, invstd)
    assert_same(out, wanted)
    for got, reference in zip(running, copies, strict=True):
        assert_same(got, reference)
    outs = blank(self), *(torch.empty(5) for _ in given)
    padded = (*outs, None, None)[:3]
    mask = [output is not None for output in padded]
    arguments = (grad, self, parameters[0], *running, mean, invstd, training, 1e-5, mask)
    call("aclnnBatchNormBackward", *arguments, *padded)
    for got, reference in zip(outs, grads, strict=True):
        assert_same(got, reference)


@pytest.mark.parametrize("dtype", (torch.bfloat16, torch.float16))
def test_batch_norm_in_16_bits_throughout(dtype: torch.dtype) -> None:
    self, weight, bias = torch.randn(4, 5, 6).to(dtype), torch.randn(5).to(dtype), torch.randn(5).to(dtype)
    running = torch.zeros(5, dtype=dtype), torch.ones(5, dtype=dtype)
    copies = [tensor.clone() for tensor in running]
    wanted, grad, grads = gradients(
        lambda x, w, b: F.batch_norm(x, copies[0], copies[1], w, b, training=True), [self, weight, bias]
    )
    out, mean, invstd = blank(self), torch.empty(5), torch.empty(5)
    call("aclnnBatchNorm", self, weight, bias, *running, True, 0.1, 1e-5, out, mean, invstd)
    outs = blank(self), torch.empty(5), torch.empty(5)
    call("aclnnBatchNormBackward", grad, self, weight, *running, mean, invstd, True, 1e-5, ALL, *outs)
    for got, reference in zip((out, *running, *outs), (wanted, *copies, *grads), strict=True):
        assert_same(got.to(dtype), reference)


def test_batch_norm_in_parts() -> None:
    """Two chips with different numbers of elements put together the statistics and gradients of the whole."""
    parts = torch.randn(3, 4, 5), torch.randn(2, 4, 5)
    whole = torch.cat(parts)
    weight, bias = torch.randn(4), torch.randn(4)
    means, invstds = torch.empty(2, 4), torch.empty(2, 4)
    for part, mean, invstd in zip(parts, means, invstds, strict=True):
        call("aclnnBatchNormStats", part, 1e-5, mean, invstd)
    counts = torch.tensor([15.0, 10.0])
    running = torch.zeros(4), torch.ones(4)
    mean, invstd = torch.empty(4), torch.empty(4)
    call(
        "aclnnBatchNormGatherStatsWithCounts",
        whole,
        means,
        invstds,
        *running,
        0.1,
        1e-5,
        counts,
        mean,
        invstd,
    )
    references = torch.zeros(4), torch.ones(4)
    wanted, grad, (to_self, to_weight, to_bias) = gradients(
        lambda x, w, b: F.batch_norm(x, *references, w, b, training=True), [whole, weight, bias]
    )
    out = blank(wanted)
    call("aclnnBatchNormElemt", whole, weight, bias, mean, invstd, 1e-5, out)
    assert_near(out, wanted)
    for got, reference in zip(running, references, strict=True):
        assert_near(got, reference)
    sums = torch.empty(4), torch.empty(4), torch.empty(4), torch.empty(4)
    call("aclnnBatchNormReduceBackward", grad, whole, mean, invstd, weight, True, True, True, *sums)
    grad_self = blank(whole)
    call(
        "aclnnBatchNormElemtBackward", grad, whole, mean, invstd, weight, sums[0], sums[1], counts, grad_self
    )
    assert_near(grad_self, to_self)
    assert_near(sums[2], to_weight)
    assert_near(sums[3], to_bias)


def test_vendor_sync_batch_norm() -> None:
    self = torch.randn(6, 4, 5)
    total, square, mean, invstd = (torch.empty(4) for _ in range(4))
    call("aclnnBatchNormReduce", self, total, square)
    running, counts = (torch.zeros(4), torch.ones(4)), torch.tensor([30], dtype=torch.int32)
    call(
        "aclnnSyncBatchNormGatherStats", total[None], square[None], counts, *running, 0.1, 1e-5, mean, invstd
    )
    assert_near(mean, self.mean((0, 2)))
    assert_near(invstd, torch.rsqrt(self.var((0, 2), correction=0) + 1e-5))


@pytest.mark.parametrize("dtype", FLOATS)
def test_rms_norm(dtype: torch.dtype) -> None:
    self, gamma = torch.randn(3, 4, 8, dtype=dtype), torch.randn(8, dtype=dtype)
    wanted, grad, (to_self, to_gamma) = gradients(
        lambda x, g: F.rms_norm(x, [8], g, 1e-6), [self.float(), gamma.float()]
    )
    out, rstd, grad_self, grad_gamma = blank(self), torch.empty(3, 4, 1), blank(self), torch.empty(8)
    call("aclnnRmsNorm", self, gamma, 1e-6, out, rstd)
    call("aclnnRmsNormGrad", grad, self, rstd, gamma, grad_self, grad_gamma)
    assert_near(out, wanted)
    assert_near(grad_self, to_self)
    assert_near(grad_gamma, to_gamma)
    call("aclnnGemmaRmsNorm", self, gamma, 1e-6, out, rstd)
    assert_near(out, F.rms_norm(self.float(), [8], gamma.float() + 1, 1e-6))


def test_add_rms_norm() -> None:
    one, two, gamma = torch.randn(3, 8), torch.randn(3, 8), torch.randn(8)
    wanted = F.rms_norm(one + two, [8], gamma, 1e-6)
    out, rstd, total, cast = blank(one), torch.empty(3, 1), blank(one), blank(one)
    call("aclnnAddRmsNorm", one, two, gamma, 1e-6, out, rstd, total)
    assert_near(out, wanted)
    assert_same(total, one + two)
    call("aclnnAddRmsNormCast", one, two, gamma, 1e-6, out, cast, rstd, total)
    assert_near(cast, wanted)
    call("aclnnInplaceAddRmsNorm", one, two, gamma, 1e-6, rstd)
    assert_near(one, wanted)
    assert_same(two, total)


def test_add_layer_norm_and_deep_norm() -> None:
    one, two, gamma, beta = torch.randn(3, 8), torch.randn(3, 8), torch.randn(8), torch.randn(8)
    wanted, grad, (to_one, _, to_gamma, to_beta) = gradients(
        lambda x, y, g, b: F.layer_norm(x + y, [8], g, b), [one, two, gamma, beta]
    )
    out, mean, rstd, total = blank(one), torch.empty(3, 1), torch.empty(3, 1), blank(one)
    call("aclnnAddLayerNorm", one, two, gamma, beta, None, 1e-5, True, out, mean, rstd, total)
    assert_near(out, wanted)
    outs = blank(one), torch.empty(8), torch.empty(8)
    call("aclnnAddLayerNormGrad", grad, one, two, rstd, mean, gamma, torch.ones(3, 8), *outs)
    for got, reference in zip(outs, (to_one + 1, to_gamma, to_beta), strict=True):
        assert_near(got, reference)

    wanted, grad, (to_one, to_two, to_gamma, to_beta) = gradients(
        lambda x, y, g, b: F.layer_norm(0.3 * x + y, [8], g, b), [one, two, gamma, beta]
    )
    call("aclnnDeepNorm", one, two, beta, gamma, 0.3, 1e-5, mean, rstd, out)
    assert_near(out, wanted)
    more = blank(one), blank(one), torch.empty(8), torch.empty(8)
    call("aclnnDeepNormGrad", grad, one, two, gamma, mean, rstd, 0.3, *more)
    for got, reference in zip(more, (to_one, to_two, to_beta, to_gamma), strict=True):
        assert_near(got, reference)


def test_group_norm_swish() -> None:
    self, weight, bias = torch.randn(2, 6, 5), torch.randn(6), torch.randn(6)

    def reference(x: Any, w: Any, b: Any) -> Any:
        value = F.group_norm(x, 3, w, b)
        return value * torch.sigmoid(0.7 * value)

    wanted, grad, (to_self, to_weight, to_bias) = gradients(reference, [self, weight, bias])
    out, mean, rstd = blank(self), torch.empty(2, 3), torch.empty(2, 3)
    call("aclnnGroupNormSwish", self, weight, bias, 3, "NCHW", 1e-5, True, 0.7, out, mean, rstd)
    assert_near(out, wanted)
    outs = blank(self), torch.empty(6), torch.empty(6)
    call("aclnnGroupNormSwishGrad", grad, mean, rstd, self, weight, bias, 3, "NCHW", 0.7, True, True, *outs)
    for got, expected in zip(outs, (to_self, to_weight, to_bias), strict=True):
        assert_near(got, expected)
    call("aclnnGroupNormSilu", self, weight, bias, 3, 1e-5, out, mean, rstd)
    assert_near(out, F.silu(F.group_norm(self, 3, weight, bias)))
