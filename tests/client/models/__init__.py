"""Small models whose training is compared between the device and the CPU: built in code, nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Case:
    """One model with its data.

    build   makes the model on the CPU from the global generator; dropout is off
    batch   makes the data of a step on the CPU from the global generator
    loss    runs the model forward
    prompt  data for `generate()`; None for models that generate nothing
    on_cpu  what must hold around the reference run
    """

    name: str
    build: Callable[[], torch.nn.Module]
    batch: Callable[[], Batch]
    loss: Callable[[Any, Batch], torch.Tensor]
    prompt: Callable[[], Batch] | None = None
    on_cpu: Callable[[], AbstractContextManager[Any]] = nullcontext


def tokens(vocabulary: int, *shape: int) -> torch.Tensor:
    """Token ids that are no special tokens."""
    return torch.randint(3, vocabulary, shape)


def cases() -> dict[str, Case]:
    """Every model by name."""
    from . import diffusion, language, plain, vision

    every = [*language.CASES, *vision.CASES, *diffusion.CASES, *plain.CASES]
    return {case.name: case for case in every}
