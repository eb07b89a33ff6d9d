"""Softmax and its relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.costs import cost_of
from jumar.ops.registry import op, rows
from jumar.ops.results import store, wide
from jumar.ops.rules import normalising

aten: Any = torch.ops.aten

# What the vendor's scaled masked softmax puts where the mask is true: a row masked throughout comes out uniform.
MASKED = -10000.0


def _forward(function: Any) -> Callable[..., None]:
    """PyTorch writes into an output as if it lay contiguous, whatever its strides."""

    def run(self: Tensor, dim: int, out: Tensor) -> None:
        if self.dtype is not out.dtype:
            self = self.to(out.dtype)
        if out.is_contiguous():
            function.out(self, dim, False, out=out)
        else:
            store(out, function(self, dim, False))

    return run


rows(
    _forward,
    {"aclnnSoftmax": aten._softmax, "aclnnLogSoftmax": aten._log_softmax},
    work=lambda _: normalising(4, 1),
)


def _backward(function: Any, keyword: str) -> Callable[..., None]:
    def run(grad: Tensor, output: Tensor, dim: int, grad_input: Tensor) -> None:
        if grad.dtype is not output.dtype:
            grad, output = wide(grad), wide(output)
        if grad_input.is_contiguous() and grad_input.dtype is output.dtype:
            function.out(grad, output, dim, output.dtype, **{keyword: grad_input})
        else:
            store(grad_input, function(grad, output, dim, output.dtype))

    return run


rows(
    lambda row: _backward(*row),
    {
        "aclnnSoftmaxBackward": (aten._softmax_backward_data, "grad_input"),
        "aclnnLogSoftmaxBackward": (aten._log_softmax_backward_data, "out"),
    },
    work=lambda row: normalising(*cost_of(row[0].__name__)),
)


def _mask(mask: Tensor, sizes: torch.Size, fixed_triu_mask: bool) -> Tensor:
    if fixed_triu_mask:
        return torch.ones(sizes[-2:], dtype=torch.bool).triu(1)
    return mask if mask.dtype is torch.bool else mask != 0


@op("aclnnScaledMaskedSoftmax", work=normalising(6, 1))
def scaled_masked_softmax(
    self: Tensor, mask: Tensor, scale: float, fixed_triu_mask: bool, out: Tensor
) -> None:
    value = (wide(self) * scale).masked_fill_(_mask(mask, self.shape, fixed_triu_mask), MASKED)
    store(out, torch.softmax(value, -1))


@op("aclnnScaledMaskedSoftmaxBackward", work=normalising(6))
def scaled_masked_softmax_backward(
    grad: Tensor, output: Tensor, mask: Tensor, scale: float, fixed_triu_mask: bool, grad_input: Tensor
) -> None:
    value = aten._softmax_backward_data(wide(grad), wide(output), -1, torch.float32) * scale
    store(grad_input, value.masked_fill_(_mask(mask, grad.shape, fixed_triu_mask), 0))


@op("aclnnMaskedSoftmaxWithRelPosBias", work=normalising(6, 1))
def masked_softmax_with_relative_position_bias(
    self: Tensor, mask: Tensor | None, bias: Tensor, scale: float, inner_precision_mode: int, out: Tensor
) -> None:
    value = wide(self) * scale
    if mask is not None:
        value = value + wide(mask)
    store(out, torch.softmax(value + wide(bias), -1))
