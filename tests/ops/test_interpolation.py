"""Upsampling, padding and sampling on grids against CPU PyTorch, derivatives against autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from .compare import FLOATS, LAYOUTS, assert_near, assert_same, blank, call, gradients

SIZES = {1: [7], 2: [7, 5], 3: [4, 7, 5]}

# forward, backward, spatial dimensions, settings of F.interpolate
UPSAMPLINGS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("Nearest1dV2", "Nearest1dBackward", 1, {"mode": "nearest"}),
    ("Nearest2dV2", "Nearest2dBackward", 2, {"mode": "nearest"}),
    ("Nearest3d", "Nearest3dBackward", 3, {"mode": "nearest"}),
    ("NearestExact1d", "NearestExact1dBackward", 1, {"mode": "nearest-exact"}),
    ("NearestExact2d", "NearestExact2dBackward", 2, {"mode": "nearest-exact"}),
    ("NearestExact3d", "NearestExact3dBackward", 3, {"mode": "nearest-exact"}),
    ("Linear1d", "Linear1dBackward", 1, {"mode": "linear", "align_corners": False}),
    ("Linear1d", "Linear1dBackward", 1, {"mode": "linear", "align_corners": True}),
    ("Bilinear2d", "Bilinear2dBackward", 2, {"mode": "bilinear", "align_corners": False}),
    ("Bilinear2d", "Bilinear2dBackwardV2", 2, {"mode": "bilinear", "align_corners": True}),
    (
        "Bilinear2dAA",
        "Bilinear2dAABackward",
        2,
        {"mode": "bilinear", "align_corners": False, "antialias": True},
    ),
    ("Bicubic2d", "Bicubic2dBackward", 2, {"mode": "bicubic", "align_corners": False}),
    ("Bicubic2dAA", "Bicubic2dAAGrad", 2, {"mode": "bicubic", "align_corners": False, "antialias": True}),
    ("Trilinear3d", "Trilinear3dBackward", 3, {"mode": "trilinear", "align_corners": False}),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("scale", (None, 1.7, 0.6))
@pytest.mark.parametrize(("forward", "backward", "dims", "settings"), UPSAMPLINGS)
def test_upsample(forward: str, backward: str, dims: int, settings: Any, scale: Any, layout: Any) -> None:
    self = layout(torch.randn(2, 3, *SIZES[dims]))
    size = None if scale else [11, 8, 9][:dims]
    wanted, grad, (to_self,) = gradients(
        lambda x: F.interpolate(x, size=size, scale_factor=scale, **settings), [self]
    )
    align = [settings["align_corners"]] if "align_corners" in settings else []
    single = float(torch.tensor(scale or -1.0)) if forward.endswith("V2") else scale or 0.0
    out, grad_self = blank(wanted, layout), blank(self, layout)
    sizes = list(wanted.shape[2:])
    call(f"aclnnUpsample{forward}", self, sizes, *align, *[single] * dims, out)
    call(f"aclnnUpsample{backward}", grad, sizes, list(self.shape), *align, *[scale or 0.0] * dims, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("dtype", FLOATS)
def test_upsample_without_scales(dtype: torch.dtype) -> None:
    self = torch.randn(2, 3, 4, 5).to(dtype)
    out = torch.empty(2, 3, 8, 10, dtype=dtype)
    call("aclnnUpsampleNearest2d", self, [8, 10], out)
    assert_same(out, F.interpolate(self, scale_factor=2))
    call("aclnnUpsampleBicubic2dAA", self, [8, 10], False, 0.0, 0.0, out)
    wanted = F.interpolate(self.float(), [8, 10], mode="bicubic", antialias=True)
    assert_same(out, wanted.to(dtype))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("mode", ("reflect", "replicate"))
@pytest.mark.parametrize("padding", ([2, 1], [2, 1, 0, 3], [2, 1, 0, 3, 1, 1]))
def test_padding(padding: list[int], mode: str, dtype: torch.dtype, layout: Any) -> None:
    dims = len(padding) // 2
    self = layout(torch.randn(2, 3, *[5, 6, 7][:dims], dtype=dtype))
    wanted, grad, (to_self,) = gradients(lambda x: F.pad(x, padding, mode), [self])
    name = f"aclnn{'Reflection' if mode == 'reflect' else 'Replication'}Pad{dims}d"
    out, grad_self = blank(wanted, layout), blank(self, layout)
    call(name, self, padding, out)
    call(f"{name}Backward", grad, self, padding, grad_self)
    assert_same(out, wanted)
    assert_same(grad_self, to_self)


@pytest.mark.parametrize("dtype", (*FLOATS, torch.int64, torch.bool))
@pytest.mark.parametrize("padding", ([1, 2], [0, 1, 2, 0], [-1, 1]))
def test_constant_padding(padding: list[int], dtype: torch.dtype) -> None:
    self = torch.randint(2, (2, 3, 4)).to(dtype)
    wanted = F.pad(self, padding, value=1)
    out = torch.empty_like(wanted)
    call("aclnnConstantPadNd", self, padding, 1, out)
    assert_same(out, wanted)


@pytest.mark.parametrize("mode", (0, 1, 2))
@pytest.mark.parametrize("padding", (0, 1, 2))
@pytest.mark.parametrize("dims", (2, 3))
def test_grid_sample(dims: int, padding: int, mode: int) -> None:
    if dims == 3 and mode == 2:
        pytest.skip("bicubic sampling exists in two dimensions only")
    self, grid = torch.randn(2, 3, *[5, 6, 4][:dims]), torch.rand(2, *[4, 3, 2][:dims], dims) * 2.4 - 1.2
    modes = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")
    wanted, grad, grads = gradients(
        lambda x, g: F.grid_sample(x, g, modes[0][mode], modes[1][padding], False), [self, grid]
    )
    out, outs = blank(wanted), (blank(self), blank(grid))
    call(f"aclnnGridSampler{dims}D", self, grid, mode, padding, False, out)
    call(f"aclnnGridSampler{dims}DBackward", grad, self, grid, mode, padding, False, [True, True], *outs)
    for got, reference in zip((out, *outs), (wanted, *grads), strict=True):
        assert_same(got, reference)


def test_affine_grid() -> None:
    theta, out = torch.randn(2, 2, 3), torch.empty(2, 4, 5, 2)
    call("aclnnAffineGrid", theta, [2, 3, 4, 5], False, out)
    assert_same(out, F.affine_grid(theta, [2, 3, 4, 5], False))


def test_boxes() -> None:
    boxes, others = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6]]), torch.tensor([[0.0, 0, 4, 4]])
    out = torch.empty(2, 1)
    call("aclnnIou", boxes, others, "iou", 0.0, False, out)
    assert_near(out, torch.tensor([[1.0], [4 / 28]]))
    ramp = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()
    pooled = torch.empty(1, 1, 2, 2)
    call("aclnnROIAlign", ramp, torch.tensor([[0.0, 1, 1, 5, 5]]), 1.0, 2, 2, 2, 2, pooled)
    assert_near(pooled, torch.tensor([[[[1.5, 3.5], [1.5, 3.5]]]]))
