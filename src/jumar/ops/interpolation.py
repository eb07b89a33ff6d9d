"""Upsampling. The adapter writes 0 or -1 where the program gave no scale factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from jumar.ops.registry import rows
from jumar.ops.results import store, wide
from jumar.ops.rules import resampling

aten: Any = torch.ops.aten


def _given(scales: tuple[float, ...]) -> list[float | None]:
    return [scale if scale > 0 else None for scale in scales]


def _shortest(scale: float) -> float:
    """The decimal number that the adapter rounded to single precision."""
    return float(str(numpy.float32(scale)))


def _nearest(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(self: Tensor, sizes: list[int], *rest: Any) -> None:
        *scales, out = rest
        store(out, function(self, sizes, *_given(tuple(scales))))

    return run


def _nearest_single_precision(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(self: Tensor, sizes: list[int], *rest: Any) -> None:
        *scales, out = rest
        store(out, function(self, sizes, *_given(tuple(_shortest(scale) for scale in scales))))

    return run


def _nearest_backward(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(grad: Tensor, sizes: list[int], input_sizes: list[int], *rest: Any) -> None:
        *scales, grad_self = rest
        store(grad_self, function(grad, sizes, input_sizes, *_given(tuple(scales))))

    return run


def _linear(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(self: Tensor, sizes: list[int], align_corners: bool, *rest: Any) -> None:
        *scales, out = rest
        store(out, function(self, sizes, align_corners, *_given(tuple(scales))))

    return run


def _linear_backward(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(grad: Tensor, sizes: list[int], input_sizes: list[int], align_corners: bool, *rest: Any) -> None:
        *scales, grad_self = rest
        store(grad_self, function(grad, sizes, input_sizes, align_corners, *_given(tuple(scales))))

    return run


def _without_scales(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(self: Tensor, sizes: list[int], out: Tensor) -> None:
        store(out, function(self, sizes))

    return run


def _in_float32(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """For what CPU PyTorch has no 16-bit kernel for."""

    def run(tensor: Tensor, *rest: Any) -> Tensor:
        return function(wide(tensor), *rest)

    run.__name__ = function.__name__
    return run


rows(
    _without_scales,
    {"aclnnUpsampleNearest1d": aten.upsample_nearest1d, "aclnnUpsampleNearest2d": aten.upsample_nearest2d},
    work=resampling,
)

rows(
    _nearest_single_precision,
    {
        "aclnnUpsampleNearest1dV2": aten.upsample_nearest1d,
        "aclnnUpsampleNearest2dV2": aten.upsample_nearest2d,
    },
    work=resampling,
)

rows(
    _nearest,
    {
        "aclnnUpsampleNearest3d": aten.upsample_nearest3d,
        "aclnnUpsampleNearestExact1d": aten._upsample_nearest_exact1d,
        "aclnnUpsampleNearestExact2d": aten._upsample_nearest_exact2d,
        "aclnnUpsampleNearestExact3d": aten._upsample_nearest_exact3d,
    },
    work=resampling,
)

rows(
    _nearest_backward,
    {
        "aclnnUpsampleNearest1dBackward": aten.upsample_nearest1d_backward,
        "aclnnUpsampleNearest2dBackward": aten.upsample_nearest2d_backward,
        "aclnnUpsampleNearest3dBackward": aten.upsample_nearest3d_backward,
        "aclnnUpsampleNearestExact1dBackward": aten._upsample_nearest_exact1d_backward,
        "aclnnUpsampleNearestExact2dBackward": aten._upsample_nearest_exact2d_backward,
        "aclnnUpsampleNearestExact3dBackward": aten._upsample_nearest_exact3d_backward,
    },
    work=resampling,
)

rows(
    _linear,
    {
        "aclnnUpsampleLinear1d": aten.upsample_linear1d,
        "aclnnUpsampleBilinear2d": aten.upsample_bilinear2d,
        "aclnnUpsampleBilinear2dAA": _in_float32(aten._upsample_bilinear2d_aa),
        "aclnnUpsampleBicubic2d": aten.upsample_bicubic2d,
        "aclnnUpsampleBicubic2dAA": _in_float32(aten._upsample_bicubic2d_aa),
        "aclnnUpsampleTrilinear3d": aten.upsample_trilinear3d,
    },
    work=resampling,
)

rows(
    _linear_backward,
    {
        "aclnnUpsampleLinear1dBackward": aten.upsample_linear1d_backward,
        "aclnnUpsampleBilinear2dBackward": aten.upsample_bilinear2d_backward,
        "aclnnUpsampleBilinear2dBackwardV2": aten.upsample_bilinear2d_backward,
        "aclnnUpsampleBilinear2dAABackward": _in_float32(aten._upsample_bilinear2d_aa_backward),
        "aclnnUpsampleBicubic2dBackward": aten.upsample_bicubic2d_backward,
        "aclnnUpsampleBicubic2dAAGrad": _in_float32(aten._upsample_bicubic2d_aa_backward),
        "aclnnUpsampleTrilinear3dBackward": aten.upsample_trilinear3d_backward,
    },
    work=resampling,
)
