"""Sampling on grids, regions of interest and boxes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import op, rows
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import pointwise

aten: Any = torch.ops.aten


@op("aclnnAffineGrid", work=pointwise(6))
def affine_grid(theta: Tensor, sizes: list[int], align_corners: bool, out: Tensor) -> None:
    store(out, aten.affine_grid_generator(theta, sizes, align_corners))


rows(
    lambda function: (
        lambda self, grid, interpolation, padding, align_corners, out: store(
            out, function(self, grid, interpolation, padding, align_corners)
        )
    ),
    {"aclnnGridSampler2D": aten.grid_sampler_2d, "aclnnGridSampler3D": aten.grid_sampler_3d},
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


@op("aclnnROIAlign")
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


@op("aclnnIou")
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
