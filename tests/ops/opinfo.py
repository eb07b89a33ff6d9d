"""Runs an operator over the samples of PyTorch's own operator database and compares it with CPU PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from jumar.ops.registry import operators

DTYPES = (
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.complex64,
    torch.int64,
    torch.int32,
    torch.int8,
    torch.uint8,
    torch.bool,
)
FLOATS = DTYPES[:4]
SAMPLES = 60

Arguments = Callable[[SampleInput], Sequence[Any] | None]

_infos: dict[tuple[str, str], OpInfo] = {(info.name, info.variant_test_name): info for info in op_db}


def sole(sample: SampleInput) -> Sequence[Any] | None:
    """The sample's input and positional arguments, for samples without keywords."""
    return None if sample.kwargs else (sample.input, *sample.args)


@dataclass(frozen=True)
class Row:
    """One operator, the name of its like in PyTorch, and how a sample becomes the inputs (None: it cannot).

    in_place  the first input is also the output
    dtypes    those tried, out of what the database lists for the CPU
    """

    operator: str
    like: str
    arguments: Arguments = sole
    variant: str = ""
    in_place: bool = False
    dtypes: tuple[torch.dtype, ...] = DTYPES

    def __str__(self) -> str:
        return self.operator


_table = cache(operators)


def call(name: str, *arguments: Any) -> Any:
    """Calls an operator as the executor does."""
    with torch.inference_mode():
        return _table()[f"aclnn{name}"].run(*arguments)


def strided(tensor: Tensor) -> Tensor:
    """The same values with gaps between them and the dimensions in the opposite order in memory."""
    order = list(range(tensor.dim()))[::-1]
    room = torch.empty(*(tensor.shape[dim] for dim in order), 2, dtype=tensor.dtype)
    return room[..., 0].permute(order).copy_(tensor)


def spoiled(tensor: Tensor) -> Tensor:
    """A tensor like this that holds no right answer yet."""
    return torch.full_like(tensor, 77, memory_format=torch.contiguous_format)


def assert_bits(got: Tensor, wanted: Tensor, what: object) -> None:
    assert got.dtype == wanted.dtype and got.shape == wanted.shape, what
    if not torch.equal(got, wanted):
        torch.testing.assert_close(
            got, wanted, rtol=0, atol=0, equal_nan=True, msg=lambda text: f"{what}\n{text}"
        )


def assert_near(got: Tensor, wanted: Tensor, what: object) -> None:
    # Sums in float16 depend on their order more than PyTorch's default tolerance for it allows.
    loose = {"rtol": 1e-2, "atol": 1e-3} if wanted.dtype is torch.float16 else {}
    if not torch.equal(got, wanted):
        torch.testing.assert_close(got, wanted, equal_nan=True, msg=lambda text: f"{what}\n{text}", **loose)


def _restride(value: Any) -> Any:
    if isinstance(value, Tensor):
        return strided(value)
    return [_restride(item) for item in value] if isinstance(value, list) else value


def _one(row: Row, arguments: Sequence[Any], wanted: tuple[Tensor, ...], what: object) -> None:
    # A strided loop may take another path through the same kernel: bit by bit only where contiguous.
    for layout, check in ((lambda value: value, assert_bits), (_restride, assert_near)):
        inputs = [layout(value) for value in arguments]
        if row.in_place:
            inputs[0] = layout(inputs[0].clone())
            outputs = (inputs[0],)
            call(row.operator, *inputs)
        else:
            outputs = tuple(layout(spoiled(tensor)) for tensor in wanted)
            call(row.operator, *inputs, *outputs)
        for got, expected in zip(outputs, wanted, strict=True):
            check(got, expected, what)


def _samples(info: OpInfo, dtype: torch.dtype) -> Iterator[SampleInput]:
    # Not `info.sample_inputs`: that walks the whole call stack each time, for messages not wanted here.
    torch.default_generator.manual_seed(0)
    return islice(info.sample_inputs_func(info, "cpu", dtype, requires_grad=False), SAMPLES)


def check_row(row: Row) -> None:
    info = _infos[row.like, row.variant]
    tried = 0
    for dtype in (dtype for dtype in row.dtypes if dtype in info.dtypes):
        for sample in _samples(info, dtype):
            arguments = row.arguments(sample)
            if arguments is None:
                continue
            wanted = info.op(sample.input, *sample.args, **sample.kwargs)
            wanted = (wanted,) if isinstance(wanted, Tensor) else tuple(wanted)
            if row.in_place:
                if (wanted[0].dtype, wanted[0].shape) != (dtype, arguments[0].shape):
                    continue
                wanted = (info.inplace_variant(sample.input.clone(), *sample.args, **sample.kwargs),)
            _one(row, arguments, wanted, (row.operator, dtype, sample))
            tried += 1
    assert tried, f"no sample of {row.like} fits {row.operator}"
