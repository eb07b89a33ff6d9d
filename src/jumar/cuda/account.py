"""The account of a run: what was redirected, adapted, run on the CPU, ignored or refused; how often, first where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType
from typing import Any

KINDS = {
    "redirected": "the Ascend counterpart did it",
    "adapted": "done in another way than on CUDA",
    "on the CPU": "the chip has no such thing; the CPU did it",
    "ignored": "had no effect here",
    "refused": "raised an error that says what to do",
}
NOT_THE_PROGRAM = {"torch", "torch_npu", "jumar", "importlib", "functools", "contextlib", "runpy"}

Entry = list[Any]  # [count, first source line]; a list because counting must cost little
_entries: dict[tuple[str, str], Entry] = {}


def entry(kind: str, name: str) -> Entry:
    assert kind in KINDS, kind
    return _entries.setdefault((kind, name), [0, ""])


def note(kind: str, name: str) -> bool:
    """Counts one occurrence; whether it was the first, so that a message can be given once."""
    one = entry(kind, name)
    one[0] += 1
    if one[0] == 1:
        one[1] = source_line()
    return bool(one[0] == 1)


def source_line() -> str:
    """ "file:line" of the innermost frame that is the program's own."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in NOT_THE_PROGRAM:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def counted(kind: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """That function, counted. A class is returned as it is: programs inherit from it and ask isinstance."""
    if isinstance(function, type):
        return function
    one = entry(kind, name)

    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        one[0] += 1
        if one[0] == 1:
            one[1] = source_line()
        return function(*arguments, **keywords)

    return call


def rows() -> list[dict[str, Any]]:
    """What happened at least once, most frequent first: kind, name, count, first."""
    happened = [(kind, name, one) for (kind, name), one in _entries.items() if one[0]]
    happened.sort(key=lambda row: (list(KINDS).index(row[0]), -row[2][0], row[1]))
    return [{"kind": kind, "name": name, "count": one[0], "first": one[1]} for kind, name, one in happened]


def clear() -> None:
    for one in _entries.values():
        one[:] = [0, ""]
