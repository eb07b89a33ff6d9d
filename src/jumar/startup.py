"""Runs when Python starts (see `jumar.pth`): watches for the import of torch and torch_npu, and nothing else.

Only `sys` is imported here, because every Python in the environment pays for it. What happens at that
import is decided in `jumar.attachment`, which is read only then.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WATCHED = frozenset({"torch", "torch_npu", "torch_npu._init.registry.registry_manager"})


class Watch:
    """A meta-path finder that lets the other finders find, and wraps the loaders of the watched modules."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in WATCHED:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                from jumar import attachment

                attachment.attach(spec)
                return spec
        return None


def install() -> None:
    """Puts the watch in front of the other finders, once."""
    if not installed():
        sys.meta_path.insert(0, Watch())


def installed() -> bool:
    return any(isinstance(finder, Watch) for finder in sys.meta_path)


install()
