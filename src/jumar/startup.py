"""Runs when Python starts (see `jumar.pth`): watches for the import of torch and torch_npu, and of what else belongs
to a CUDA machine where the CUDA face is wanted, and nothing else.

Only `sys` and `os`, which Python has loaded by then, are used here, because every Python in the environment pays for
it. What happens at such an import is decided in `jumar.attachment` and `jumar.cuda.packages`, read only then.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WATCHED = frozenset({"torch", "torch_npu", "torch_npu._init.registry.registry_manager"})
# The rows of packages.tsv that say "even where installed": the installed one cannot work without an NVIDIA GPU.
INSTEAD = frozenset({"apex", "flash_attn", "pynvml", "xformers"})
TABLE = os.path.join(os.path.dirname(__file__), "cudamap", "packages.tsv")  # noqa: PTH118, PTH120
EXECUTOR = "jumar.machine.executor"


class Watch:
    """A meta-path finder that lets the other finders find, and wraps the loaders of the watched modules."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in INSTEAD and in_cuda_world():
            return packages().find_spec(name, sys._getframe(1))
        if name not in WATCHED:
            return None
        spec = found_by(sys.meta_path, self, name, path, target)
        if spec is not None:
            from jumar import attachment

            attachment.attach(spec)
        return spec


class Absent:
    """A meta-path finder, the last of all, for packages of the CUDA world that nobody else finds."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not in_cuda_world() or not (listed(name) or listed(name.partition(".")[0])):
            return None
        later = sys.meta_path[sys.meta_path.index(self) + 1 :]
        if (spec := found_by(later, self, name, path, target)) is not None:
            return spec
        return packages().find_spec(name, sys._getframe(1))

    def find_distributions(self, context: Any = None) -> Any:
        if not in_cuda_world() or "path" in vars(context or self):
            return ()
        return packages().distributions(getattr(context, "name", None))

    def invalidate_caches(self) -> None:
        """For importlib, which asks it of every finder."""


def found_by(finders: list[Any], asking: object, name: str, path: Any, target: Any) -> Any:
    """What the first of these finders, but for the asking one, knows of a module; None if none knows it."""
    for finder in finders:
        find = None if finder is asking else getattr(finder, "find_spec", None)
        if find and (spec := find(name, path, target)) is not None:
            return spec
    return None


def in_cuda_world() -> bool:
    """Whether the face is wanted from the start, or on now."""
    if os.environ.get("JUMAR_FACE") == "cuda":
        return EXECUTOR not in sys.orig_argv
    is_on = getattr(sys.modules.get("jumar.cuda.face"), "is_on", None)
    return is_on is not None and bool(is_on())


def listed(name: str) -> bool:
    """Whether the table has a row of that name. Cheap, because programs try many modules that are nowhere."""
    with open(TABLE, "rb") as table:  # noqa: PTH123
        return b"\n%s\t" % name.encode() in table.read()


def packages() -> Any:
    """The room that knows the stand-ins, introduced to the chips below."""
    from jumar import attachment
    from jumar.cuda import packages

    attachment.introduce_chips()
    return packages


def install() -> None:
    """Puts the one finder in front of the others and the other behind them, once."""
    if not installed():
        sys.meta_path.insert(0, Watch())
        sys.meta_path.append(Absent())


def installed() -> bool:
    return any(isinstance(finder, Watch) for finder in sys.meta_path)


install()
