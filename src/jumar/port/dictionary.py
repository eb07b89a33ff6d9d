"""Looks a CUDA name up in a table of `cudamap`: the row itself, else the longest row with a `*` that fits."""

from __future__ import annotations

import re
from functools import cache

from jumar.cudamap import Name, names


@cache
def _tables(table: str) -> tuple[dict[str, Name], tuple[tuple[re.Pattern[str], Name], ...]]:
    rows = names(table)
    exact = {row.cuda: row for row in rows if "*" not in row.cuda}
    open_ended = sorted((row for row in rows if "*" in row.cuda), key=lambda row: -len(row.cuda))
    return exact, tuple((re.compile(_pattern(row.cuda)), row) for row in open_ended)


def _pattern(name: str) -> str:
    if name == "cu[A-Z]*":
        return r"cu[A-Z].*"
    return ".*".join(re.escape(piece) for piece in name.split("*"))


@cache
def find(table: str, name: str) -> Name | None:
    """The row of a name, e.g. `find("native/runtime", "cudaMalloc")`."""
    exact, open_ended = _tables(table)
    if name in exact:
        return exact[name]
    return next((row for pattern, row in open_ended if pattern.fullmatch(name)), None)


def says(row: Name | None, otherwise: str) -> str:
    """What a report says stands there on Ascend."""
    if row is None:
        return otherwise
    if row.ascend and "*" not in row.ascend:
        return f"{row.ascend}: {row.note}" if row.note else row.ascend
    return row.note or otherwise
