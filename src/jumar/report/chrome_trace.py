"""A priced run as a trace for Perfetto and chrome://tracing: host, streams, modules, memory, and who started what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar.runs.account import labels
from jumar.runs.format import ON_STREAM, Phase, Run, Type

if TYPE_CHECKING:
    from jumar.runs.priced import Priced

US = 1e6
HOST, STEPS, MODULES = 0, 1, 100_000  # threads that are not streams
WAITS = (Type.SYNCHRONISE_STREAM, Type.SYNCHRONISE_EVENT, Type.SYNCHRONISE_DEVICE)
Event = dict[str, Any]


def write(run: Run, priced: Priced, path: Path) -> int:
    """Writes the trace; returns how many entries it has."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(
            '{"displayTimeUnit":"ns","otherData":' + json.dumps(_about(run, priced)) + ',"traceEvents":[\n'
        )
        for count, event in enumerate(events(run, priced), 1):
            file.write(
                (",\n" if count > 1 else "") + json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            )
        file.write("\n]}\n")
    return count


def _about(run: Run, priced: Priced) -> dict[str, Any]:
    return {
        "chip": priced.chip.name,
        "command": list(run.facts.get("command", ())),
        "times": "predicted by jumar, not measured",
    }


def events(run: Run, priced: Priced) -> Iterator[Event]:
    """Everything, process by process."""
    named = labels.labels_of(run.events, run.kinds)
    columns = {
        name: getattr(run.events, name).tolist()
        for name in ("process", "type", "kind", "chip", "stream", "bytes", "line", "module", "phase", "step")
    }
    times = {
        name: (getattr(priced, f"{name}_s") * US).round(3).tolist()
        for name in ("start", "end", "issued", "host")
    }
    rows = [
        {"row": row, **dict(zip(columns, values, strict=True)), **dict(zip(times, when, strict=True))}
        for row, (values, when) in enumerate(
            zip(zip(*columns.values(), strict=True), zip(*times.values(), strict=True), strict=True)
        )
    ]
    of, limits = named.of.tolist(), list(priced.limit)
    done: dict[int, float] = {}
    for one in rows:
        one["before"], done[one["process"]] = done.get(one["process"], 0.0), one["issued"]
        one["name"], one["class"] = named.names[of[one["row"]]], named.classes[of[one["row"]]]
        one["limit"] = str(limits[one["row"]])
    yield from _names(run, rows)
    for one in rows:
        yield from _calls(run, one)
    yield from _modules(run, rows)
    yield from _memory(rows)


def _names(run: Run, rows: Iterable[Event]) -> Iterator[Event]:
    seen = {(one["process"], one["chip"], one["stream"]) for one in rows if one["type"] in ON_STREAM}
    listed = run.facts.get("processes", ())
    for process in sorted({place[0] for place in seen}):
        rank = listed[process].get("rank") if process < len(listed) else None
        title = f"process {process}" if rank is None else f"rank {rank}"
        yield _meta("process_name", _host(process), HOST, f"{title}: host")
        yield _meta("thread_name", _host(process), HOST, "calls")
        yield _meta("thread_name", _host(process), STEPS, "steps")
    for process, chip, stream in sorted(seen):
        yield _meta("process_name", _device(process, chip), stream, f"npu:{chip} of process {process}")
        yield _meta("thread_name", _device(process, chip), stream, f"stream {stream}")
        yield _meta("thread_name", _device(process, chip), MODULES, "modules")


def _meta(what: str, pid: int, tid: int, name: str) -> Event:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}


def _host(process: int) -> int:
    return 1 + process * 1000


def _device(process: int, chip: int) -> int:
    return 2 + process * 1000 + chip


