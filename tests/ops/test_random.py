"""Random operators: the same numbers for the same (seed, offset), and the right distribution.

Seeds are fixed, so a bound that holds once holds always.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from jumar.ops.registry import operators

COUNT = 20_000
SEED, OFFSET = 2**63 + 12345, 40  # the adapter's default seed takes more than 32 bits

FLOATS = [torch.float32, torch.float16, torch.bfloat16]


def run(name: str, *arguments: Any) -> Any:
    return operators()[name].run(*arguments)


def word(value: int) -> Tensor:
    """As a device tensor holds it: 64 bits, signed."""
    return torch.tensor([value - 2**64 if value >= 2**63 else value])


def distance(sample: Tensor, distribution: Callable[[Tensor], Tensor]) -> float:
    """Kolmogorov-Smirnov: the largest gap between the sample's share below x and the distribution's."""
    ordered = sample.double().flatten().sort().values
    shares = torch.arange(1, len(ordered) + 1, dtype=torch.float64) / len(ordered)
    return float((shares - distribution(ordered)).abs().max())


NORMAL: Callable[[Tensor], Tensor] = lambda x: 0.5 * (1 + torch.erf(x / math.sqrt(2)))  # noqa: E731

# name of the operator on one tensor -> (arguments before the seed, the distribution)
CONTINUOUS: dict[str, tuple[list[float], Callable[[Tensor], Tensor]]] = {
    "aclnnInplaceUniform": ([-1.0, 3.0], lambda x: (x + 1) / 4),
    "aclnnInplaceNormal": ([2.0, 3.0], lambda x: NORMAL((x - 2) / 3)),
    "aclnnSimThreadExponential": ([COUNT, 2.0], lambda x: 1 - torch.exp(-2 * x)),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str, dtype: torch.dtype) -> None:
    arguments, distribution = CONTINUOUS[name]
    first, again, other = (torch.zeros(COUNT, dtype=dtype) for _ in range(3))
    run(name, first, *arguments, SEED, OFFSET)
    run(name, again, *arguments, SEED, OFFSET)
    run(name, other, *arguments, SEED, OFFSET + 10)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert distance(first, distribution) < (0.02 if dtype is torch.float32 else 0.06)  # 16 bits: steps
    spread = torch.zeros(COUNT, 2, dtype=dtype)
    run(name, spread[:, 0], *arguments, SEED, OFFSET)
    assert distance(spread[:, 0], distribution) < 0.06 and not spread[:, 1].any()


def test_seeds_differ_in_every_bit() -> None:
    seen = set()
    for seed, offset in [
        (0, 0),
        *((1 << bit, 0) for bit in range(64)),
        *((0, 1 << bit) for bit in range(32)),
    ]:
        sample = torch.zeros(2)
        run("aclnnInplaceUniform", sample, 0.0, 1.0, seed, offset)
        seen.add(tuple(sample.tolist()))
    assert len(seen) == 97


# name -> (arguments, the same with "Tensor" and the seed on the device must give the same numbers)
CAPTURED: dict[str, list[Any]] = {
    "aclnnInplaceUniform": [0.0, 1.0],
    "aclnnInplaceNormal": [0.0, 1.0],
    "aclnnInplaceRandom": [0, 1000],
    "aclnnInplaceRandomWithoutFromTo": [],
}


@pytest.mark.parametrize("name", CAPTURED)
def test_seed_and_offset_on_the_device(name: str) -> None:
    eager, captured = torch.zeros(50), torch.zeros(50)
    run(name, eager, *CAPTURED[name], SEED, OFFSET)
    run(f"{name}Tensor", captured, *CAPTURED[name], word(SEED), word(OFFSET - 8), 8)
    assert torch.equal(eager, captured) or not eager.any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_with_tensors(dtype: torch.dtype) -> None:
    mean, std = torch.linspace(-5, 5, COUNT, dtype=dtype), torch.linspace(1, 3, COUNT, dtype=dtype)
    cases: dict[str, tuple[Any, Any]] = {
        "TensorTensor": (mean, std),
        "TensorFloat": (mean, 2.0),
        "FloatTensor": (1.5, std),
        "FloatFloat": (1.5, 2.0),
    }
    for kind, (centre, width) in cases.items():
        out = torch.zeros(COUNT, dtype=dtype)
        run(f"aclnnNormal{kind}", centre, width, SEED, OFFSET, out)
        assert distance((out.double() - centre) / width, NORMAL) < 0.02


@pytest.mark.parametrize("dtype", [*FLOATS, torch.bool, torch.int32])
def test_bernoulli(dtype: torch.dtype) -> None:
    self = torch.zeros(COUNT, dtype=dtype)
    run("aclnnInplaceBernoulli", self, 0.3, SEED, OFFSET)
    assert abs(float(self.double().mean()) - 0.3) < 0.01
    for kind in FLOATS:
        chances = torch.tensor([0.1, 0.9], dtype=kind)
        self = torch.zeros(COUNT, 2, dtype=dtype)
        run("aclnnInplaceBernoulliTensor", self, chances, SEED, OFFSET)
        assert (self.double().mean(0) - chances.double()).abs().max() < 0.01


@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.int32, torch.uint8])
def test_random_integers(dtype: torch.dtype) -> None:
    self = torch.zeros(COUNT, dtype=dtype)
    run("aclnnInplaceRandom", self, 3, 13, SEED, OFFSET)
    shares = torch.bincount(self.long(), minlength=13)[3:].double() / COUNT
    assert int(self.min()) == 3 and int(self.max()) == 12 and (shares - 0.1).abs().max() < 0.01


def test_permutation() -> None:
    for dtype in (torch.int64, torch.int32, torch.float32):
        out = torch.zeros(1000, dtype=dtype)
        run("aclnnRandperm", 1000, SEED, OFFSET, out)
        assert torch.equal(out.sort().values, torch.arange(1000).to(dtype))
        assert float((out - torch.arange(1000)).abs().float().mean()) > 250


@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial(dtype: torch.dtype) -> None:
    weights = torch.tensor([[1, 3, 0, 4], [0, 0, 1, 1]], dtype=dtype)
    out = torch.zeros(2, COUNT, dtype=torch.int64)
    run("aclnnMultinomial", weights, COUNT, True, SEED, OFFSET, out)
    for row, expected in zip(out, weights.double() / weights.double().sum(1, True), strict=True):
        assert (torch.bincount(row, minlength=4).double() / COUNT - expected).abs().max() < 0.01
    again = torch.zeros_like(out)
    run("aclnnMultinomialTensor", weights, COUNT, True, word(SEED), word(0), OFFSET, again)
    assert torch.equal(out, again)
    few = torch.zeros(2, 2, dtype=torch.int64)
    run("aclnnMultinomial", weights, 2, False, SEED, OFFSET, few)
    assert all(len(set(row.tolist())) == 2 for row in few)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_rrelu(dtype: torch.dtype) -> None:
    self = torch.linspace(-1, 1, 1000).to(dtype)
    noise, out = torch.zeros_like(self), torch.zeros_like(self)
    run("aclnnRReluWithNoise", self, noise, 0.1, 0.3, True, SEED, OFFSET, out)
    # PyTorch rounds the noise that it stores, not the one that it multiplies with.
    assert torch.allclose(out.float(), self.float() * noise.float(), rtol=0.02)
    assert torch.equal(out[self > 0], self[self > 0])
    assert float(noise[self <= 0].min()) > 0.099 and float(noise[self <= 0].max()) < 0.301
    mine = self.clone()
    run("aclnnInplaceRReluWithNoise", mine, noise, 0.1, 0.3, True, SEED, OFFSET)
    assert torch.equal(mine, out)
    run("aclnnRReluWithNoise", self, noise, 0.1, 0.3, False, SEED, OFFSET, out)
    assert torch.equal(out, torch.nn.functional.rrelu(self, 0.1, 0.3))


def test_masked_scale() -> None:
    self, mask, out = torch.arange(4.0), torch.tensor([1, 0, 1, 1], dtype=torch.uint8), torch.zeros(4)
    run("aclnnMaskedScale", self, mask, 2.0, out)
    assert out.tolist() == [0, 0, 4, 6]
