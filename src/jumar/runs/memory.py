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


def held(run: Run, given: Type = Type.ALLOCATE, taken: Type = Type.FREE) -> list[Held]:
    """Memory of every chip that was given any: what the chip gave out, or with the types of blocks what tensors had."""
    events = run.events
    rows = np.flatnonzero(np.isin(events.type, (given, taken)))
    return [
        _of_chip(run, int(chip), rows[events.chip[rows] == chip], given)
        for chip in np.unique(events.chip[rows])
    ]


def _of_chip(run: Run, chip: int, rows: Column, given: Type) -> Held:
    curve = np.cumsum(_changes(run, rows, given))
    top = int(curve.argmax())
    return Held(chip, float(curve[top]), int(rows[top]), rows, curve, _holders(run, rows[: top + 1], given))


def _changes(run: Run, rows: Column, gives_type: Type) -> Column:
    """Bytes that came or went. A free that does not say how much frees what its address was given."""
    events = run.events
    given = events.type[rows] == gives_type
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


def _holders(run: Run, rows: Column, given: Type) -> dict[str, float]:
    """Who had asked for what is there after these events, by module."""
    sums = asked_for(run, there(run, rows, given), "module")
    return {name or UNNAMED: float(size) for name, size in sums.most_common(MOST_HOLDERS)}


def there(run: Run, rows: Column, given: Type) -> Column:
    """The events that gave what is there after these events."""
    events = run.events
    found: dict[int, int] = {}
    columns = (events.address[rows].tolist(), (events.type[rows] == given).tolist(), rows.tolist())
    for address, gives, row in zip(*columns, strict=True):
        if gives:
            found[address] = row
        else:
            found.pop(address, None)
    return np.fromiter(found.values(), np.int64, len(found))


def asked_for(run: Run, rows: Column, what: str) -> Counter[str]:
    """Bytes that these events gave, by the module or line that asked for them."""
    events = run.events
    sums: Counter[str] = Counter()
    columns = (events.process, getattr(events, what), events.bytes)
    for process, number, size in zip(*(column[rows].tolist() for column in columns), strict=True):
        sums[run.names.get((process, what, number), "") if number != NONE else ""] += size
    return sums
