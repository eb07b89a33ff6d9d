"""Changes to somebody else's names: each a record of what, by what and why; all or none, undoable."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any


class PatchError(RuntimeError):
    """A target is not there: the message names it and the version of torch."""


@dataclass(frozen=True)
class Patch:
    """`target` is "module:name" or "module:Class.name"; `make` turns what is there into what replaces it.

    With `adds` the name need not be there; `make` is then given None, and undoing takes the name away.
    """

    target: str
    make: Callable[[Any], Any]
    why: str
    adds: bool = False


@dataclass
class Applied:
    """Patches in force. `undo` puts back what was there."""

    patches: tuple[Patch, ...]
    _undo: list[Callable[[], None]]

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()


def apply(patches: Iterable[Patch], everywhere: bool = False) -> Applied:
    """All or none: PatchError, and nothing changed, if one target is missing.

    With `everywhere`, modules that took a function or class by `from … import` get the replacement too.
    """
    wanted = tuple(patches)
    places = [_place(patch) for patch in wanted]
    applied = Applied(wanted, [])
    replaced: dict[int, tuple[Any, Any]] = {}
    try:
        for patch, (owner, name) in zip(wanted, places, strict=True):
            original = getattr(owner, name, None)
            replacement = patch.make(original)
            _set(owner, name, replacement, applied._undo)
            if isinstance(owner, ModuleType) and _may_be_elsewhere(original, replacement):
                replaced[id(original)] = (original, replacement)
        if everywhere:
            applied._undo.insert(0, partial(_give_back, replaced, frozenset(sys.modules)))
            _replace_in(list(sys.modules.values()), replaced, applied._undo)
    except BaseException:
        applied.undo()
        raise
    return applied


def _set(owner: Any, name: str, value: Any, undo: list[Callable[[], None]]) -> None:
    own = vars(owner)
    undo.append(partial(setattr, owner, name, own[name]) if name in own else partial(delattr, owner, name))
    try:
        setattr(owner, name, value)
    except BaseException:
        undo.pop()
        raise


def _may_be_elsewhere(original: Any, replacement: Any) -> bool:
    return original is not replacement and callable(original) and hasattr(original, "__module__")


def _give_back(replaced: dict[int, tuple[Any, Any]], before: frozenset[str]) -> None:
    """Modules imported since took replacements by `from … import`; a class may be theirs by right and stays."""
    back = {id(new): (new, old) for old, new in replaced.values() if not isinstance(new, type)}
    _replace_in([module for name, module in list(sys.modules.items()) if name not in before], back, [])


def _replace_in(
    modules: Iterable[ModuleType], replaced: dict[int, tuple[Any, Any]], undo: list[Callable[[], None]]
) -> None:
    for module in modules:
        if type(module) is not ModuleType or module.__name__.partition(".")[0] in ("jumar", "torch_npu"):
            continue
        for name, value in list(vars(module).items()):
            if found := replaced.get(id(value)):
                _set(module, name, found[1], undo)


def _place(patch: Patch) -> tuple[Any, str]:
    module, _, path = patch.target.partition(":")
    *owners, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        if not patch.adds:
            getattr(owner, name)
    except (ImportError, AttributeError) as error:
        import torch

        raise PatchError(f"{patch.target} is not there in torch {torch.__version__}: {error}") from error
    return owner, name


def target(qualified: str) -> str:
    """The target of a dotted name, without importing its module: "torch.cuda.Stream" is "torch.cuda:Stream"."""
    parts = qualified.split(".")
    module, length = parts[0], 1
    while length < len(parts) - 1 and _is_module(f"{module}.{parts[length]}"):
        module, length = f"{module}.{parts[length]}", length + 1
    return f"{module}:{'.'.join(parts[length:])}"


def _is_module(name: str) -> bool:
    """Asked of a name whose parents are modules; torch's may be imported for it, a library is taken by its spelling."""
    if name in sys.modules:
        return isinstance(sys.modules[name], ModuleType)
    parent, _, leaf = name.rpartition(".")
    if not name.startswith(("torch.", "torch_npu.")):
        return not leaf[0].isupper()
    if parent in sys.modules and hasattr(sys.modules[parent], leaf):
        return False
    try:
        # Looking into a module imports it; one that is no package holds no modules, and need not be imported to know.
        if parent not in sys.modules and not _is_package(parent):
            return False
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _is_package(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def is_loaded(patch: Patch) -> bool:
    """Whether the module of its target has been imported."""
    return patch.target.partition(":")[0] in sys.modules
