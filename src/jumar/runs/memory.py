"""Memory of a run: what each chip held when it was fullest, who had asked for it, and whether it fits a chip."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from jumar.runs.format import NONE, Column, Run, Type

MOST_HOLDERS = 8
UNNAMED = "outside of any module"


@dataclass(frozen=True, eq=False)
class Held:
    """Memory of one chip. `row`: the event at which it was fullest; `rows` and `curve_b`: bytes after each event that
    changed it; `holders`: module -> bytes that it had asked for and that were there at the peak."""

    chip: int
    peak_b: float
    row: int
    rows: Column
    curve_b: Column
    holders: dict[str, float]


def held(run: Run) -> list[Held]:
    """Memory of every chip that was given any."""
    events = run.events
    rows = np.flatnonzero(np.isin(events.type, (Type.ALLOCATE, Type.FREE)))
    return [
        _of_chip(run, int(chip), rows[events.chip[rows] == chip]) for chip in np.unique(events.chip[rows])
    ]


def _of_chip(run: Run, chip: int, rows: Column) -> Held:
    change = _changes(run, rows)
    curve = np.cumsum(change)
    top = int(curve.argmax())
    return Held(chip, float(curve[top]), int(rows[top]), rows, curve, _holders(run, rows[: top + 1]))


def _changes(run: Run, rows: Column) -> Column:
    """Bytes that came or went. A free that does not say how much frees what its address was given."""
    events = run.events
    given = events.type[rows] == Type.ALLOCATE
    size_b: Column = events.bytes[rows].astype(np.int64)
    if (silent := ~given & (size_b == 0)).any():
        known: dict[int, int] = {}
        for place, (address, size, gives, hidden) in enumerate(
            zip(events.address[rows].tolist(), size_b.tolist(), given.tolist(), silent.tolist(), strict=True)
        ):
            if gives:
                known[address] = size
            elif hidden:
                size_b[place] = known.pop(address, 0)
    signed: Column = np.where(given, size_b, -size_b)
    return signed


def _holders(run: Run, rows: Column) -> dict[str, float]:
    """Who had asked for what is there after these events, by module."""
    events = run.events
    there: dict[int, tuple[int, int, int]] = {}
    columns = (events.address, events.type, events.bytes, events.process, events.module)
    for address, type_, size, process, module in zip(*(c[rows].tolist() for c in columns), strict=True):
        if type_ == Type.ALLOCATE:
            there[address] = (size, process, module)
        else:
            there.pop(address, None)
    sums: Counter[str] = Counter()
    for size, process, module in there.values():
        name = run.names.get((process, "module", module), "") if module != NONE else ""
        sums[name or UNNAMED] += size
    return {name: float(size) for name, size in sums.most_common(MOST_HOLDERS)}
