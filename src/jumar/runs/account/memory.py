"""Memory over time on each chip, and what holds it when it is fullest: the modules and lines that asked for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from jumar.runs import memory
from jumar.runs.format import Column, Run, Type
from jumar.runs.memory import Held
from jumar.runs.priced import OnChip

MOST_POINTS = 1200
MOST_HOLDERS = 12


def by_chip(run: Run, time_s: Column, priced: Sequence[OnChip], whole_s: float) -> list[dict[str, Any]]:
    """For each chip what it gave out over time, what tensors had of that where the run knows it, and who held what when
    that was most. `time_s` is when the host made each call."""
    limits = {one.chip: one for one in priced}
    blocks = {one.chip: one for one in memory.held(run, Type.BLOCK_ALLOCATE, Type.BLOCK_FREE)}
    return [
        _one(run, held, blocks.get(held.chip), time_s, limits[held.chip], whole_s)
        for held in memory.held(run)
    ]


def _one(
    run: Run, held: Held, blocks: Held | None, time_s: Column, on: OnChip, whole_s: float
) -> dict[str, Any]:
    given = Type.ALLOCATE if blocks is None else Type.BLOCK_ALLOCATE
    inner = blocks or held
    there = memory.there(run, inner.rows[: int(inner.curve_b.argmax()) + 1], given)
    return {
        "chip": held.chip,
        "capacity_b": int(on.capacity_b),
        "fits": on.fits,
        "close": on.close,
        **_curve(held, time_s, whole_s),
        "tensors": _curve(blocks, time_s, whole_s) if blocks else None,
        "modules": _most(memory.asked_for(run, there, "module"), "outside modules"),
        "lines": _most(memory.asked_for(run, there, "line"), "no line of the program"),
    }


def _curve(held: Held, time_s: Column, whole_s: float) -> dict[str, Any]:
    """Bytes over time, with the peak."""
    whole_s = max(whole_s, float(time_s[held.rows].max()))
    points = _thinned(time_s[held.rows], held.curve_b, whole_s)
    return {
        "peak_b": int(held.peak_b),
        "peak_s": float(time_s[held.row]),
        "curve": [*points, (whole_s, int(held.curve_b[-1]))],
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


def _most(sums: Counter[str], nothing: str) -> list[dict[str, Any]]:
    """The greatest first; the rest is one row."""
    ranked = sums.most_common()
    found = [{"name": name or nothing, "bytes": size} for name, size in ranked[:MOST_HOLDERS]]
    if rest := sum(size for _, size in ranked[MOST_HOLDERS:]):
        found.append({"name": f"{len(ranked) - MOST_HOLDERS} more", "bytes": rest})
    return found
