"""The CUDA face: while it is on, a CUDA program sees CUDA devices, and its work happens on the Ascend below.

`jumar run` turns it on in the program and in every Python it starts. In a program of one's own:

    with jumar.cuda():              # or jumar.cuda(persona="H100")
        model.cuda()
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from jumar.cuda.face import Options, enter, facts, is_on, leave, patched

__all__ = ["Options", "enter", "facts", "is_on", "leave", "patched"]


@contextmanager
def _switched_on(chosen: Options) -> Iterator[None]:
    if is_on():
        yield
        return
    enter(chosen)
    try:
        yield
    finally:
        leave()


class _Room(ModuleType):
    """This module, callable."""

    def __call__(self, **chosen: Any) -> Any:
        """A context in which the face is on. Keywords are those of `Options`."""
        return _switched_on(Options(**chosen))


sys.modules[__name__].__class__ = _Room
