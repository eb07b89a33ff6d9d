"""Tells the core where the program is: in which `nn.Module`, and whether an optimizer is at work.

The core itself finds the line of Python, and what a backward call belongs to (native/attribution.cpp).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import threading
import weakref
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jumar
from jumar.machine import libraries
from jumar.patches import Applied, Patch, apply

if TYPE_CHECKING:
    import torch

SHELF = "shelf"  # the room whose programs are a program like any other
OPTIMIZER = 3  # Phase in runs/format.py
# Version of the adapter -> where its allocator has the method that attaches a tracker of blocks, in bytes of the table
# of methods (`&NPUAllocator::attachAllocatorTraceTracker`, by the header that the wheel ships).
TRACKERS = {"2.13.0": 456}


class Cell(ctypes.Structure):
    """Two words of the core that belong to the thread."""

    module: int
    phase: int
    _fields_ = (("module", ctypes.c_uint32), ("phase", ctypes.c_uint32))


class Place(threading.local):
    """Where this thread is."""

    def __init__(self, core: ctypes.CDLL) -> None:
        self.cell = Cell.from_address(core.jumar_trace_cell())


class Modules:
    """Modules by number. A module has the name of its place in the outermost module that was called with it inside."""

    def __init__(self, core: ctypes.CDLL) -> None:
        self._core = core
        self.numbers: dict[int, int] = {}  # by identity; 0 cannot be told yet
        self._paths: dict[int, tuple[weakref.ref[Any], str]] = {}

    def learn(self, module: torch.nn.Module, outer: int) -> int:
        """The number of a module that has none yet; `outer`: that of the module which calls it."""
        if id(module) not in self._paths:
            if outer == 0:
                root = type(module).__name__
                for name, inner in module.named_modules():
                    self._remember(inner, f"{root}.{name}" if name else root)
            else:
                self._remember(module, type(module).__name__)
        path = self._paths[id(module)][1]
        number = self._core.jumar_trace_name(b"module", path.encode())
        if number:
            self.numbers[id(module)] = number
        return int(number)

    def _remember(self, module: torch.nn.Module, path: str) -> None:
        key = id(module)
        if key not in self._paths:
            self._paths[key] = (weakref.ref(module, lambda _: self._forget(key)), path)

    def _forget(self, key: int) -> None:
        self._paths.pop(key, None)
        self.numbers.pop(key, None)


class Steps:
    """Optimizers by ordinal, and how often each has made a step."""

    def __init__(self, core: ctypes.CDLL, place: Place) -> None:
        self._core, self._place = core, place
        self._counts: dict[int, int] = {}

    def begin(self, optimizer: object, arguments: object, keywords: object) -> None:
        self._place.cell.phase = OPTIMIZER

    def end(self, optimizer: object, arguments: object, keywords: object) -> None:
        self._place.cell.phase = 0
        self._counts[id(optimizer)] = self._counts.get(id(optimizer), 0) + 1
        ordinal = list(self._counts).index(id(optimizer))
        self._core.jumar_trace_step(ordinal, max(self._counts.values()))


def calls(modules: Modules, place: Place) -> Callable[[Any], Any]:
    """What replaces `Module.__call__`: the same, and meanwhile the thread is in that module."""
    numbers = modules.numbers

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def __call__(self: torch.nn.Module, *arguments: Any, **keywords: Any) -> Any:
            cell = place.cell
            outer = cell.module
            cell.module = numbers.get(id(self)) or modules.learn(self, outer)
            try:
                return original(self, *arguments, **keywords)
            finally:
                cell.module = outer

        return __call__

    return make


_applied: list[Applied] = []


def install() -> None:
    """Begins to tell, if the server keeps a trace; once."""
    core = libraries.load_core()
    if _applied or not core.jumar_trace_wanted():
        return
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    core.jumar_trace_cell.restype = ctypes.c_void_p
    core.jumar_trace_name.restype = ctypes.c_uint32
    for package in _libraries(torch):
        core.jumar_trace_library(package.encode())
    core.jumar_trace_blocks(ctypes.c_uint64(TRACKERS.get(version("torch-npu").partition("+")[0], 0)))
    place = Place(core)
    steps = Steps(core, place)
    hooks = [
        register_optimizer_step_pre_hook(steps.begin),
        register_optimizer_step_post_hook(steps.end),
    ]
    _applied.append(Applied((), [hook.remove for hook in hooks]))
    _applied.append(apply([_patch(calls(Modules(core), place))]))


def _patch(make: Callable[[Any], Any]) -> Patch:
    return Patch("torch.nn.modules.module:Module.__call__", make, "which module an operator belongs to")


def _libraries(torch: Any) -> list[str]:
    """Beginnings of paths whose code is not the program's own: packages below it, and what only wraps its functions."""
    packages = Path(torch.__file__).parent.parent
    own = [one for root in map(Path, jumar.__path__) for one in root.iterdir() if one.name != SHELF]
    folders = [packages / "torch", packages / "torch_npu", *(one for one in own if one.is_dir())]
    files = [contextlib.__file__, functools.__file__, packages / "typing_extensions.py", *own]
    return [*(f"{one}{os.sep}" for one in folders), *map(str, files), "<frozen "]


def remove() -> None:
    """Undoes everything that `install` did."""
    while _applied:
        _applied.pop().undo()


def patches_in_force() -> list[Patch]:
    return [patch for applied in _applied for patch in applied.patches]