def _calls(run: Run, one: Event) -> Iterator[Event]:
    """The call on the host, what it started on the chip, and the arrow between them."""
    host, begin = _host(one["process"]), round(one["issued"] - one["host"], 3)
    text = one["name"] or Type(one["type"]).name.lower().replace("_", " ")
    if one["type"] == Type.STEP:
        yield {
            "ph": "i",
            "s": "p",
            "name": f"step {one['step'] + 1} ends",
            "pid": host,
            "tid": STEPS,
            "ts": begin,
        }
        return
    if one["host"] > 0:
        yield {
            "ph": "X",
            "cat": "host",
            "name": text,
            "pid": host,
            "tid": HOST,
            "ts": begin,
            "dur": one["host"],
        }
    if one["type"] in WAITS and begin - one["before"] > 0:
        waiting = {"pid": host, "tid": HOST, "ts": one["before"], "dur": round(begin - one["before"], 3)}
        yield {"ph": "X", "cat": "host waits", "name": f"waits: {text}", **waiting}
    if one["type"] not in ON_STREAM or one["end"] <= one["start"]:
        return
    device = {"pid": _device(one["process"], one["chip"]), "tid": one["stream"]}
    yield {
        "ph": "X",
        "cat": one["class"],
        "name": text,
        **device,
        "ts": one["start"],
        "dur": round(one["end"] - one["start"], 3),
        "args": _arguments(run, one),
    }
    if one["host"] > 0:
        flow = {"cat": "starts", "name": "starts", "id": one["row"]}
        yield {"ph": "s", **flow, "pid": host, "tid": HOST, "ts": begin}
        yield {"ph": "f", "bp": "e", **flow, **device, "ts": one["start"]}


def _arguments(run: Run, one: Event) -> dict[str, Any]:
    found: dict[str, Any] = {"limited by": one["limit"], "step": one["step"] + 1}
    if one["type"] == Type.OPERATOR:
        found["arguments"] = labels.shapes(run.kinds[one["kind"]])
    else:
        found["bytes"] = one["bytes"]
    for what in ("module", "line"):
        if text := run.names.get((one["process"], what, one[what])):
            found[what] = text
    if one["phase"]:
        found["phase"] = Phase(one["phase"]).name.lower()
    return found


def _modules(run: Run, rows: Iterable[Event]) -> Iterator[Event]:
    """Modules as nested bars above each chip's busiest stream: neighbouring operators of one module are one bar."""
    by_chip: dict[tuple[int, int], dict[int, list[Event]]] = {}
    for one in rows:
        if one["type"] in ON_STREAM and one["end"] > one["start"]:
            streams = by_chip.setdefault((one["process"], one["chip"]), {})
            streams.setdefault(one["stream"], []).append(one)
    for (process, chip), streams in by_chip.items():
        busiest = max(streams.values(), key=len)
        yield from _nested(run, process, _device(process, chip), busiest)


def _nested(run: Run, process: int, pid: int, rows: Iterable[Event]) -> Iterator[Event]:
    open_: list[Event] = []
    for one in sorted(rows, key=lambda row: row["start"]):
        text = run.names.get((process, "module", one["module"]), "")
        path = text.split(".") if text else []
        same = 0
        while same < min(len(path), len(open_)) and open_[same]["key"] == (
            path[same],
            one["phase"],
            one["step"],
        ):
            same += 1
        yield from map(_bar, reversed(open_[same:]))
        del open_[same:]
        for bar in open_:
            bar["end"] = one["end"]
        for part in path[same:]:
            key = (part, one["phase"], one["step"])
            open_.append({"key": key, "pid": pid, "start": one["start"], "end": one["end"]})
    yield from map(_bar, reversed(open_))


def _bar(bar: Event) -> Event:
    name, phase, _ = bar["key"]
    return {
        "ph": "X",
        "cat": "module",
        "name": name,
        "pid": bar["pid"],
        "tid": MODULES,
        "ts": bar["start"],
        "dur": round(bar["end"] - bar["start"], 3),
        "args": {"phase": Phase(phase).name.lower()},
    }


def _memory(rows: Iterable[Event]) -> Iterator[Event]:
    live: dict[int, int] = {}
    for one in sorted(rows, key=lambda row: row["issued"]):
        if one["type"] not in (Type.ALLOCATE, Type.FREE):
            continue
        pid = _device(one["process"], one["chip"])
        change = one["bytes"] if one["type"] == Type.ALLOCATE else -one["bytes"]
        live[pid] = max(0, live.get(pid, 0) + change)
        yield {
            "ph": "C",
            "name": "memory",
            "pid": pid,
            "tid": 0,
            "ts": one["issued"],
            "args": {"bytes": live[pid]},
        }
