"""How results reach the outputs the adapter has allocated, and when to compute in float32 instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

LOW_PRECISION = frozenset({torch.bfloat16, torch.float16})


def of_one(function: Callable[..., Any]) -> Callable[[Tensor, Tensor], None]:
    """The operator (input, output) of a function with `out=`."""

    def run(self: Tensor, out: Tensor) -> None:
        function(self, out=out)

    return run


def of_two(function: Callable[..., Any]) -> Callable[[Tensor, Any, Tensor], None]:
    """The operator (input, tensor or scalar, output) of a function with `out=`."""

    def run(self: Tensor, other: Any, out: Tensor) -> None:
        function(self, other, out=out)

    return run


def of_two_in_place(function: Callable[..., Any]) -> Callable[[Tensor, Any], None]:
    """The operator (input and output, tensor or scalar) of a method that changes its tensor."""

    def run(self: Tensor, other: Any) -> None:
        function(self, other)

    return run


def store(out: Tensor | None, value: Tensor) -> None:
    """Copies `value` into `out`, converting its dtype; an absent or empty output takes nothing."""
    if out is None or out.numel() == 0:
        return
    out.copy_(value if value.shape == out.shape else value.reshape(out.shape))


def store_all(outs: tuple[Tensor | None, ...], values: tuple[Tensor | None, ...]) -> None:
    """`store` for operators with several results; a result that was not asked for is None on both sides."""
    for out, value in zip(outs, values, strict=True):
        if value is not None:
            store(out, value)


def wide(tensor: Any) -> Any:
    """The tensor in float32 if its dtype is a 16-bit float; anything else, None too, as it is."""
    if isinstance(tensor, Tensor) and tensor.dtype in LOW_PRECISION:
        return tensor.float()
    return tensor


def same_dtype(out: Tensor, *tensors: Tensor | None) -> bool:
    """Whether all tensors that are there have the dtype of `out`, so that torch may write into it directly."""
    dtype = out.dtype
    return all(tensor is None or tensor.dtype is dtype for tensor in tensors)
