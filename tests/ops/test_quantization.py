"""Quantisation to 8 bits against its definition."""

from __future__ import annotations

import pytest
import torch

from .compare import assert_near, call


@pytest.mark.parametrize("dtype", (torch.float16, torch.bfloat16))
def test_dynamic_quantisation(dtype: torch.dtype) -> None:
    self, smooth = torch.randn(3, 4, 16).to(dtype), torch.rand(16).to(dtype)
    out, scale = torch.empty(3, 4, 16, dtype=torch.int8), torch.empty(3, 4)
    call("aclnnDynamicQuant", self, smooth, out, scale)
    value = self.float() * smooth.float()
    assert_near(scale, value.abs().amax(-1) / 127)
    assert (out.float() * scale[..., None] - value).abs().max() <= scale.max() * 0.501
    offset = torch.empty(3, 4)
    call("aclnnDynamicQuantV2", self, None, None, 2, out, scale, offset)
    restored = (out.float() - offset[..., None]) * scale[..., None]
    assert (restored - self.float()).abs().max() <= scale.max() * 0.501
    columns = torch.empty(3, 16)
    call("aclnnDynamicQuantV3", self, None, None, 2, True, "perchannel", out, columns, None)
    assert_near(columns, self.float().abs().amax(-2) / 127)


def test_there_and_back() -> None:
    self, scale, offset = torch.randn(4, 8), torch.full((8,), 20.0), torch.arange(8.0)
    out, back = torch.empty(4, 8, dtype=torch.int8), torch.empty(4, 8, dtype=torch.float16)
    call("aclnnAscendQuant", self, scale, offset, False, "round", 2, out)
    assert (out == (self * scale + offset).round().clamp(-128, 127)).all()
    call("aclnnAscendAntiQuant", out, 1 / scale, -offset, 1, False, back)
    assert (back.float() - self).abs().max() < 0.03


def test_products() -> None:
    left, right = (torch.randint(-128, 128, sizes, dtype=torch.int8) for sizes in ((5, 32), (32, 6)))
    exact = (left.long() @ right.long()).float()
    by_column, by_row, bias = torch.rand(6), torch.rand(5), torch.randint(-99, 99, (6,), dtype=torch.int32)
    out = torch.empty(5, 6, dtype=torch.bfloat16)
    nothing = [None] * 4
    call("aclnnQuantMatmulV5", left, right, by_row, by_column, *nothing, bias, False, False, 0, out)
    assert_near(out, (exact + bias) * by_column * by_row[:, None])
    packed = torch.empty(6, dtype=torch.int64)
    call("aclnnTransQuantParamV2", by_column, None, packed)
    half = torch.empty(5, 6, dtype=torch.float16)
    small = 1e-3 * by_column
    call("aclnnTransQuantParamV2", small, None, packed)
    call("aclnnQuantMatmulV5", left, right, None, packed, *nothing, None, False, False, 0, half)
    assert_near(half, exact * small)

    self = torch.randn(5, 32)
    result = torch.empty(5, 6)
    call("aclnnWeightQuantBatchMatmulV2", self, right, by_column, None, None, None, None, 0, result)
    assert_near(result, self @ (right.float() * by_column))
