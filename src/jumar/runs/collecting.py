"""From the raw traces that the processes of a run left to a stored run. Also of a run that crashed, was killed or cut."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jumar.physics import notation
from jumar.runs.format import NONE, OperatorKind, Run, Type, events_of

# The raw format: native/trace.h.
MAGIC = b"jumarevt"
VERSION = 1
HEADER_B = 4096
HEADER = np.dtype(
    [
        ("magic", "S8"),
        ("version", "u4"),
        ("event_bytes", "u4"),
        ("pid", "i4"),
        ("rank", "i4"),
        ("began_ns", "u8"),
        ("began_unix_ns", "u8"),
        ("limit", "u8"),
        ("events", "u8"),
        ("kept", "u8"),
    ]
)
EVENT = np.dtype(
    [
        ("type", "u1"),
        ("chip", "u1"),
        ("phase", "u1"),
        ("flags", "u1"),
        ("stream", "u4"),
        ("kind", "u4"),
        ("line", "u4"),
        ("module", "u4"),
        ("step", "u4"),
        ("host_ns", "u8"),
        ("blocked_ns", "u8"),
        ("bytes", "u8"),
        ("subject", "u8"),
        ("ranks", "u2"),
        ("peer", "i2"),
        ("exchange", "u1"),
        ("spare", "u1", 3),
    ]
)
BLOCKING, REPLAYED = 1, 2
WITH_EVENT = (Type.EVENT_RECORD, Type.EVENT_WAIT, Type.SYNCHRONISE_EVENT, Type.STEP)
WITH_ADDRESS = (Type.ALLOCATE, Type.FREE, Type.BLOCK_ALLOCATE, Type.BLOCK_FREE)
UNKNOWN = OperatorKind("?", [], None, "none", "the program ended before this kind of call was told")
TOO_MANY = OperatorKind("?", [], None, "none", "there were too many kinds of calls to tell them apart")

# How long to wait for a process that still prices what its program asked for.
PATIENCE_S = 10.0


class BadTrace(ValueError):
    """A file that is no trace of this version of jumar: the message names it."""


@dataclass
class Process:
    """What one process left. `kinds` by the process's own numbers; `names` by what and number."""

    pid: int
    rank: int | None
    began_ns: int
    events: NDArray[Any]
    kinds: dict[int, OperatorKind]
    names: dict[tuple[str, int], str]
    cut: list[str] = field(default_factory=list)


def collect(raw: Path, facts: Mapping[str, Any]) -> Run:
    """The run whose processes left their traces in `raw`. `facts` becomes run.json, with `processes` and `cut` added."""
    processes, cut = [], []
    for path in sorted(raw.glob("events-*.bin")):
        try:
            processes.append(read_process(path))
        except BadTrace as error:
            cut.append(str(error))
    processes.sort(key=lambda one: (one.rank is None, one.rank or 0, one.began_ns))
    cut += [said for process in processes for said in process.cut]
    return _merged(processes, {**facts, "cut": cut})


def read_process(path: Path) -> Process:
    """The trace of one process, as much as there is of it. BadTrace if the file is none."""
    head = np.fromfile(path, HEADER, 1)
    if len(head) == 0 or head["magic"][0] != MAGIC:
        raise BadTrace(
            f"{path.name}: not a trace; its process ended before it began, or something else wrote it"
        )
    header = head[0]
    if header["version"] != VERSION or header["event_bytes"] != EVENT.itemsize:
        raise BadTrace(f"{path.name}: written by another version of jumar; run the program again")
    pid, happened, kept = int(header["pid"]), int(header["events"]), int(header["kept"])
    events = np.fromfile(path, EVENT, kept, offset=HEADER_B)
    whole = events[events["type"] != 0]
    rank = int(header["rank"])
    process = Process(pid, rank if rank >= 0 else None, int(header["began_ns"]), whole, {}, {})
    if kept < happened:
        process.cut.append(
            f"process {pid}: the first {kept:,} of {happened:,} events are kept; give more with --trace-events"
        )
    if len(whole) < kept:
        process.cut.append(f"process {pid}: {kept - len(whole):,} events are missing from {path.name}")
    for line in _lines(path.with_name(f"kinds-{pid}.jsonl"), PATIENCE_S):
        process.kinds[line["kind"]] = _kind(line)
    for line in _lines(path.with_name(f"names-{pid}.jsonl")):
        process.names[line["what"], line["number"]] = line["text"]
    return process


def _lines(path: Path, patience_s: float = 0.0) -> Iterator[dict[str, Any]]:
    """The whole lines of the file; one that was cut off by the end of its writer is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        _await_writer(file.fileno(), patience_s)
        for text in file:
            try:
                yield json.loads(text)
            except json.JSONDecodeError:
                return


def _await_writer(descriptor: int, patience_s: float) -> None:
    """Its writer holds a lock as long as it lives."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)


