"""Memory over time on each chip, and what holds it when it is fullest: the modules and lines that took the blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jumar.runs import memory
from jumar.runs.format import Column, Run, Type
from jumar.runs.priced import OnChip

MOST_POINTS = 1200
MOST_HOLDERS = 12


def by_chip(run: Run, time_s: Column, priced: Sequence[OnChip], whole_s: float) -> list[dict[str, Any]]:
    """For each chip its curve (seconds, bytes), peak and holders. `time_s` is when the host made each call."""
    capacity = {one.chip: one for one in priced}
    return [_one(run, held, time_s, capacity[held.chip], whole_s) for held in memory.held(run)]


def _one(run: Run, held: memory.Held, time_s: Column, on: OnChip, whole_s: float) -> dict[str, Any]:
    before = held.rows[: int(held.curve_b.argmax()) + 1]
    whole_s = max(whole_s, float(time_s[held.rows].max()))
    points = _thinned(time_s[held.rows], held.curve_b, whole_s)
    return {
        "chip": held.chip,
        "peak_b": int(held.peak_b),
        "peak_s": float(time_s[held.row]),
        "capacity_b": int(on.capacity_b),
        "fits": on.fits,
        "close": on.close,
        "curve": [*points, (whole_s, int(held.curve_b[-1]))],
        "modules": _holders(run, before, "module"),
        "lines": _holders(run, before, "line"),
    }


def _thinned(time_s: Column, live: Column, whole_s: float) -> list[tuple[float, int]]:
    """The curve with at most a few points for each piece of time: the least and the greatest in it."""
    kept = np.arange(len(live))
    if len(live) > MOST_POINTS:
        pieces = (time_s / (whole_s or 1.0) * (MOST_POINTS // 2)).astype(int)
        cuts = np.split(kept, np.flatnonzero(np.diff(pieces)) + 1)
        ends = [(int(cut[live[cut].argmin()]), int(cut[live[cut].argmax()])) for cut in cuts]
        kept = np.unique(np.array(ends).reshape(-1))
    return [(float(time_s[i]), int(live[i])) for i in kept.tolist()]


def _holders(run: Run, rows: Column, what: str) -> list[dict[str, Any]]:
    """Who took the blocks that are held after these events, the greatest first; the rest is one row."""
    events = run.events
    columns = (events.address, events.type, events.bytes, events.process, getattr(events, what))
    held: dict[tuple[int, int], tuple[int, int]] = {}
    for address, kind, size, process, number in zip(*(c[rows].tolist() for c in columns), strict=True):
        if kind == Type.ALLOCATE:
            held[process, address] = (number, size)
        else:
            held.pop((process, address), None)
    sums: Counter[str] = Counter()
    for (process, _), (number, size) in held.items():
        sums[run.names.get((process, what, number), "")] += size
    return _most(sums, "outside modules" if what == "module" else "no line of the program")


def _most(sums: Counter[str], nothing: str) -> list[dict[str, Any]]:
    ranked = sums.most_common()
    found = [{"name": name or nothing, "bytes": size} for name, size in ranked[:MOST_HOLDERS]]
    if rest := sum(size for _, size in ranked[MOST_HOLDERS:]):
        found.append({"name": f"{len(ranked) - MOST_HOLDERS} more", "bytes": rest})
    return found
