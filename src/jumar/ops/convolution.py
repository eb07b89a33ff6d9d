"""Convolutions and the rearrangements they are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.abi.operand import Operand
from jumar.ops.convolution_work import convolution_backward_work, convolution_work
from jumar.ops.matmul import NOT_FOR_THE_CUBE
from jumar.ops.registry import op
from jumar.ops.results import store, store_all
from jumar.ops.rules import copying, reducing
from jumar.ops.traffic import bytes_of, cube_dtype, total_b
from jumar.physics.work import Kind, Product, Vector, Work

aten: Any = torch.ops.aten


@op("aclnnConvolution", refuses=NOT_FOR_THE_CUBE, work=convolution_work)
def convolution(
    self: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    out: Tensor,
    cube_math_type: int,
) -> None:
    store(
        out,
        aten.convolution(self, weight, bias, stride, padding, dilation, transposed, output_padding, groups),
    )


@op("aclnnConvolutionBackward", refuses=NOT_FOR_THE_CUBE, work=convolution_backward_work)
def convolution_backward(
    grad: Tensor,
    self: Tensor,
    weight: Tensor,
    bias_sizes: list[int] | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    mask: list[bool],
    cube_math_type: int,
    grad_self: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    sizes = (bias_sizes or [grad.shape[1]]) if mask[2] else None
    values = aten.convolution_backward(
        grad, self, weight, sizes, stride, padding, dilation, transposed, output_padding, groups, mask
    )
    store_all((grad_self, grad_weight, grad_bias), values)


def _depthwise_work(
    self: Operand, weight: Operand, kernel: list[int], bias: Operand | None, *rest: Any
) -> Work:
    stride, padding, dilation, out, cube_math_type = rest
    groups = self.sizes[-3]
    return convolution_work(
        self, weight, bias, stride, padding, dilation, False, [0, 0], groups, out, cube_math_type
    )


@op("aclnnConvDepthwise2d", refuses=NOT_FOR_THE_CUBE, work=_depthwise_work)
def depthwise_convolution(
    self: Tensor,
    weight: Tensor,
    kernel: list[int],
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    out: Tensor,
    cube_math_type: int,
) -> None:
    store(out, functional.conv2d(self, weight, bias, stride, padding, dilation, self.shape[-3]))


def _tbc_products(self: Operand, weight: Operand, out: Operand, cube_math_type: int) -> Product:
    """Rows are all times and sequences; the weight is (window, inputs, outputs)."""
    window, inputs, outputs = weight.sizes
    rows = out.sizes[0] * out.sizes[1]
    return Product(1, rows, outputs, window * inputs, cube_dtype(self, cube_math_type))


def _tbc_work(
    self: Operand, weight: Operand, bias: Operand, padding: int, out: Operand, cube_math_type: int
) -> Work:
    product = _tbc_products(self, weight, out, cube_math_type)
    return Work(Kind.CONVOLUTION, (product,), (), total_b(self, weight, bias), bytes_of(out))


def _tbc_backward_work(
    grad: Operand,
    self: Operand,
    weight: Operand,
    bias: Operand,
    padding: int,
    cube_math_type: int,
    *grads: Any,
) -> Work:
    product = _tbc_products(self, weight, grad, cube_math_type)
    vectors = (Vector("fp32", float(grad.elements)),)
    read_b = 3 * bytes_of(grad) + total_b(self, weight)
    return Work(Kind.CONVOLUTION, (product, product), vectors, read_b, total_b(*grads), launches=3)


@op("aclnnConvTbc", refuses=NOT_FOR_THE_CUBE, work=_tbc_work)
def convolution_tbc(
    self: Tensor, weight: Tensor, bias: Tensor, padding: int, out: Tensor, cube_math_type: int
) -> None:
    store(out, aten.conv_tbc(self, weight, bias, padding))


@op("aclnnConvTbcBackward", refuses=NOT_FOR_THE_CUBE, work=_tbc_backward_work)
def convolution_tbc_backward(
    grad: Tensor,
    self: Tensor,
    weight: Tensor,
    bias: Tensor,
    padding: int,
    cube_math_type: int,
    grad_self: Tensor | None,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
) -> None:
    values = aten.conv_tbc_backward(grad, self, weight, bias, padding)
    store_all((grad_self, grad_weight, grad_bias), values)


@op("aclnnIm2col", work=copying())
def im2col(
    self: Tensor, kernel: list[int], dilation: list[int], padding: list[int], stride: list[int], out: Tensor
) -> None:
    store(out, aten.im2col(self, kernel, dilation, padding, stride))


@op("aclnnIm2colBackward", work=reducing())
def col2im(
    self: Tensor,
    sizes: list[int],
    kernel: list[int],
    dilation: list[int],
    padding: list[int],
    stride: list[int],
    out: Tensor,
) -> None:
    store(out, aten.col2im(self, sizes, kernel, dilation, padding, stride))
