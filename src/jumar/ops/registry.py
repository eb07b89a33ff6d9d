"""The table of operators: vendor name -> Python function that does the arithmetic.

A function takes the arguments of the vendor's entry point in the vendor's order (see `abi/aclnn_signatures.tsv`):

    aclTensor*       torch.Tensor on the CPU, a view of device memory with the program's strides; None if absent
    aclTensorList*   list of such tensors
    aclScalar*       int, float, bool or complex
    aclScalarList*   list of those
    aclIntArray*     list of int; None if absent
    aclBoolArray*    list of bool
    char*            str
    aclDataType      torch.dtype
    integers, bool, double, float: int, bool, float

A rule of work takes the same arguments with a `jumar.abi.operand.Operand` in place of each tensor and a string in place
of each data type, and returns what the chip has to do for it. An operator without one gets what `working` derives.

The function writes its results into the output tensors, which the adapter has allocated with the right sizes; it never
resizes them and keeps no reference to any argument. It runs in inference mode, in the order of the stream.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import torch

from jumar.physics.work import Work

Function = TypeVar("Function", bound=Callable[..., Any])
Rule = Callable[..., Work]


class Refused(RuntimeError):
    """The real chip refuses these arguments too: the message says which and why."""


@dataclass(frozen=True)
class Operator:
    """One operator.

    name     the vendor's entry point ("aclnnAdd"), or the type name on the legacy path ("aclop:Add")
    run      the arithmetic
    file     where it is written, for error messages, relative to the package
    refuses  data types that the chip does not take in any tensor argument: refused before the operator is queued
    sized    the sizes of outputs depend on the data: `run` returns {position of the argument: sizes} and the
             adapter, which waits for it, shrinks its outputs to that
    """

    name: str
    run: Callable[..., Any]
    file: str
    refuses: frozenset[torch.dtype] = frozenset()
    sized: bool = False


_operators: dict[str, Operator] = {}
_rules: dict[str, Rule] = {}
_notes: dict[str, str] = {}


def _add(name: str, run: Callable[..., Any], file: str, refuses: Iterable[torch.dtype], sized: bool) -> None:
    if name in _operators:
        raise ValueError(f"{name} is defined twice: in {_operators[name].file} and in {file}")
    _operators[name] = Operator(name, run, file, frozenset(refuses), sized)


def _add_rule(name: str, rule: Rule | None) -> None:
    if rule is None:
        return
    if name in _rules:
        raise ValueError(f"the work of {name} has two rules: {_rules[name].__module__} and {rule.__module__}")
    _rules[name] = rule


def _file_of_caller(depth: int) -> str:
    return "ops/" + Path(sys._getframe(depth).f_code.co_filename).name


def op(
    *names: str, refuses: Iterable[torch.dtype] = (), sized: bool = False, work: Rule | None = None
) -> Callable[[Function], Function]:
    """Decorator: this function is the meaning of the named `aclnn…` operators, `work` the rule of their work."""
    file = _file_of_caller(2)

    def register(function: Function) -> Function:
        for name in names:
            _add(name, function, file, refuses, sized)
            _add_rule(name, work)
        return function

    return register


def rows(
    make: Callable[[Any], Callable[..., Any]],
    table: dict[str, Any],
    *,
    refuses: Iterable[torch.dtype] = (),
    work: Callable[[Any], Rule] | None = None,
) -> None:
    """Registers `make(value)` under each name of the table: for families whose members differ in one function.

    `work(value)` is the rule of its work.
    """
    file = _file_of_caller(2)
    for name, value in table.items():
        _add(name, make(value), file, refuses, False)
        _add_rule(name, work(value) if work else None)


def work_rule(*names: str, note: str = "") -> Callable[[Function], Function]:
    """Decorator: this function is the rule of the named operators' work, with arithmetic or without.

    `note`: what the rule leaves out.
    """

    def register(function: Function) -> Function:
        for name in names:
            _add_rule(name, function)
            if note:
                _notes[name] = note
        return function

    return register


def legacy(*types: str, work: Rule | None = None) -> Callable[[Function], Function]:
    """Decorator for the legacy path (`aclopCompileAndExecute`): `run(inputs, outputs, attributes)`.

    inputs and outputs are lists of tensors (None where absent), attributes a dict from name to int, float, bool, str,
    torch.dtype or list of these.
    """
    file = _file_of_caller(2)

    def register(function: Function) -> Function:
        for name in types:
            _add(f"aclop:{name}", function, file, (), False)
            _add_rule(f"aclop:{name}", work)
        return function

    return register


@cache
def _import_families() -> None:
    package = importlib.import_module("jumar.ops")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"jumar.ops.{module.name}")


def operators() -> dict[str, Operator]:
    """Every operator with arithmetic, by name. Imports all families on first use."""
    _import_families()
    return _operators


def rules() -> dict[str, Rule]:
    """The rule of work of each operator that has one, by name."""
    _import_families()
    return _rules


def notes() -> dict[str, str]:
    """What rules leave out, for those operators where they leave out something."""
    _import_families()
    return _notes
