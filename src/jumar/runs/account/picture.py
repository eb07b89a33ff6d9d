"""The columns of the timeline that the page draws: whole numbers, differences where they are smaller."""

from __future__ import annotations

from typing import Any

import numpy as np

from jumar.runs.account.labels import ORDER, Labels, shapes
from jumar.runs.format import NONE, ON_STREAM, Column, Phase, Run, Type
from jumar.runs.priced import Priced

MOST_EVENTS = 40_000
WAITS = {
    Type.SYNCHRONISE_STREAM: "for a stream",
    Type.SYNCHRONISE_EVENT: "for an event",
    Type.SYNCHRONISE_DEVICE: "for the chip",
    Type.COPY_D2H: "for a copy to the host",
    Type.COPY_H2D: "for a copy to the chip",
}
PHASES = {Phase.NONE: "", Phase.FORWARD: "forward", Phase.BACKWARD: "backward", Phase.OPTIMIZER: "optimizer"}
NS = 1e9
LEAST_WAIT_S = 1e-9


def picture(
    run: Run, rows: Column, priced: Priced, labels: Labels, memory: dict[str, Any] | None
) -> dict[str, Any]:
    """The timeline of these events of one process."""
    events = run.events
    times = (priced.start_s, priced.end_s, priced.issued_s, priced.host_s)
    on = rows[np.isin(events.type[rows], ON_STREAM)]
    on = on[np.argsort(times[0][on], kind="stable")]
    begin_s = float(min(times[0][on].min(), (times[2] - times[3])[rows].min())) if len(on) else 0.0
    end_s = float(max(times[1][on].max(), times[2][rows].max())) if len(on) else 0.0
    lanes, lane = _lanes(run, on)
    modules, module = _modules(run, on)
    lines, line = _texts(run, on, "line")
    kinds, kind = _kinds(run, on, priced.limit, labels)
    start, length, queued, issue = _whole(begin_s, on, times)
    return {
        "span": round((end_s - begin_s) * NS),
        "rows": lanes,
        "main": int(np.bincount(lane).argmax()) if len(on) else 0,
        "classes": list(ORDER),
        "kinds": kinds,
        "modules": modules,
        "lines": lines,
        "phases": list(PHASES.values()),
        "events": {
            "row": lane.tolist(),
            "start": _differences(start),
            "length": length.tolist(),
            "kind": kind.tolist(),
            "module": module.tolist(),
            "line": line.tolist(),
            "phase": events.phase[on].tolist(),
            "queued": queued.tolist(),
            "issue": issue.tolist(),
        },
        "waits": _waits(run, rows, begin_s, times),
        "steps": [
            [number, round((one.start_s - begin_s) * NS), round((one.end_s - begin_s) * NS)]
            for number, one in zip(step_numbers(priced), priced.steps, strict=True)
            if begin_s <= one.start_s <= end_s
        ],
        "memory": _curve(memory["tensors"] or memory if memory else None, begin_s, end_s),
        "capacity": memory["capacity_b"] if memory else 0,
    }


def step_numbers(priced: Priced) -> list[int]:
    """The optimizer's steps by their number from 1; where there is no optimizer, the steps that count."""
    numbers = [one.number + 1 for one in priced.steps]
    return numbers if len(set(numbers)) == len(numbers) else list(range(1, len(numbers) + 1))


def window(count: int, first: int, last: int, most: int = MOST_EVENTS) -> slice:
    """As many of `count` events as may be drawn, around those from first to last."""
    if count <= most:
        return slice(0, count)
    if last - first >= most:
        return slice(first, first + most)
    spare = (most - (last - first)) // 2
    begin = max(0, min(first - spare, count - most))
    return slice(begin, begin + most)


def _whole(begin_s: float, on: Column, times: tuple[Column, Column, Column, Column]) -> tuple[Column, ...]:
    start, end, issued, host = (column[on] for column in times)
    start_ns = np.round((start - begin_s) * NS).astype(np.int64)
    length_ns = np.round((end - begin_s) * NS).astype(np.int64) - start_ns
    return (
        start_ns,
        length_ns,
        np.round((start - issued) * NS).astype(np.int64),
        np.round(host * NS).astype(np.int64),
    )


