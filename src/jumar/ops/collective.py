"""The arithmetic of collectives: one piece of what every rank sends, reduced in the order of ranks.

The order is fixed, so results are the same on every rank and in every run. Half precision is rounded after each rank,
as on the chip, which reduces in the data type of the buffers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from jumar.ops.legacy import Attributes
from jumar.ops.registry import legacy

REDUCTIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": Tensor.add_,
    "prod": Tensor.mul_,
    "max": lambda total, each: torch.maximum(total, each, out=total),
    "min": lambda total, each: torch.minimum(total, each, out=total),
}


@legacy("HcclReduction")
def reduction(inputs: list[Tensor], outputs: list[Tensor], attributes: Attributes) -> None:
    if len(inputs) == 1:
        outputs[0].copy_(inputs[0])
        return
    combine = REDUCTIONS[attributes["reduction"]]
    total = inputs[0].clone()  # the output may be one of the inputs
    for each in inputs[1:]:
        combine(total, each)
    outputs[0].copy_(total)
