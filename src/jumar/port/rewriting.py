"""Edits to new text, and a text beside its successor as a unified diff. Equal edits count once; none may overlap."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from jumar.port.finding import Edit

NO_NEWLINE = "\\ No newline at end of file"


class Overlap(ValueError):
    """Two edits want the same characters."""


class Unstable(ValueError):
    """A text that rewriting would spoil or never finish; the message says how."""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made. Overlap if two of them touch the same characters."""
    parts: list[str] = []
    at = 0
    for edit in sorted(set(edits)):
        if edit.start < at:
            raise Overlap(f"characters {edit.start} to {edit.end} are changed twice")
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def fit_together(edits: Iterable[Edit]) -> bool:
    """Whether no two of them touch the same characters."""
    at = 0
    for edit in sorted(edits):
        if edit.start < at:
            return False
        at = edit.end
    return True


def diff(path: str, before: str | None, after: str) -> Iterator[str]:
    """Lines of a unified diff as git and patch read it. `before` None: a new file."""
    old = "/dev/null" if before is None else f"a/{path}"
    if before is None:
        yield f"diff --git a/{path} b/{path}\nnew file mode 100644\n"
    for line in difflib.unified_diff(_lines(before or ""), _lines(after), old, f"b/{path}"):
        if line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n{NO_NEWLINE}\n"


def _lines(text: str) -> list[str]:
    """At line feeds only, which is where git sees lines."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
