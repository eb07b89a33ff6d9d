"""Dropout: the packed mask, its application, and the two in one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from jumar.ops.bitmask import pack, unpack
from jumar.ops.registry import operators

SEED, OFFSET = 2**63 + 12345, 40


def run(name: str, *arguments: Any) -> Any:
    return operators()[name].run(*arguments)


def mask_for(count: int) -> Tensor:
    """The adapter rounds up to 128 bits."""
    return torch.full((-(-count // 128) * 16,), 255, dtype=torch.uint8)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 128, 1000])
def test_packing(count: int) -> None:
    bits = torch.rand(count, generator=torch.Generator().manual_seed(0)) < 0.4
    mask = mask_for(count)
    pack(bits, mask)
    assert torch.equal(unpack(mask, count), bits)
    assert sum(byte.bit_count() for byte in mask.tolist()) == int(bits.sum())
    for place in bits.nonzero().flatten().tolist():
        assert mask[place // 8] >> place % 8 & 1


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_mask(p: float) -> None:
    count = 100 * 200
    mask, again, other = mask_for(count), mask_for(count), mask_for(count)
    run("aclnnDropoutGenMaskV2", [100, 200], p, SEED, OFFSET, torch.bfloat16, mask)
    run("aclnnDropoutGenMask", [count], p, SEED, OFFSET, again)
    run(
        "aclnnDropoutGenMaskV2Tensor",
        [100, 200],
        p,
        torch.tensor([SEED - 2**64]),
        torch.tensor([OFFSET - 3]),
        3,
        torch.float32,
        other,
    )
    assert torch.equal(mask, again) and torch.equal(mask, other)
    kept = unpack(mask, count)
    assert abs(float(kept.double().mean()) - (1 - p)) < 0.01
    if 0 < p < 1:
        run("aclnnDropoutGenMask", [count], p, SEED, OFFSET + 10, other)
        assert abs(float((unpack(other, count) == kept).double().mean()) - (p * p + (1 - p) ** 2)) < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_application_as_native_dropout_does(p: float, dtype: torch.dtype) -> None:
    self = torch.randn(33, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
    mask, out = mask_for(self.numel()), torch.zeros(7, 33, dtype=dtype).t()
    run("aclnnDropoutV3", self, None, p, SEED, OFFSET, out, mask)
    kept = unpack(mask, self.numel()).view(self.shape)
    scale = 1 / (1 - p) if p < 1 else 0.0
    assert torch.equal(out, self.mul(kept).mul_(scale))
    result, grad = torch.zeros_like(self), torch.zeros_like(self)
    run("aclnnDropoutDoMask", self, mask, p, result)
    run("aclnnDropoutV3Grad", self, mask, p, grad)
    assert torch.equal(result, out) and torch.equal(grad, out)
    seed, offset = torch.tensor([SEED - 2**64]), torch.tensor([0])
    again = mask_for(self.numel())
    run("aclnnDropoutV3Tensor", self, None, p, seed, offset, OFFSET, grad, again)
    assert torch.equal(again, mask) and torch.equal(grad, out)
