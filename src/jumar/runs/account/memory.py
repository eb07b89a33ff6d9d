"""Memory over time on one chip, and what holds it when it is fullest: the lines and modules that took the blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jumar.runs.format import Column, Run, Type

MOST_POINTS = 1200
MOST_HOLDERS = 12


def by_chip(run: Run, time_s: Column, capacity_b: float, scale_s: float) -> list[dict[str, Any]]:
    """For each chip its curve (seconds, bytes), peak and holders. `time_s` is when the host made each call."""
    events = run.events
    rows = np.flatnonzero((events.type == Type.ALLOCATE) | (events.type == Type.FREE))
    return [
        _one(run, rows[events.chip[rows] == chip], int(chip), time_s, capacity_b, scale_s)
        for chip in np.unique(events.chip[rows])
    ]


def _one(
    run: Run, rows: Column, chip: int, time_s: Column, capacity_b: float, scale_s: float
) -> dict[str, Any]:
    rows = rows[np.argsort(time_s[rows], kind="stable")]
    change = np.where(run.events.type[rows] == Type.ALLOCATE, run.events.bytes[rows], -run.events.bytes[rows])
    live = np.maximum(np.cumsum(change), 0)
    top = int(live.argmax())
    peak_b, whole_s = int(live[top]), max(scale_s, float(time_s[rows[-1]]))
    return {
        "chip": chip,
        "peak_b": peak_b,
        "peak_s": float(time_s[rows[top]]),
        "capacity_b": int(capacity_b),
        "fits": peak_b <= capacity_b,
        "curve": [*_thinned(time_s[rows], live, whole_s), (whole_s, int(live[-1]))],
        "modules": _holders(run, rows[: top + 1], "module"),
        "lines": _holders(run, rows[: top + 1], "line"),
    }


def _thinned(time_s: Column, live: Column, whole_s: float) -> list[tuple[float, int]]:
    """The curve with at most a few points for each piece of time: the least and the greatest in it."""
    if len(live) <= MOST_POINTS:
        return list(zip(time_s.tolist(), live.tolist(), strict=True))
    pieces = np.minimum((time_s / (whole_s or 1.0) * (MOST_POINTS // 2)).astype(int), MOST_POINTS // 2 - 1)
    kept = set()
    for piece in np.split(np.arange(len(live)), np.flatnonzero(np.diff(pieces)) + 1):
        kept |= {int(piece[live[piece].argmin()]), int(piece[live[piece].argmax()])}
    order = sorted(kept | {0, len(live) - 1})
    return [(float(time_s[i]), int(live[i])) for i in order]


def _holders(run: Run, rows: Column, what: str) -> list[dict[str, Any]]:
    """Who took the blocks that are held at the peak, the greatest first; the rest is one row."""
    events = run.events
    held: dict[tuple[int, int], tuple[int, int]] = {}
    for row in rows.tolist():
        place = (int(events.process[row]), int(events.address[row]))
        if events.type[row] == Type.ALLOCATE:
            held[place] = (row, int(events.bytes[row]))
        else:
            held.pop(place, None)
    sums: Counter[str] = Counter()
    for row, size in held.values():
        number = int(getattr(events, what)[row])
        sums[run.names.get((int(events.process[row]), what, number), "")] += size
    return _most(sums, "outside modules" if what == "module" else "no line of the program")


def _most(sums: Counter[str], nothing: str) -> list[dict[str, Any]]:
    ranked: Sequence[tuple[str, int]] = sums.most_common()
    found = [{"name": name or nothing, "bytes": size} for name, size in ranked[:MOST_HOLDERS]]
    if rest := sum(size for _, size in ranked[MOST_HOLDERS:]):
        found.append({"name": f"{len(ranked) - MOST_HOLDERS} more", "bytes": rest})
    return found