def _differences(values: Column) -> list[int]:
    return np.diff(values, prepend=0).tolist() if len(values) else []


def _lanes(run: Run, on: Column) -> tuple[list[str], Column]:
    keys = np.stack([run.events.process[on], run.events.chip[on], run.events.stream[on]], axis=1)
    found, place = np.unique(keys, axis=0, return_inverse=True)
    names = [run.names.get((p, "stream", s), f"npu:{c} stream {s}") for p, c, s in found.tolist()]
    return names, place.reshape(-1)


def _texts(run: Run, on: Column, what: str) -> tuple[list[str], Column]:
    numbers, place = np.unique(getattr(run.events, what)[on], return_inverse=True)
    process = int(run.events.process[on[0]]) if len(on) else 0
    return [run.names.get((process, what, n), "") for n in numbers.tolist()], place.reshape(-1)


def _modules(run: Run, on: Column) -> tuple[list[tuple[str, int]], Column]:
    """Modules as (name, parent); the first is the root, which has no name."""
    texts, place = _texts(run, on, "module")
    rows: list[tuple[str, int]] = [("", -1)]
    known: dict[tuple[str, ...], int] = {(): 0}
    ends = []
    for text in texts:
        path: tuple[str, ...] = ()
        for part in text.split(".") if text else []:
            parent, path = known[path], (*path, part)
            if path not in known:
                known[path] = len(rows)
                rows.append((part, parent))
        ends.append(known[path])
    return rows, np.array(ends or [0])[place]


def _kinds(
    run: Run, on: Column, limit: Column, labels: Labels
) -> tuple[list[tuple[str, int, str, str]], Column]:
    """What is drawn: name, class, shapes, limit. Collectives and copies have no kind of their own, only a name."""
    events = run.events
    keys = np.stack([labels.of[on], events.kind[on]], axis=1)
    found, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    rows = [
        (
            labels.names[label],
            ORDER.index(labels.classes[label]),
            shapes(run.kinds[kind]) if kind != NONE else f"{int(events.bytes[on[at]]):,} B",
            str(limit[on[at]]),
        )
        for (label, kind), at in zip(found.tolist(), first.tolist(), strict=True)
    ]
    return rows, place.reshape(-1)


def _waits(
    run: Run, rows: Column, begin_s: float, times: tuple[Column, Column, Column, Column]
) -> dict[str, Any]:
    """Where the host stands still: from the end of the call before until this call's own."""
    before, idle = _idle(rows, times[2], times[3], begin_s)
    found = np.flatnonzero((idle > LEAST_WAIT_S) & np.isin(run.events.type[rows], list(WAITS)))
    start = np.round((before[found] - begin_s) * NS).astype(np.int64)
    return {
        "start": _differences(start),
        "length": np.round(idle[found] * NS).astype(np.int64).tolist(),
        "what": [WAITS[Type(one)] for one in run.events.type[rows[found]].tolist()],
    }


def _curve(memory: dict[str, Any] | None, begin_s: float, end_s: float) -> list[list[int]]:
    if not memory:
        return []
    inside = [[round((at - begin_s) * NS), size] for at, size in memory["curve"] if begin_s <= at <= end_s]
    before = [size for at, size in memory["curve"] if at < begin_s]
    return [[0, before[-1] if before else 0], *inside]


def _idle(rows: Column, issued: Column, host: Column, begin_s: float) -> tuple[Column, Column]:
    """For each call the end of the one before, and how long the host stood still between them."""
    before = np.concatenate([[begin_s], issued[rows][:-1]]) if len(rows) else issued[rows]
    return before, issued[rows] - host[rows] - before


def waiting(run: Run, rows: Column, issued: Column, host: Column) -> tuple[int, float]:
    """How often and how long the host of one process stands still in these events."""
    if not len(rows):
        return 0, 0.0
    _, idle = _idle(rows, issued, host, float(issued[rows[0]] - host[rows[0]]))
    held = (idle > LEAST_WAIT_S) & np.isin(run.events.type[rows], list(WAITS))
    return int(held.sum()), float(idle[held].sum())
