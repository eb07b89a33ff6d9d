"""What the indexing families share: index errors of one kind, indices in the type that CPU PyTorch wants."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

import torch

Function = TypeVar("Function", bound=Callable[..., Any])

_OUT_OF_RANGE = re.compile(r"out of (range|bounds|DATA bounds)|< number of ones in mask")


def bounded(function: Function) -> Function:
    """Some CPU kernels report an index out of range as RuntimeError; the executor wants IndexError."""

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except RuntimeError as error:
            if _OUT_OF_RANGE.search(str(error)):
                raise IndexError(str(error)) from error
            raise

    return run  # type: ignore[return-value]


def long(index: torch.Tensor) -> torch.Tensor:
    """The chip takes int32 indices everywhere, several CPU kernels only int64."""
    return index if index.dtype is torch.int64 else index.long()


def start(out: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """For the out-of-place forms: begins the output as a copy, unless the caller passed one tensor twice."""
    same = (
        out.data_ptr() == source.data_ptr() and out.stride() == source.stride() and out.dtype is source.dtype
    )
    return out if same else out.copy_(source)


def like(source: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """The source in the output's data type."""
    return source if source.dtype is out.dtype else source.to(out.dtype)


def front(out: torch.Tensor, *sizes: int) -> torch.Tensor:
    """The contiguous tensor of these sizes at the beginning of an output allocated for the largest result."""
    strides = [1] * len(sizes)
    for position in reversed(range(len(sizes) - 1)):
        strides[position] = strides[position + 1] * max(1, sizes[position + 1])
    return out.as_strided(sizes, strides)
