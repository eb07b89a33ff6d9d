"""Pooling. Up to the A3 chips the adapter keeps the places of maxima in a mask of bytes whose inside only the operators
know; here it begins with the indices as 32-bit integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op, rows
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import moved, pointwise, reducing, windowed
from jumar.physics.work import Kind, Work

aten: Any = torch.ops.aten
INDEX_BYTES = 4


def _spread_work(grad: Operand, self: Operand, grad_self: Operand) -> Work:
    """Each gradient is handed to all places of its window; of the input only the sizes count."""
    return moved(Kind.REDUCTION, [grad], [grad_self], float(max(grad.elements, grad_self.elements)))


def _places_work(grad: Operand, self: Operand, indices: Operand, *rest: Any) -> Work:
    """Each gradient goes to the place of its maximum; all others become zero."""
    return moved(Kind.REDUCTION, [grad, indices], [rest[-1]], float(grad.elements), launches=2)


@op("aclnnAvgPool2d", work=windowed(1))
def average_pool2d(
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int,
    cube_math_type: int,
    out: Tensor,
) -> None:
    store(out, aten.avg_pool2d(self, kernel, stride, padding, ceil_mode, count_include_pad, divisor or None))


@op("aclnnAvgPool2dBackward", work=windowed(2, reads=1))
def average_pool2d_backward(
    grad: Tensor,
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int,
    cube_math_type: int,
    grad_self: Tensor,
) -> None:
    arguments = (kernel, stride, padding, ceil_mode, count_include_pad, divisor or None)
    store(grad_self, aten.avg_pool2d_backward(grad, self, *arguments))


@op("aclnnAvgPool3d", work=windowed(1))
def average_pool3d(
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int,
    out: Tensor,
) -> None:
    store(
        out,
        aten.avg_pool3d(wide(self), kernel, stride, padding, ceil_mode, count_include_pad, divisor or None),
    )


@op("aclnnAvgPool3dBackward", work=windowed(2, reads=1))
def average_pool3d_backward(
    grad: Tensor,
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int,
    grad_self: Tensor,
) -> None:
    arguments = (kernel, stride, padding, ceil_mode, count_include_pad, divisor or None)
    store(grad_self, aten.avg_pool3d_backward(wide(grad), wide(self), *arguments))


rows(
    lambda function: lambda self, sizes, out: store(out, function(self, sizes)),
    {
        "aclnnAdaptiveAvgPool2d": aten.adaptive_avg_pool2d,
        "aclnnAdaptiveAvgPool3d": aten.adaptive_avg_pool3d,
    },
    work=lambda _: reducing(),
)


def _adaptive_average_backward(function: Callable[..., Tensor]) -> Callable[..., None]:
    """An average over everything is a mean to PyTorch, and its derivative is rounded like that of a mean."""

    def run(grad: Tensor, self: Tensor, grad_self: Tensor) -> None:
        dims = 2 if function is aten._adaptive_avg_pool2d_backward else 3
        if all(size == 1 for size in grad.shape[-dims:]):
            store(grad_self, grad.expand(self.shape) / self.shape[-dims:].numel())
        else:
            store(grad_self, function(grad, self))

    return run


rows(
    _adaptive_average_backward,
    {
        "aclnnAdaptiveAvgPool2dBackward": aten._adaptive_avg_pool2d_backward,
        "aclnnAdaptiveAvgPool3dBackward": aten._adaptive_avg_pool3d_backward,
    },
    work=lambda _: _spread_work,
)

rows(
    lambda function: lambda self, sizes, out, indices: store_all((out, indices), function(self, sizes)),
    {
        "aclnnAdaptiveMaxPool2d": aten.adaptive_max_pool2d,
        "aclnnAdaptiveMaxPool3d": aten.adaptive_max_pool3d,
    },
    work=lambda _: reducing(outs=2),
)

rows(
    lambda function: (
        lambda grad, self, indices, grad_self: store(grad_self, function(grad, self, indices.long()))
    ),
    {
        "aclnnAdaptiveMaxPool2dBackward": aten.adaptive_max_pool2d_backward,
        "aclnnAdaptiveMaxPool3dBackward": aten.adaptive_max_pool3d_backward,
    },
    work=lambda _: _places_work,
)


@op("aclnnMaxPool2dWithIndices", work=windowed(1, outs=2))
def max_pool2d(
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    out: Tensor,
    indices: Tensor,
) -> None:
    values = aten.max_pool2d_with_indices(self, kernel, stride, padding, dilation, ceil_mode)
    store_all((out, indices), values)


@op("aclnnMaxPool2dWithIndicesBackward", work=_places_work)
def max_pool2d_backward(
    grad: Tensor,
    self: Tensor,
    indices: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    grad_self: Tensor,
) -> None:
    arguments = (kernel, stride, padding, dilation, ceil_mode, indices.long())
    store(grad_self, aten.max_pool2d_with_indices_backward(grad, self, *arguments))


def _indices_in(mask: Tensor, count: int) -> Tensor | None:
    """The part of the mask that holds the indices; None for a mask without room, as kernels of one element have."""
    if not mask.is_contiguous() or mask.nbytes < count * INDEX_BYTES or mask.storage_offset() % INDEX_BYTES:
        return None
    return mask.view(-1).view(torch.int8)[: count * INDEX_BYTES].view(torch.int32)


@op("aclnnMaxPool2dWithMask", work=windowed(1, outs=2))
def max_pool2d_with_mask(
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    out: Tensor,
    mask: Tensor,
) -> None:
    value, indices = aten.max_pool2d_with_indices(self, kernel, stride, padding, dilation, ceil_mode)
    store(out, value)
    place = _indices_in(mask, indices.numel())
    if place is not None:
        place.copy_(indices.reshape(-1))


@op("aclnnMaxPool2dWithMaskBackward", work=_places_work)
def max_pool2d_with_mask_backward(
    grad: Tensor,
    self: Tensor,
    mask: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    grad_self: Tensor,
) -> None:
    arguments = (kernel, stride, padding, dilation, ceil_mode)
    place = _indices_in(mask, grad.numel())
    found = aten.max_pool2d_with_indices(self, *arguments)[1] if place is None else place
    indices = found.view(grad.shape)
    max_pool2d_backward(grad, self, indices, *arguments, grad_self)


@op("aclnnMaxPool3dWithArgmax", work=windowed(1, outs=2))
def max_pool3d(
    self: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    out: Tensor,
    indices: Tensor,
) -> None:
    values = aten.max_pool3d_with_indices(self, kernel, stride, padding, dilation, ceil_mode)
    store_all((out, indices), values)


@op("aclnnMaxPool3dWithArgmaxBackward", work=_places_work)
def max_pool3d_backward(
    grad: Tensor,
    self: Tensor,
    indices: Tensor,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    ceil_mode: bool,
    grad_self: Tensor,
) -> None:
    arguments = (kernel, stride, padding, dilation, ceil_mode, indices.long())
    store(grad_self, aten.max_pool3d_with_indices_backward(grad, self, *arguments))


@op("aclnnMaxUnpool2d", work=pointwise())
def max_unpool2d(self: Tensor, indices: Tensor, sizes: list[int], out: Tensor) -> None:
    store(out, aten.max_unpool2d(self, indices.long(), sizes))


@op("aclnnMaxUnpool3d", work=pointwise())
def max_unpool3d(
    self: Tensor, indices: Tensor, sizes: list[int], stride: list[int], padding: list[int], out: Tensor
) -> None:
    store(out, aten.max_unpool3d(self, indices.long(), sizes, stride, padding))
