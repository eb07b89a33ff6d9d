"""Puts the account of a run together: the typical step on one chip, and the same step on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jumar.chips import comparison
from jumar.runs.account import confidence, dots, memory, picture, sums
from jumar.runs.account.labels import Labels, labels_of
from jumar.runs.format import Column, Run, Type

if TYPE_CHECKING:
    from jumar.runs.pricing import Priced

HOSTS = {
    "default": "a fixed time for each call, from what was measured of hosts of this family",
    "measured": "as measured on this machine, without the time in which it was held up",
    "given": "a fixed time for each call, as asked for",
}
ADVICE = {
    "host": "The chip waits for the host. Larger batches, fused optimizers, graphs or fewer small operators would help; "
    "a faster chip would not.",
    "chip": "The host is ahead of the chip most of the time: a faster host would not help.",
    "communication": "The chip waits for other chips. Larger batches for each chip, or less to exchange, would help.",
}


def account(run: Run, priced: Priced, beside: Sequence[Priced] = ()) -> dict[str, Any]:
    """`priced`: on the chip that the account is about; `beside`: on others, which are only compared."""
    rows = step_rows(run, priced)
    labels = labels_of(run.events, run.kinds)
    step = _step(priced)
    capacity_b = float(priced.machine.memory_b)
    memories = memory.by_chip(run, priced.issued_s, capacity_b, float(priced.end_s.max(initial=0.0)))
    return {
        "chip": comparison.plain(priced.chip),
        "step": step,
        "bottleneck": _bottleneck(run, priced, rows),
        "items": _items(priced),
        "mfu": priced.mfu,
        "energy_j": priced.energy_j,
        "energy_note": priced.energy_note,
        "cost": _cost(priced),
        "notes": list(priced.notes),
        "peak": max(memories, key=lambda one: one["peak_b"] / (one["capacity_b"] or 1), default=None),
        "memory": memories,
        "operators": sums.by_operator(run, rows, priced.duration_s, priced.limit, labels),
        "lines": sums.by_line(run, rows, priced.duration_s),
        "modules": sums.by_module(run, rows, priced.duration_s),
        "streams": sums.by_stream(run, rows, priced.start_s, priced.end_s, step["seconds"]),
        "host": _host(run, priced, rows),
        "dots": dots.dots(run, rows, priced.duration_s),
        "rests": confidence.rests_on(
            run,
            rows,
            priced.duration_s,
            priced.kinds.parts,
            priced.chip,
            priced.machine,
            step["parts"]["host"],
        ),
        "picture": _picture(run, priced, rows, labels, memories),
        "beside": [_beside(one, one is priced) for one in (priced, *beside)],
        "cut": list(run.facts.get("cut", ())),
    }


def step_rows(run: Run, priced: Priced) -> Column:
    """The events of the typical step, of all processes; all events where no steps were seen."""
    if priced.step is None:
        return np.arange(len(run.events))
    return np.flatnonzero(run.events.step == priced.step.number)


def _step(priced: Priced) -> dict[str, Any]:
    return {
        "number": priced.step.number if priced.step else 0,
        "count": len(priced.steps),
        "seconds": priced.step_s,
        "low": priced.step_low_s,
        "high": priced.step_high_s,
        "parts": dict(priced.parts),
        "limit": priced.limit_of_step,
    }


def _bottleneck(run: Run, priced: Priced, rows: Column) -> str:
    """Which unit of the chip takes most of the operators' time."""
    operators = rows[run.events.type[rows] == Type.OPERATOR]
    names, place = np.unique(np.asarray(priced.limit)[operators], return_inverse=True)
    if not len(names):
        return ""
    return str(names[int(np.bincount(place, weights=priced.duration_s[operators]).argmax())])


def _items(priced: Priced) -> dict[str, Any] | None:
    if not priced.items:
        return None
    return {
        "word": priced.items.word,
        "per_step": priced.items.per_step,
        "per_second": priced.items.per_step / priced.step_s,
        "source": priced.items.source,
    }


def _cost(priced: Priced) -> dict[str, Any] | None:
    if not priced.cost:
        return None
    return {"value": priced.cost.value, "currency": priced.cost.currency, "note": priced.cost.note}


def _host(run: Run, priced: Priced, rows: Column) -> dict[str, Any]:
    """What the host does in the step: issuing, and standing still in calls that wait for the chip."""
    host_s = priced.host_s[rows]
    calls = int((host_s > 0).sum())
    waits = np.isin(run.events.type[rows], list(picture.WAITS)) & (run.events.blocking[rows] > 0)
    waits |= np.isin(run.events.type[rows], [*picture.SYNCHRONISES])
    issuing_s = float(host_s.sum())
    return {
        "issuing_s": issuing_s,
        "calls": calls,
        "each_s": issuing_s / calls if calls else 0.0,
        "waiting_s": picture.waiting_s(run, rows, priced.issued_s, priced.host_s),
        "waits": int(waits.sum()),
        "setting": HOSTS.get(run.facts.get("host", {}).get("mode", "default"), "unknown"),
        "advice": ADVICE.get(priced.limit_of_step, ""),
    }


def _picture(
    run: Run, priced: Priced, rows: Column, labels: Labels, memories: list[dict[str, Any]]
) -> dict[str, Any]:
    """The timeline of the process that the step is told of; of a long run what lies around the step."""
    process = int(run.events.process[rows[0]]) if len(rows) else 0
    mine = np.flatnonzero(run.events.process == process)
    inside = np.flatnonzero(run.events.step[mine] == priced.step.number) if priced.step else np.zeros(0, int)
    first, last = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, len(mine))
    times = (priced.start_s, priced.end_s, priced.issued_s, priced.host_s)
    drawn = mine[picture.window(len(mine), first, last)]
    steps = [(one.number, one.start_s, one.end_s) for one in priced.steps]
    chip = int(run.events.chip[drawn[0]]) if len(drawn) else 0
    held = next((one for one in memories if one["chip"] == chip), None)
    return {
        **picture.picture(run, drawn, times, priced.limit, labels, steps, held),
        "shown": _shown(len(drawn), len(mine), process, int(run.facts.get("devices", 1))),
    }


def _shown(drawn: int, whole: int, process: int, devices: int) -> str:
    part = "All" if drawn == whole else f"{drawn:,} of"
    said = f"{part} {whole:,} events"
    return f"{said} of process {process}" if devices > 1 else said


def _beside(priced: Priced, here: bool) -> dict[str, Any]:
    fullest = max(priced.memory, key=lambda one: one.peak_b / one.capacity_b, default=None)
    return {
        "name": priced.chip.name,
        "here": here,
        "seconds": priced.step_s,
        "low": priced.step_low_s,
        "high": priced.step_high_s,
        "limit": priced.limit_of_step,
        "items": _items(priced),
        "mfu": priced.mfu,
        "peak_b": fullest.peak_b if fullest else 0,
        "capacity_b": fullest.capacity_b if fullest else int(priced.machine.memory_b),
        "fits": fullest.fits if fullest else True,
        "energy_j": priced.energy_j,
        "cost": _cost(priced),
        "notes": list(priced.notes),
    }