def _kind(line: Mapping[str, Any]) -> OperatorKind:
    try:
        work = notation.read(line["work"]) if line.get("work") else None
    except notation.BadWork as error:
        return OperatorKind(line["operator"], line["arguments"], None, "none", str(error))
    return OperatorKind(
        line["operator"], line["arguments"], work, line["source"] if work else "none", line.get("note", "")
    )


def _merged(processes: Sequence[Process], facts: dict[str, Any]) -> Run:
    kinds: list[OperatorKind] = []
    known: dict[str, int] = {}
    communicators: dict[str, int] = {}
    names: dict[tuple[int, str, int], str] = {}
    parts: list[dict[str, NDArray[Any]]] = []
    began_ns = min((process.began_ns for process in processes), default=0)
    ranks = {one.pid: place if one.rank is None else one.rank for place, one in enumerate(processes)}
    for place, process in enumerate(processes):
        names |= {(place, what, n): text for (what, n), text in process.names.items() if what in NAMED}
        numbers = _communicators(process, place, communicators, names, ranks)
        columns = _columns(process.events, numbers, began_ns)
        columns["process"] = np.full(len(process.events), place)
        columns["kind"] = _numbered(process, columns["type"], kinds, known)
        parts.append(columns)
    count = sum(len(process.events) for process in processes)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    facts["processes"] = [
        {
            "pid": process.pid,
            "rank": process.rank,
            "chips": sorted({int(chip) for chip in np.unique(process.events["chip"])}),
        }
        for process in processes
    ]
    return Run(facts, kinds, events_of(joined, count), names)


NAMED = ("line", "module")


def _communicators(
    process: Process,
    place: int,
    communicators: dict[str, int],
    names: dict[tuple[int, str, int], str],
    ranks: Mapping[int, int],
) -> NDArray[Any]:
    """By the process's own number: the run's. Names are JSON: the name, and the members as ranks of the run."""
    own = {n: text for (what, n), text in process.names.items() if what == "communicator"}
    members = {}
    for (what, _), text in process.names.items():
        if what == "members":
            number, *pids = map(int, text.split())
            members[number] = [ranks.get(pid, NONE) for pid in pids]
    table = np.full(max(own, default=0) + 1, NONE)
    for number, text in own.items():
        table[number] = communicators.setdefault(text, len(communicators))
        said = {"name": text, "members": members.get(number, [])}
        names[place, "communicator", int(table[number])] = json.dumps(said)
    return table


def _columns(events: NDArray[Any], communicators: NDArray[Any], began_ns: int) -> dict[str, NDArray[Any]]:
    kinds_of = events["type"].astype(np.int8) - 1
    collective = kinds_of == Type.COLLECTIVE
    subject = events["subject"]
    group = np.minimum(subject >> np.uint64(32), np.uint64(len(communicators) - 1)).astype(np.int64)
    return {
        "type": kinds_of,
        "chip": events["chip"],
        "stream": events["stream"],
        "bytes": events["bytes"].astype(np.int64),
        "address": np.where(np.isin(kinds_of, WITH_ADDRESS), subject, 0),
        "event": np.where(np.isin(kinds_of, WITH_EVENT), subject.astype(np.int64), NONE),
        "blocking": (events["flags"] & BLOCKING) != 0,
        "replayed": (events["flags"] & REPLAYED) != 0,
        "host_ns": events["host_ns"].astype(np.int64) - began_ns,
        "blocked_ns": events["blocked_ns"].astype(np.int64),
        "line": np.where(events["line"] == 0, NONE, events["line"].astype(np.int64)),
        "module": np.where(events["module"] == 0, NONE, events["module"].astype(np.int64)),
        "phase": events["phase"],
        "step": events["step"],
        "communicator": np.where(collective, communicators[np.where(collective, group, 0)], NONE),
        "exchange": np.where(collective, (subject & np.uint64(0xFFFFFFFF)).astype(np.int64), NONE),
        "collective": np.where(collective, events["exchange"].astype(np.int64), NONE),
        "ranks": np.where(collective, events["ranks"], 0),
        "peer": np.where(collective, events["peer"], NONE),
    }


def _numbered(
    process: Process, types: NDArray[Any], kinds: list[OperatorKind], known: dict[str, int]
) -> NDArray[Any]:
    """The run's number of each operator's kind; equal kinds of several processes are one."""
    operator = types == Type.OPERATOR
    own = np.where(operator, process.events["kind"], 0).astype(np.int64)
    table = np.full(int(own.max(initial=0)) + 1, NONE)
    for number in np.unique(own[operator]):
        kind = TOO_MANY if number == 0 else process.kinds.get(int(number), UNKNOWN)
        key = json.dumps([kind.operator, kind.arguments, kind.note])
        if key not in known:
            known[key] = len(kinds)
            kinds.append(kind)
        table[number] = known[key]
    return np.where(operator, table[own], NONE)
