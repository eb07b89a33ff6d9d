"""Convolutions and the rearrangements they are made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.matmul import NOT_FOR_THE_CUBE
from jumar.ops.registry import op
from jumar.ops.results import store, store_all

aten: Any = torch.ops.aten


@op("aclnnConvolution", refuses=NOT_FOR_THE_CUBE)
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


@op("aclnnConvolutionBackward", refuses=NOT_FOR_THE_CUBE)
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


@op("aclnnConvDepthwise2d", refuses=NOT_FOR_THE_CUBE)
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


@op("aclnnConvTbc", refuses=NOT_FOR_THE_CUBE)
def convolution_tbc(
    self: Tensor, weight: Tensor, bias: Tensor, padding: int, out: Tensor, cube_math_type: int
) -> None:
    store(out, aten.conv_tbc(self, weight, bias, padding))


@op("aclnnConvTbcBackward", refuses=NOT_FOR_THE_CUBE)
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


@op("aclnnIm2col")
def im2col(
    self: Tensor, kernel: list[int], dilation: list[int], padding: list[int], stride: list[int], out: Tensor
) -> None:
    store(out, aten.im2col(self, kernel, dilation, padding, stride))


@op("aclnnIm2colBackward")
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
