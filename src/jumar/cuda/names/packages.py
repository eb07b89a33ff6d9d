"""What surrounds PyTorch: stand-ins that a program imports while the face is on go with it.

The finder of absent packages is that of `jumar.startup`, which asks whether the face is on. An installed package that
cannot work without an NVIDIA GPU, and was imported before, is put aside meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jumar import environment
from jumar.cuda import imports, packages
from jumar.cuda.packages import numba_kernels, triton_kernels
from jumar.patches import Applied

# Packages whose kernels run on the host where the chips are virtual: the module after which they are made ready.
ON_THE_HOST = {"triton": triton_kernels, "numba.cuda": numba_kernels}


def enter(options: Any) -> Callable[[], None]:
    aside = _take_installed()
    undone = _kernels_on_the_host() if os.environ.get(environment.SERVER) else lambda: None

    def undo() -> None:
        undone()
        packages.forget()
        sys.modules.update(aside)

    return undo


def _kernels_on_the_host() -> Callable[[], None]:
    switches = [name for name in environment.KERNELS_ON_THE_HOST if name not in os.environ]
    os.environ.update({name: environment.KERNELS_ON_THE_HOST[name] for name in switches})
    applied: list[Applied] = []
    for name, package in ON_THE_HOST.items():
        imports.after({name: _preparing(package.prepare, applied)})

    def undo() -> None:
        while applied:
            applied.pop().undo()
        for name in switches:
            os.environ.pop(name, None)

    return undo


def _preparing(prepare: Callable[[ModuleType], Applied], applied: list[Applied]) -> imports.Hook:
    return lambda module: applied.append(prepare(module))


def _take_installed() -> dict[str, ModuleType]:
    """Takes the modules out of sys.modules; those that are stand-ins already stay."""
    own = set(packages.loaded())
    instead = {name for name, row in packages.rows().items() if row.ascend == packages.INSTEAD}
    taken = {
        name: module for name, module in list(sys.modules.items())
        if name.partition(".")[0] in instead and name not in own
    }  # fmt: skip
    for name in taken:
        del sys.modules[name]
    return taken
