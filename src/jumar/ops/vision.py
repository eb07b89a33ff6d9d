"""Sampling on grids, regions of interest and boxes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.registry import op, rows
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import moved, pointwise
from jumar.ops.traffic import bytes_of, size_b, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

aten: Any = torch.ops.aten


@op("aclnnAffineGrid", work=pointwise(6))
def affine_grid(theta: Tensor, sizes: list[int], align_corners: bool, out: Tensor) -> None:
    store(out, aten.affine_grid_generator(theta, sizes, align_corners))


def _sampling_work(self: Operand, grid: Operand, *rest: Any) -> Work:
    """Each result is weighed together from its neighbours, two for each dimension."""
    out = rest[-1]
    neighbours = 2 ** (len(self.sizes) - 2)
    vectors = (Vector("fp32", 2.0 * neighbours * out.elements + 10.0 * grid.elements),)
    read_b = min(bytes_of(self), float(neighbours * out.elements * size_b(self))) + bytes_of(grid)
    return Work(Kind.GATHER, (), vectors, read_b, bytes_of(out), Pattern.GATHER)


def _sampling_backward_work(grad: Operand, self: Operand, grid: Operand, *rest: Any) -> Work:
    """Gradients go to all neighbours, and the differences between those say how the place mattered."""
    neighbours = 2 ** (len(self.sizes) - 2)
    vectors = (Vector("fp32", 6.0 * neighbours * grad.elements + 10.0 * grid.elements),)
    added_b = float(neighbours * grad.elements * size_b(self))
    read_b = total_b(grad, grid) + min(bytes_of(self), added_b)
    return Work(Kind.GATHER, (), vectors, read_b, total_b(*rest[-2:]), Pattern.GATHER, 2)


rows(
    lambda function: (
        lambda self, grid, interpolation, padding, align_corners, out: store(
            out, function(self, grid, interpolation, padding, align_corners)
        )
    ),
    {"aclnnGridSampler2D": aten.grid_sampler_2d, "aclnnGridSampler3D": aten.grid_sampler_3d},
    work=lambda _: _sampling_work,
)

rows(
    lambda function: (
        lambda grad, self, grid, interpolation, padding, align_corners, mask, grad_self, grad_grid: store_all(
            (grad_self, grad_grid), function(grad, self, grid, interpolation, padding, align_corners, mask)
        )
    ),
    {
        "aclnnGridSampler2DBackward": aten.grid_sampler_2d_backward,
        "aclnnGridSampler3DBackward": aten.grid_sampler_3d_backward,
    },
    work=lambda _: _sampling_backward_work,
)


def _sample_places(start: Tensor, size: Tensor, bins: int, samples: int, limit: int) -> tuple[Tensor, ...]:
    """For each box: the two neighbouring pixels of every sample on one axis and the weights of both."""
    step = torch.arange(bins * samples, dtype=torch.float32) + 0.5
    place = start[:, None] + size[:, None] / (bins * samples) * step
    inside = (place >= -1) & (place <= limit)
    place = place.clamp(0, limit - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=limit - 1)
    fraction = place - low
    return low, high, (1 - fraction) * inside, fraction * inside


def _regions_work(self: Operand, boxes: Operand, scale: float, *rest: Any) -> Work:
    """Each result is the mean of samples, each of four neighbours."""
    samples, out = rest[2] or 2, rest[-1]
    count = float(out.elements * samples**2)
    vectors = (Vector("fp32", 9.0 * count),)
    read_b = min(bytes_of(self), 4.0 * count * size_b(self)) + bytes_of(boxes)
    return Work(Kind.GATHER, (), vectors, read_b, bytes_of(out), Pattern.GATHER)


@op("aclnnROIAlign", work=_regions_work)
def roi_align(
    self: Tensor,
    boxes: Tensor,
    scale: float,
    height: int,
    width: int,
    samples: int,
    end_mode: int,
    out: Tensor,
) -> None:
    """Boxes are (image, x1, y1, x2, y2); mode 2 shifts them by half a pixel, 0 and 1 give them at least one pixel.

    `samples` of 0, as many samples as pixels, is taken as 2.
    """
    image, shift = boxes[:, 0].long(), 0.5 if end_mode == 2 else 0.0
    left, top, right, bottom = (boxes[:, index].float() * scale - shift for index in range(1, 5))
    extra = 1.0 if end_mode == 0 else 0.0
    wide_, high_ = right - left + extra, bottom - top + extra
    if end_mode != 2:
        wide_, high_ = wide_.clamp(min=1), high_.clamp(min=1)
    samples = samples or 2
    vertical = _sample_places(top, high_, height, samples, self.shape[-2])
    horizontal = _sample_places(left, wide_, width, samples, self.shape[-1])
    value = torch.zeros(len(boxes), self.shape[1], height * samples, width * samples)
    source = wide(self)
    for row in range(2):
        for column in range(2):
            pixels = source[
                image[:, None, None], :, vertical[row][:, :, None], horizontal[column][:, None, :]
            ]
            weight = vertical[2 + row][:, :, None] * horizontal[2 + column][:, None, :]
            value += pixels.permute(0, 3, 1, 2) * weight[:, None]
    store(out, torch.nn.functional.avg_pool2d(value, samples))


def _overlap_work(
    boxes: Operand, others: Operand, mode: str, eps: float, aligned: bool, out: Operand
) -> Work:
    return moved(Kind.ELEMENTWISE, [boxes, others], [out], 14.0 * out.elements, float(out.elements))


@op("aclnnIou", work=_overlap_work)
def intersection_over_union(
    boxes: Tensor, others: Tensor, mode: str, eps: float, aligned: bool, out: Tensor
) -> None:
    """Rows for `boxes`, columns for `others`; mode "iof" divides by the area of the other box alone."""
    one, two = wide(boxes)[:, None], wide(others)[None]
    if aligned:
        one, two = one[:, 0], two[0]
    size = torch.minimum(one[..., 2:], two[..., 2:]) - torch.maximum(one[..., :2], two[..., :2])
    shared = size.clamp(min=0).prod(-1)
    areas = [(box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (one, two)]
    whole = areas[1] if mode == "iof" else areas[0] + areas[1] - shared
    store(out, shared / (whole + eps))
