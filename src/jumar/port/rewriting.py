"""Edits to new text. Equal edits count once; edits that overlap are refused."""

from __future__ import annotations

from collections.abc import Iterable

from jumar.port.finding import Edit


class Overlap(ValueError):
    """Two edits want the same characters."""


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
