"""Losses against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call, gradients

REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}

# operator, further arguments, PyTorch's function
LOSSES: tuple[tuple[str, tuple[Any, ...], Callable[..., Tensor]], ...] = (
    ("MseLoss", (), F.mse_loss),
    ("L1Loss", (), F.l1_loss),
    ("SmoothL1Loss", (1.0,), F.smooth_l1_loss),
    (
        "SmoothL1Loss",
        (float(torch.tensor(0.1)),),
        lambda x, y, reduction: F.smooth_l1_loss(x, y, reduction=reduction, beta=0.1),
    ),
    ("SmoothL1Loss", (0.0,), lambda x, y, reduction: F.smooth_l1_loss(x, y, reduction=reduction, beta=0)),
    ("SoftMarginLoss", (), F.soft_margin_loss),
    ("KlDiv", (False,), F.kl_div),
    ("KlDiv", (True,), lambda x, y, reduction: F.kl_div(x, y, reduction=reduction, log_target=True)),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "arguments", "reference"), LOSSES)
def test_loss(
    name: str, arguments: Any, reference: Any, reduction: str, dtype: torch.dtype, layout: Any
) -> None:
    self, target = layout(torch.rand(6, 5, dtype=dtype)), layout(torch.rand(6, 5, dtype=dtype))
    wanted, grad, (to_self,) = gradients(lambda x: reference(x, target, reduction=reduction), [self])
    out, grad_self = blank(wanted), blank(to_self)
    call(f"aclnn{name}", self, target, REDUCTIONS[reduction], *arguments, out)
    call(f"aclnn{name}Backward", grad, self, target, REDUCTIONS[reduction], *arguments, grad_self)
    assert_same(out, wanted, name)
    assert_same(grad_self, to_self, name)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("log_target", (False, True))
def test_kl_div_target(reduction: str, log_target: bool) -> None:
    self, target = torch.rand(6, 5), torch.rand(6, 5)
    reference = lambda y: F.kl_div(self, y, reduction=reduction, log_target=log_target)  # noqa: E731
    _, grad, (wanted,) = gradients(reference, [target])
    out = blank(wanted)
    call("aclnnKlDivTargetBackward", grad, self, target, REDUCTIONS[reduction], log_target, out)
    assert_near(out, wanted)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("integer", (torch.int64, torch.int32))
@pytest.mark.parametrize("sizes", ((300, 5), (5,), (4, 5, 6, 7)))
def test_nll_loss(
    sizes: tuple[int, ...], reduction: str, weighted: bool, dtype: torch.dtype, integer: torch.dtype
) -> None:
    """Weights of ones, which the adapter makes up, must count like no weights even in 16 bits."""
    self = torch.randn(sizes).log_softmax(min(1, len(sizes) - 1)).to(dtype)
    target = torch.randint(5, (*sizes[:1], *sizes[2:]) if len(sizes) > 1 else ())
    if target.dim():
        target.view(-1)[::3] = -100
    weight = torch.rand(5).to(dtype) if weighted else None
    given = torch.ones(5, dtype=dtype) if weight is None else weight
    wanted, grad, (to_self,) = gradients(lambda x: F.nll_loss(x, target, weight, reduction=reduction), [self])
    name = "aclnnNLLLoss2d" if len(sizes) == 4 else "aclnnNLLLoss"
    out, total, grad_self = blank(wanted), torch.empty((), dtype=dtype), blank(self)
    call(name, self, target.to(integer), given, REDUCTIONS[reduction], -100, out, total)
    call(
        f"{name}Backward",
        grad,
        self,
        target.to(integer),
        given,
        REDUCTIONS[reduction],
        -100,
        total,
        grad_self,
    )
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("dtype", FLOATS)
def test_binary_cross_entropy(reduction: str, weighted: bool, dtype: torch.dtype) -> None:
    self, target = torch.rand(6, 5).to(dtype), torch.rand(6, 5).to(dtype)
    weight = torch.rand(6, 5).to(dtype) if weighted else None
    wanted, grad, (to_self,) = gradients(
        lambda x: F.binary_cross_entropy(x, target, weight, reduction=reduction), [self]
    )
    out, grad_self = blank(wanted), blank(self)
    call("aclnnBinaryCrossEntropy", self, target, weight, REDUCTIONS[reduction], out)
    call("aclnnBinaryCrossEntropyBackward", grad, self, target, weight, REDUCTIONS[reduction], grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize("positive", (False, True))
@pytest.mark.parametrize("dtype", FLOATS)
def test_bce_with_logits(reduction: str, weighted: bool, positive: bool, dtype: torch.dtype) -> None:
    self, target = torch.randn(6, 5).to(dtype), torch.rand(6, 5).to(dtype)
    weight = torch.rand(6, 5).to(dtype) if weighted else None
    pos_weight = torch.rand(5).to(dtype) if positive else None
    wanted, grad, (to_self,) = gradients(
        lambda x: F.binary_cross_entropy_with_logits(
            x, target, weight, reduction=reduction, pos_weight=pos_weight
        ),
        [self],
    )
    out, grad_self = blank(wanted), blank(self)
    rest = (self, target, weight, pos_weight, REDUCTIONS[reduction])
    call("aclnnBinaryCrossEntropyWithLogits", *rest, out)
    call("aclnnBinaryCrossEntropyWithLogitsBackward", grad, *rest, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


def test_multilabel_margin_loss() -> None:
    self, target = torch.randn(3, 4), torch.tensor([[3, 0, -1, 1], [0, 1, 2, 3], [-1, 0, 0, 0]])
    out, is_target = torch.empty(()), torch.empty(3, 4)
    call("aclnnMultilabelMarginLoss", self, target, 1, out, is_target)
    assert_same(out, F.multilabel_margin_loss(self, target))


def test_ctc_loss() -> None:
    log_probs = torch.randn(12, 3, 6).log_softmax(-1)
    targets = torch.randint(1, 6, (3, 5))
    lengths = [12, 10, 9], [5, 3, 4]
    reference = lambda x: torch.ops.aten._ctc_loss(x, targets, *lengths, 0, False)[0]  # noqa: E731
    wanted, grad, (to_self,) = gradients(reference, [log_probs])
    out, alpha, grad_self = blank(wanted), torch.empty(3, 12, 16), blank(log_probs)
    call("aclnnCtcLoss", log_probs, targets, *lengths, 0, False, out, alpha)
    call("aclnnCtcLossBackward", grad, log_probs, targets, *lengths, out, alpha, 0, False, grad_self)
    assert_same(out, wanted)
    assert_near(grad_self, to_self)
