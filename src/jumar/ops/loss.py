"""Losses and their derivatives. `reduction` is PyTorch's number: 0 none, 1 mean, 2 sum."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op
from jumar.ops.results import store, wide
from jumar.ops.rules import moved, pointwise, reducing, split
from jumar.ops.traffic import bytes_of, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

aten: Any = torch.ops.aten
NONE, MEAN, SUM = 0, 1, 2
SECTOR_B = 32  # what memory gives at least


def _unless_ones(weight: Tensor | None) -> Tensor | None:
    """The adapter makes weights of ones where the program gave none; counting is exact where adding ones is not."""
    return None if weight is None or bool((weight == 1).all()) else weight


def _class_numbers(target: Tensor) -> Tensor:
    return target if target.dtype in (torch.int64, torch.uint8) else target.long()


def _reduce(value: Tensor, reduction: int) -> Tensor:
    if reduction == NONE:
        return value
    return value.mean() if reduction == MEAN else value.sum()


def _spread(grad: Tensor, self: Tensor, reduction: int) -> Tensor:
    """The gradient of the loss on each element, as autograd hands it through the reduction."""
    return grad.expand(self.shape) / self.numel() if reduction == MEAN else grad


def _nll_work(self: Operand, target: Operand, weight: Operand | None, *rest: Any) -> Work:
    """Of each row one element is looked at, of memory the sector around it."""
    read_b = min(bytes_of(self), float(SECTOR_B * target.elements)) + total_b(target, weight)
    vectors = (Vector("fp32", 2.0 * target.elements),)
    return Work(Kind.REDUCTION, (), vectors, read_b, total_b(*rest), Pattern.GATHER)


def _nll_backward_work(
    grad: Operand, self: Operand, target: Operand, weight: Operand | None, *rest: Any
) -> Work:
    """Zero everywhere but at one element of each row; of the input only the sizes count."""
    vectors = (Vector("fp32", 2.0 * target.elements),)
    read_b = total_b(grad, target, weight)
    return Work(Kind.COPY, (), vectors, read_b, bytes_of(rest[-1]))


@op("aclnnNLLLoss", work=_nll_work)
def nll_loss(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    out: Tensor,
    total_weight: Tensor,
) -> None:
    value, total = aten.nll_loss_forward(
        self, _class_numbers(target), _unless_ones(weight), reduction, ignore_index
    )
    store(out, value)
    store(total_weight, total)


@op("aclnnNLLLossBackward", work=_nll_backward_work)
def nll_loss_backward(
    grad: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    total_weight: Tensor,
    grad_input: Tensor,
) -> None:
    target = _class_numbers(target)
    weight = _unless_ones(weight)
    arguments = (grad, self, target, weight, reduction, ignore_index, total_weight.reshape(()))
    if grad_input.is_contiguous():
        aten.nll_loss_backward.grad_input(*arguments, grad_input=grad_input)
    else:
        store(grad_input, aten.nll_loss_backward(*arguments))


@op("aclnnNLLLoss2d", work=_nll_work)
def nll_loss2d(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    out: Tensor,
    total_weight: Tensor,
) -> None:
    value, total = aten.nll_loss2d_forward(
        self, _class_numbers(target), _unless_ones(weight), reduction, ignore_index
    )
    store(out, value)
    store(total_weight, total)


@op("aclnnNLLLoss2dBackward", work=_nll_backward_work)
def nll_loss2d_backward(
    grad: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    total_weight: Tensor,
    grad_input: Tensor,
) -> None:
    target = _class_numbers(target)
    weight = _unless_ones(weight)
    arguments = (grad, self, target, weight, reduction, ignore_index, total_weight.reshape(()))
    if grad_input.is_contiguous():
        aten.nll_loss2d_backward.grad_input(*arguments, grad_input=grad_input)
    else:
        store(grad_input, aten.nll_loss2d_backward(*arguments))


@op("aclnnBinaryCrossEntropy", work=reducing(3, 1))
def binary_cross_entropy(
    self: Tensor, target: Tensor, weight: Tensor | None, reduction: int, out: Tensor
) -> None:
    store(out, aten.binary_cross_entropy(self, target, weight, reduction))


@op("aclnnBinaryCrossEntropyBackward", work=pointwise(4, 1))
def binary_cross_entropy_backward(
    grad: Tensor, self: Tensor, target: Tensor, weight: Tensor | None, reduction: int, grad_input: Tensor
) -> None:
    store(grad_input, aten.binary_cross_entropy_backward(grad, self, target, weight, reduction))


@op("aclnnBinaryCrossEntropyWithLogits", work=reducing(6, 2))
def binary_cross_entropy_with_logits(
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    pos_weight: Tensor | None,
    reduction: int,
    out: Tensor,
) -> None:
    store(out, aten.binary_cross_entropy_with_logits(self, target, weight, pos_weight, reduction))


@op("aclnnBinaryCrossEntropyWithLogitsBackward", work=pointwise(4, 1))
def binary_cross_entropy_with_logits_backward(
    grad: Tensor,
    self: Tensor,
    target: Tensor,
    weight: Tensor | None,
    pos_weight: Tensor | None,
    reduction: int,
    grad_input: Tensor,
) -> None:
    """The order of operations is that of PyTorch's own derivative formula."""
    value = torch.sigmoid(self)
    if pos_weight is None:
        value = value.sub_(target).mul_(grad)
    else:
        positive = pos_weight * target
        value = positive.add(1).sub_(target).mul_(value).sub_(positive).mul_(grad)
    if weight is not None:
        value = value * weight
    store(grad_input, value / self.numel() if reduction == MEAN else value)


