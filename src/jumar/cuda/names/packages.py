"""What surrounds PyTorch: stand-ins that a program imports while the face is on go with it.

The finder of absent packages is that of `jumar.startup`, which asks whether the face is on. An installed package that
cannot work without an NVIDIA GPU, and was imported before, is put aside meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jumar.cuda import packages


def enter(options: Any) -> Callable[[], None]:
    aside = _take_installed()

    def undo() -> None:
        packages.forget()
        sys.modules.update(aside)

    return undo


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
