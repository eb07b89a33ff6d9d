"""Legacy path: random numbers and dropout. Seed and offset arrive as inputs, shapes as lists."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Generator, Tensor

from jumar.ops.bitmask import pack, unpack
from jumar.ops.legacy import Attributes, Inputs, Meaning, numbers, writes
from jumar.ops.random import stream
from jumar.ops.registry import legacy


def _generator(seed: Tensor, offset: Tensor) -> Generator:
    return stream(numbers(seed)[0], numbers(offset)[-1])


def _bernoulli(x: Inputs, a: Attributes) -> Tensor:
    chances = x[1].float().expand(numbers(x[0]))
    return torch.bernoulli(chances, generator=_generator(x[2], x[3]))


def _multinomial(x: Inputs, a: Attributes) -> Tensor:
    return torch.multinomial(x[0], a["numsamples"], a["replacement"], generator=_generator(x[1], x[2]))


_RANDOM: dict[str, Meaning] = {
    "StatelessRandomUniformV2": lambda x, a: torch.rand(numbers(x[0]), generator=_generator(x[1], x[2])),
    "StatelessRandomNormalV2": lambda x, a: torch.randn(numbers(x[0]), generator=_generator(x[1], x[2])),
    "StatelessBernoulli": _bernoulli,
    "StatelessRandperm": lambda x, a: torch.randperm(numbers(x[0])[0], generator=_generator(x[1], x[2])),
    "MultinomialWithReplacement": _multinomial,
    "DropOutDoMask": lambda x, a: _keep(x[0], unpack(x[1], x[0].numel()), x[2]),
    "DropOutDoMaskV3": lambda x, a: _keep(x[0], x[1].reshape(-1)[: x[0].numel()], x[2]),
}


def _keep(self: Tensor, mask: Tensor, share: Tensor) -> Tensor:
    """`share` is the probability to be kept."""
    kept = float(share)
    return self.mul(mask.view(self.shape)).mul_(1.0 / kept if kept else 0.0)


for _type, _meaning in _RANDOM.items():
    legacy(_type)(writes(_meaning))


@legacy("StatelessDropOutGenMask")
def bit_mask(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    bits = torch.empty(math.prod(numbers(inputs[0])), dtype=torch.bool)
    generator = _generator(inputs[2], inputs[4])
    pack(bits.bernoulli_(float(inputs[1]), generator=generator), outputs[0])


@legacy("DropOutGenMaskV3")
def byte_mask(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    count = math.prod(numbers(inputs[0]))
    mask = outputs[0].view(-1)
    mask[:count].bernoulli_(float(inputs[1]), generator=stream(attributes["seed"], attributes["seed2"]))
    mask[count:] = 0