@op("aclnnL1Loss", refuses=(torch.complex64, torch.complex128), work=reducing(2))
def l1_loss(self: Tensor, target: Tensor, reduction: int, out: Tensor) -> None:
    store(out, _reduce((self - target).abs_(), reduction))


@op("aclnnL1LossBackward", work=pointwise(3))
def l1_loss_backward(grad: Tensor, self: Tensor, target: Tensor, reduction: int, grad_input: Tensor) -> None:
    difference = self - target
    store(grad_input, _spread(grad, difference, reduction) * difference.sgn_())


@op("aclnnMseLoss", work=reducing(2))
def mse_loss(self: Tensor, target: Tensor, reduction: int, out: Tensor) -> None:
    store(out, aten.mse_loss(self, target, reduction))


@op("aclnnMseLossBackward", work=pointwise(3))
def mse_loss_backward(grad: Tensor, self: Tensor, target: Tensor, reduction: int, grad_input: Tensor) -> None:
    store(grad_input, aten.mse_loss_backward(grad, self, target, reduction))


def _shortest(value: float) -> float:
    """The decimal number that the adapter rounded to single precision."""
    return float(str(numpy.float32(value)))


@op("aclnnSmoothL1Loss", work=reducing(3))
def smooth_l1_loss(self: Tensor, target: Tensor, reduction: int, beta: float, out: Tensor) -> None:
    if beta == 0:
        l1_loss(self, target, reduction, out)
    else:
        store(out, aten.smooth_l1_loss(self, target, reduction, _shortest(beta)))


@op("aclnnSmoothL1LossBackward", work=pointwise(4))
def smooth_l1_loss_backward(
    grad: Tensor, self: Tensor, target: Tensor, reduction: int, beta: float, grad_input: Tensor
) -> None:
    if beta == 0:
        l1_loss_backward(grad, self, target, reduction, grad_input)
    else:
        store(grad_input, aten.smooth_l1_loss_backward(grad, self, target, reduction, _shortest(beta)))


@op("aclnnSoftMarginLoss", work=reducing(3, 1))
def soft_margin_loss(self: Tensor, target: Tensor, reduction: int, out: Tensor) -> None:
    store(out, aten.soft_margin_loss(self, target, reduction))


