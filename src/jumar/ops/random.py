"""Random numbers: each operator is a function of (seed, offset), as the adapter's generator hands them out.

The numbers are those of PyTorch's CPU generator, not of the chip's, whose algorithm is not published.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from jumar.abi.operand import Operand
from jumar.ops.bounds import like
from jumar.ops.registry import op
from jumar.ops.rules import drawing, normalising, pointwise, sorting_work
from jumar.physics.work import Kind, Work

Scalar = int | float | bool

_WORD = (1 << 64) - 1


def _mixed(word: int) -> int:
    """The finaliser of SplitMix64: every bit of the input changes half of the output's."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
    return word ^ word >> 31


def stream(seed: int, offset: int) -> Generator:
    """A generator for this call. PyTorch's takes 32 bits of its seed: both numbers are mixed into these."""
    generator = Generator()
    generator.manual_seed(_mixed(seed + _mixed(offset + 0x9E3779B97F4A7C15 & _WORD) & _WORD) >> 32)
    return generator


def captured(seed: Tensor, offset: Tensor, addend: int) -> tuple[int, int]:
    """In a captured graph the adapter keeps both in device memory; the addend is the place of this call."""
    return int(seed.item()), int(offset.item()) + addend


@op("aclnnInplaceUniform", work=drawing(outs=0))
def uniform(self: Tensor, low: float, high: float, seed: int, offset: int) -> None:
    self.uniform_(low, high, generator=stream(seed, offset))


@op("aclnnInplaceUniformTensor", work=drawing(outs=0))
def uniform_tensor(self: Tensor, low: float, high: float, seed: Tensor, offset: Tensor, addend: int) -> None:
    uniform(self, low, high, *captured(seed, offset, addend))


@op("aclnnInplaceNormal", work=drawing(1.5, outs=0))
def normal(self: Tensor, mean: float, std: float, seed: int, offset: int) -> None:
    self.normal_(mean, std, generator=stream(seed, offset))


@op("aclnnInplaceNormalTensor", work=drawing(1.5, outs=0))
def normal_tensor(self: Tensor, mean: float, std: float, seed: Tensor, offset: Tensor, addend: int) -> None:
    normal(self, mean, std, *captured(seed, offset, addend))


@op("aclnnNormalFloatFloat", work=drawing(1.5))
def normal_out(mean: float, std: float, seed: int, offset: int, out: Tensor) -> None:
    normal(out, mean, std, seed, offset)


@op("aclnnNormalTensorFloat", work=drawing(1.5))
def normal_mean(mean: Tensor, std: float, seed: int, offset: int, out: Tensor) -> None:
    normal(out, 0.0, std, seed, offset)
    out.add_(mean)


@op("aclnnNormalFloatTensor", "aclnnNormalTensorTensor", work=drawing(1.5))
def normal_std(mean: Tensor | float, std: Tensor, seed: int, offset: int, out: Tensor) -> None:
    normal(out, 0.0, 1.0, seed, offset)
    out.mul_(std).add_(mean)


@op("aclnnInplaceBernoulli", work=drawing(outs=0))
def bernoulli(self: Tensor, p: Scalar, seed: int, offset: int) -> None:
    self.bernoulli_(float(p), generator=stream(seed, offset))


@op("aclnnInplaceBernoulliTensor", work=drawing(outs=0))
def bernoulli_tensor(self: Tensor, p: Tensor, seed: int, offset: int) -> None:
    chances = p if p.dtype in (torch.float32, torch.float64) else p.float()
    self.bernoulli_(chances.expand(self.shape), generator=stream(seed, offset))


@op("aclnnInplaceRandom", work=drawing(outs=0))
def random(self: Tensor, low: int, high: int, seed: int, offset: int) -> None:
    self.random_(low, high, generator=stream(seed, offset))


@op("aclnnInplaceRandomTensor", work=drawing(outs=0))
def random_tensor(self: Tensor, low: int, high: int, seed: Tensor, offset: Tensor, addend: int) -> None:
    random(self, low, high, *captured(seed, offset, addend))


@op("aclnnInplaceRandomWithoutFromTo", work=drawing(outs=0))
def random_anything(self: Tensor, seed: int, offset: int) -> None:
    self.random_(generator=stream(seed, offset))


@op("aclnnInplaceRandomWithoutFromToTensor", work=drawing(outs=0))
def random_anything_tensor(self: Tensor, seed: Tensor, offset: Tensor, addend: int) -> None:
    random_anything(self, *captured(seed, offset, addend))


@op("aclnnSimThreadExponential", work=drawing(1, outs=0))
def exponential(self: Tensor, count: int, rate: float, seed: int, offset: int) -> None:
    self.exponential_(rate, generator=stream(seed, offset))


@op("aclnnStatelessExponentialTensor", work=drawing(1, outs=0))
def exponential_tensor(self: Tensor, seed: Tensor, offset: Tensor, addend: int, rate: float) -> None:
    self.exponential_(rate, generator=stream(*captured(seed, offset, addend)))


def _randperm_work(count: int, seed: int, offset: int, out: Operand) -> Work:
    """A random number for each place, and the places in the order of those."""
    return sorting_work([out], [out], count)


@op("aclnnRandperm", work=_randperm_work)
def randperm(count: int, seed: int, offset: int, out: Tensor) -> None:
    torch.randperm(count, generator=stream(seed, offset), out=out, dtype=out.dtype)


@op("aclnnMultinomial", work=normalising(4, 2))
def multinomial(self: Tensor, samples: int, replacement: bool, seed: int, offset: int, out: Tensor) -> None:
    torch.multinomial(self, samples, replacement, generator=stream(seed, offset), out=out)


@op("aclnnMultinomialTensor", work=normalising(4, 2))
def multinomial_tensor(
    self: Tensor, samples: int, replacement: bool, seed: Tensor, offset: Tensor, addend: int, out: Tensor
) -> None:
    multinomial(self, samples, replacement, *captured(seed, offset, addend), out)


@op("aclnnRReluWithNoise", work=pointwise(22, kind=Kind.RANDOM))
def rrelu(
    self: Tensor,
    noise: Tensor,
    lower: Scalar,
    upper: Scalar,
    training: bool,
    seed: int,
    offset: int,
    out: Tensor,
) -> None:
    generator = stream(seed, offset)
    if self.dtype is torch.float16:  # the one type that CPU PyTorch leaves out here
        wide = noise.float()
        result = torch.ops.aten.rrelu_with_noise(self.float(), wide, lower, upper, training, generator)
        out.copy_(result)
        noise.copy_(wide)
    else:
        torch.ops.aten.rrelu_with_noise.out(self, noise, lower, upper, training, generator, out=out)


@op("aclnnInplaceRReluWithNoise", work=pointwise(22, outs=0, kind=Kind.RANDOM))
def inplace_rrelu(
    self: Tensor, noise: Tensor, lower: Scalar, upper: Scalar, training: bool, seed: int, offset: int
) -> None:
    rrelu(self.clone(), noise, lower, upper, training, seed, offset, self)


@op("aclnnMaskedScale", work=pointwise(2))
def masked_scale(self: Tensor, mask: Tensor, scale: float, out: Tensor) -> None:
    torch.mul(self, like(mask, self), out=out)
    out.mul_(scale)
