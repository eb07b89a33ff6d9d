"""Changes to somebody else's names: each a record of what, by what and why; all or none, undoable."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any


class PatchError(RuntimeError):
    """A target is not there: the message names it and the version of torch."""


@dataclass(frozen=True)
class Patch:
    """`target` is "module:name" or "module:Class.name"; `make` turns what is there into what replaces it."""

    target: str
    make: Callable[[Any], Any]
    why: str


@dataclass
class Applied:
    """Patches in force. `undo` puts back what was there."""

    patches: tuple[Patch, ...]
    _undo: list[Callable[[], None]]

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()


def apply(patches: Iterable[Patch]) -> Applied:
    """All or none: PatchError, and nothing changed, if one target is missing."""
    wanted = tuple(patches)
    places = [_place(patch) for patch in wanted]
    undo: list[Callable[[], None]] = []
    for patch, (owner, name) in zip(wanted, places, strict=True):
        original = getattr(owner, name)
        setattr(owner, name, patch.make(original))
        undo.append(partial(setattr, owner, name, original))
    return Applied(wanted, undo)


def _place(patch: Patch) -> tuple[Any, str]:
    module, _, path = patch.target.partition(":")
    *owners, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        getattr(owner, name)
    except (ImportError, AttributeError) as error:
        import torch

        raise PatchError(f"{patch.target} is not there in torch {torch.__version__}: {error}") from error
    return owner, name