@op("aclnnSoftMarginLossBackward", work=pointwise(4, 1))
def soft_margin_loss_backward(
    grad: Tensor, self: Tensor, target: Tensor, reduction: int, grad_input: Tensor
) -> None:
    store(grad_input, aten.soft_margin_loss_backward(grad, self, target, reduction))


def _multilabel_work(self: Operand, target: Operand, reduction: int, *results: Operand) -> Work:
    """Every class against every class that is meant."""
    count = float(self.elements * (self.sizes[-1] if self.sizes else 1))
    return moved(Kind.REDUCTION, [self, target], list(results), 3.0 * count)


@op("aclnnMultilabelMarginLoss", work=_multilabel_work)
def multilabel_margin_loss(
    self: Tensor, target: Tensor, reduction: int, out: Tensor, is_target: Tensor
) -> None:
    value, targets = aten.multilabel_margin_loss_forward(wide(self), target.long(), reduction)
    store(out, value)
    store(is_target, targets)


@op("aclnnKlDiv", work=reducing(3, 1))
def kl_div(self: Tensor, target: Tensor, reduction: int, log_target: bool, out: Tensor) -> None:
    store(out, aten.kl_div(self, target, reduction, log_target=log_target))


@op("aclnnKlDivBackward", work=pointwise(3))
def kl_div_backward(
    grad: Tensor, self: Tensor, target: Tensor, reduction: int, log_target: bool, grad_input: Tensor
) -> None:
    probability = torch.exp(target) if log_target else target
    store(grad_input, -_spread(grad, self, reduction) * probability)


@op("aclnnKlDivTargetBackward", work=pointwise(4, 1))
def kl_div_target_backward(
    grad: Tensor, self: Tensor, target: Tensor, reduction: int, log_target: bool, grad_target: Tensor
) -> None:
    if log_target:
        value = torch.exp(target) * (target + 1 - self)
    else:
        value = torch.where(target == 0, 0, torch.log(target) + 1 - self)
    store(grad_target, _spread(grad, self, reduction) * value)


def _ctc_work(log_probs: Operand, targets: Operand, *rest: Any) -> Work:
    """For each time and each state, twice the labels and one, a sum of three exponentials."""
    out, log_alpha = rest[-2:]
    count = float(log_alpha.elements)
    return moved(Kind.REDUCTION, [log_probs, targets], [out, log_alpha], 8.0 * count, 4.0 * count)


def _ctc_backward_work(*arguments: Any) -> Work:
    """The same from the end, and the exponential of everything."""
    inputs, results = split(arguments, 1)
    states, everything = arguments[6].elements, arguments[1].elements
    return moved(Kind.REDUCTION, inputs, results, 12.0 * states + 3.0 * everything, 4.0 * states + everything)


@op("aclnnCtcLoss", work=_ctc_work)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    blank: int,
    zero_infinity: bool,
    out: Tensor,
    log_alpha: Tensor,
) -> None:
    """The adapter rounds the last size of `log_alpha` up to whole 32-byte blocks; the rest stays zero."""
    value, alpha = aten._ctc_loss(
        wide(log_probs), targets, input_lengths, target_lengths, blank, zero_infinity
    )
    store(out, value)
    log_alpha.zero_()
    log_alpha[..., : alpha.shape[-1]].copy_(alpha)


@op("aclnnCtcLossBackward", work=_ctc_backward_work)
def ctc_loss_backward(
    grad: Tensor,
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: list[int],
    target_lengths: list[int],
    out: Tensor,
    log_alpha: Tensor,
    blank: int,
    zero_infinity: bool,
    grad_input: Tensor,
) -> None:
    alpha = wide(log_alpha[..., : 2 * max(target_lengths) + 1])
    value = aten._ctc_loss_backward(
        wide(grad),
        wide(log_probs),
        targets,
        input_lengths,
        target_lengths,
        wide(out),
        alpha,
        blank,
        zero_infinity,
    )
    store(grad_input, value)
