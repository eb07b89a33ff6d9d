"""The legacy path (`aclopCompileAndExecute`): how its operators are written, and those that create and copy.

The other `legacy_*` files hold the families. A table maps an operator type to a function of its inputs and
attributes, whose results are stored into the outputs, in order; None leaves an output alone. Inputs are as
the adapter sends them: small shape lists and scalars are ordinary tensors too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.ops.registry import legacy
from jumar.ops.results import store

Inputs = list[Any]  # of tensors; None where absent
Attributes = dict[str, Any]
Meaning = Callable[[Inputs, Attributes], Any]
Sizes = dict[int, tuple[int, ...]]


def writes(function: Meaning) -> Callable[[Inputs, list[Any], Attributes], None]:
    """The operator that stores what `function` returns: one tensor, or a tuple with one for each output."""

    def run(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
        results = function(inputs, attributes)
        for out, result in zip(outputs, results if isinstance(results, tuple) else (results,), strict=False):
            if result is not None:
                store(out, result)

    return run


def numbers(tensor: Tensor) -> list[int]:
    """A shape list, or a scalar that stands for a list of one."""
    return [int(value) for value in tensor.reshape(-1).tolist()]


def flat(inputs: Inputs, attributes: Attributes) -> Tensor:
    """A change of format: device memory holds every format in plain order, so only the elements count."""
    source: Tensor = inputs[0]
    return source.reshape(-1)


_CREATION: dict[str, Meaning] = {
    "Cast": lambda x, a: x[0],
    "Fill": lambda x, a: x[1].reshape(()).expand(numbers(x[0])),
    "ZerosLike": lambda x, a: torch.zeros_like(x[0]),
    "OnesLike": lambda x, a: torch.ones_like(x[0]),
    "Eye": lambda x, a: torch.eye(a["num_rows"], a["num_columns"]),
    "Range": lambda x, a: torch.arange(x[0].item(), x[1].item(), x[2].item(), dtype=x[0].dtype),
    "RangeD": lambda x, a: a["start"] + a["delta"] * torch.arange(x[0].numel(), dtype=x[0].dtype),
    "LinSpace": lambda x, a: torch.linspace(x[0].item(), x[1].item(), numbers(x[2])[0]),
    "LogSpaceD": lambda x, a: torch.logspace(a["start"], a["end"], a["steps"], a["base"]),
}

for _type, _meaning in _CREATION.items():
    legacy(_type)(writes(_meaning))


@legacy("Identity", "TransData")
def change_format(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    source = flat(inputs, attributes)
    outputs[0].as_strided((len(source),), (1,)).copy_(source)


# The chip's overflow flags: arithmetic here follows IEEE and never sets them.
legacy(
    "NPUAllocFloatStatus",
    "NPUGetFloatStatus",
    "NPUGetFloatStatusV2",
    "NPUGetFloatDebugStatus",
    "NPUClearFloatStatus",
    "NPUClearFloatStatusV2",
    "NPUClearFloatDebugStatus",
)(writes(lambda x, a: torch.zeros(8)))
