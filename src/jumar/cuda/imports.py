"""What happens when a program imports something later: patches of libraries, and stand-ins for absent packages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Hook = Callable[[ModuleType], None]


class After:
    """A meta-path finder that runs a function after a module was imported by the others."""

    def __init__(self) -> None:
        self.hooks: dict[str, Hook] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self.hooks:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                self._wrap(spec)
                return spec
        return None

    def _wrap(self, spec: ModuleSpec) -> None:
        execute = getattr(spec.loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if hook := self.hooks.get(spec.name):
                hook(module)

        spec.loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]


_after = After()


def after(hooks: dict[str, Hook]) -> None:
    """Runs each hook after the module of that name is imported, or now if it already is."""
    _after.hooks |= hooks
    if _after not in sys.meta_path:
        sys.meta_path.insert(0, _after)
    for name, hook in hooks.items():
        if (module := sys.modules.get(name)) is not None:
            hook(module)


def stop() -> None:
    _after.hooks.clear()
    if _after in sys.meta_path:
        sys.meta_path.remove(_after)
