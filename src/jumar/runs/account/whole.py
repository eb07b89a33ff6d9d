"""Puts the account of a run together: the typical step on one chip, and the same step on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jumar.chips import comparison
from jumar.runs import comparing
from jumar.runs.account import confidence, dots, memory, picture, sums
from jumar.runs.account.labels import Labels, labels_of
from jumar.runs.format import Column, Run
from jumar.runs.priced import Priced

ADVICE = {
    "host": "The chip waits for the host. Larger batches, fused optimizers, graphs or fewer small operators would help; "
    "a faster chip would not.",
    "chip": "The host is ahead of the chip most of the time: a faster host would not help.",
    "communication": "The chip waits for other chips. Larger batches for each chip, or less to exchange, would help.",
    "copies": "The chip waits for data from the host. Pinned memory, copies ahead of time or less data would help.",
}


def account(
    run: Run,
    priced: Priced,
    beside: Sequence[dict[str, Any]] = (),
    heat: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """`priced`: on the chip that the account is about; `beside`: on others, rows of `comparing.row`; `heat`: what
    `heat_of` says of it.

    Sums are those of the typical step in the process that leads, the slowest.
    """
    process = int(run.events.process[priced.step.first]) if priced.step else 0
    rows = priced.step_rows[run.events.process[priced.step_rows] == process]
    labels = labels_of(run.events, run.kinds)
    step = _step(priced)
    memories = memory.by_chip(run, priced.issued_s, priced.memory, float(priced.end_s.max(initial=0.0)))
    return {
        "chip": comparison.plain(priced.chip),
        "step": step,
        "peak": max(memories, key=lambda one: one["peak_b"] / (one["capacity_b"] or 1), default=None),
        "memory": memories,
        "operators": sums.by_operator(run, rows, priced, labels),
        "lines": sums.by_line(run, rows, priced.duration_s),
        "modules": sums.by_module(run, rows, priced.duration_s),
        "streams": sums.by_stream(run, priced.step_rows, priced.start_s, priced.end_s, step["seconds"]),
        "host": _host(run, priced, rows),
        "dots": dots.dots(run, rows, priced),
        "rests": confidence.rests_on(run, rows, priced),
        "picture": _picture(run, priced, process, labels, memories),
        "heat": heat,
        "beside": [_here(priced), *beside],
        "cut": list(run.facts.get("cut", ())),
    }


def _here(priced: Priced) -> dict[str, Any]:
    """A row as `comparing.row` makes it."""
    return {"chip": priced.chip.name, "title": priced.chip.title, "missing": None, **comparing.plain(priced)}


def _step(priced: Priced) -> dict[str, Any]:
    return {
        "number": picture.step_numbers(priced)[priced.steps.index(priced.step)] if priced.step else 0,
        "count": len(priced.steps) if priced.step else 0,
        "seconds": priced.step_s,
        "low": priced.step_low_s,
        "high": priced.step_high_s,
        "parts": dict(priced.parts),
        "units": dict(priced.units),
        "limit": priced.limit_of_step,
        "limit_name": priced.limit_name,
    }


def _host(run: Run, priced: Priced, rows: Column) -> dict[str, Any]:
    """What the host does in the step: issuing, and standing still in calls that wait for the chip."""
    host_s = priced.host_s[rows]
    calls, issuing_s = int((host_s > 0).sum()), float(host_s.sum())
    waits, waiting_s = picture.waiting(run, rows, priced.issued_s, priced.host_s)
    return {
        "issuing_s": issuing_s,
        "calls": calls,
        "each_s": issuing_s / calls if calls else 0.0,
        "waiting_s": waiting_s,
        "waits": waits,
        "advice": ADVICE.get(priced.limit_of_step, ""),
    }


def _picture(
    run: Run, priced: Priced, process: int, labels: Labels, memories: list[dict[str, Any]]
) -> dict[str, Any]:
    """The timeline of the process that leads; of a long run what lies around the typical step."""
    mine = np.flatnonzero(run.events.process == process)
    first, last = 0, len(mine)
    if priced.step:
        first, last = np.searchsorted(mine, (priced.step.first, priced.step.last + 1)).tolist()
    drawn = mine[picture.window(len(mine), first, last)]
    chip = int(run.events.chip[drawn[0]]) if len(drawn) else 0
    part = "All" if len(drawn) == len(mine) else f"{len(drawn):,} of"
    of = f" of process {process}" if len(run.facts.get("processes", ())) > 1 else ""
    return {
        **picture.picture(run, drawn, priced, labels, next((m for m in memories if m["chip"] == chip), None)),
        "shown": f"{part} {len(mine):,} events{of}, on {priced.chip.name}.",
    }
