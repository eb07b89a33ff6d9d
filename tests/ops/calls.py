"""Calls of operators as values: those recorded from the operators' own tests, and operands for hand-made ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jumar.abi.operand import Operand

FILE = Path(__file__).with_name("calls.jsonl")
Call = tuple[str, list[Any]]


def operand(*sizes: int, dtype: str = "bfloat16", strides: tuple[int, ...] | None = None) -> Operand:
    """A tensor argument, contiguous unless strides are given."""
    return Operand(dtype, sizes, contiguous(sizes) if strides is None else strides)


def contiguous(sizes: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(sizes):
        strides.append(step)
        step *= max(1, size)
    return tuple(reversed(strides))


def _value(plain: Any) -> Any:
    if isinstance(plain, dict):
        if "tensor" in plain:
            dtype, sizes, strides = plain["tensor"]
            return Operand(dtype, tuple(sizes), tuple(strides))
        return {key: _value(each) for key, each in plain["dict"].items()}
    return [_value(each) for each in plain] if isinstance(plain, list) else plain


@cache
def recorded() -> tuple[Call, ...]:
    """One call of each operator that has tests of its own."""
    lines = FILE.read_text().splitlines()[1:]
    return tuple((found["name"], _value(found["arguments"])) for found in map(json.loads, lines))


def mapped(value: Any, change: Callable[[Operand], Operand]) -> Any:
    """The same arguments with every operand changed."""
    if isinstance(value, Operand):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {key: mapped(each, change) for key, each in value.items()}
    return value


def sizes_in(value: Any) -> set[int]:
    """All sizes of dimensions among the arguments' operands."""
    found: set[int] = set()
    mapped(value, lambda each: found.update(each.sizes) or each)  # type: ignore[func-returns-value]
    return found
