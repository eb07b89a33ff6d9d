"""From recorded events to what each host put on the streams of each chip, without times: the same for every chip."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jumar.physics.timeline import Act
from jumar.runs import steps
from jumar.runs.format import NONE, Column, Events, Exchange, Run, Type

ACTS = {
    Type.OPERATOR: Act.RUN,
    Type.COLLECTIVE: Act.MEET,
    Type.COPY_H2D: Act.MOVE,
    Type.COPY_D2H: Act.MOVE,
    Type.COPY_D2D: Act.RUN,
    Type.MEMSET: Act.RUN,
    Type.EVENT_RECORD: Act.RECORD,
    Type.EVENT_WAIT: Act.WAIT,
    Type.SYNCHRONISE_STREAM: Act.HOST_WAITS_STREAM,
    Type.SYNCHRONISE_EVENT: Act.HOST_WAITS_EVENT,
    Type.SYNCHRONISE_DEVICE: Act.HOST_WAITS_CHIP,
    Type.HOST_CALLBACK: Act.MOVE,
}
# What a call costs the host, as a share of one that puts an operator on a stream. Assumed: the vendor's runtime answers
# these from a queue; memory comes from the allocator of the program nearly always.
HOST_SHARE = {
    Type.OPERATOR: 1.0,
    Type.COLLECTIVE: 1.0,
    Type.COPY_H2D: 1.0,
    Type.COPY_D2H: 1.0,
    Type.COPY_D2D: 1.0,
    Type.MEMSET: 0.5,
    Type.EVENT_RECORD: 0.2,
    Type.EVENT_WAIT: 0.2,
    Type.SYNCHRONISE_STREAM: 0.2,
    Type.SYNCHRONISE_EVENT: 0.2,
    Type.SYNCHRONISE_DEVICE: 0.2,
    Type.HOST_CALLBACK: 0.5,
}


@dataclass(frozen=True, eq=False)
class Calls:
    """The calls of one process to one chip: rows of the events, and columns in their order.

    mark        number of the event, meeting or message
    share       of the host's time for a call that puts an operator on a stream
    measured_s  time the host took for the call when the run was recorded, without what it was held
    """

    process: int
    chip: int
    rows: Column
    act: Column
    stream: Column
    mark: Column
    held: Column
    share: Column
    measured_s: Column
    cuts: steps.Cuts


@dataclass(frozen=True, eq=False)
class Laid:
    """All tracks of a run, who meets whom, and the exchanges as distinct rows."""

    calls: tuple[Calls, ...]
    attendance: Mapping[int, int]


def lay(run: Run) -> Laid:
    """The tracks of a run."""
    events = run.events
    mark, act, attendance = _marks(run)
    measured_s = _measured(events)
    calls = []
    for process, chip in _pairs(events):
        here = (events.chip == chip) | (events.type == Type.STEP)  # an optimizer steps on no chip
        rows = np.flatnonzero((events.process == process) & here)
        one = events if len(rows) == len(events) else events.take(rows)
        calls.append(
            Calls(
                process=process,
                chip=chip,
                rows=rows,
                act=act[rows],
                stream=one.stream.astype(np.int64),
                mark=mark[rows],
                held=one.blocking.astype(np.int64),
                share=np.where(one.replayed > 0, 0.0, _by_type(HOST_SHARE)[one.type]),
                measured_s=measured_s[rows],
                cuts=steps.find(one),
            )
        )
    return Laid(tuple(calls), attendance)


def _pairs(events: Events) -> list[tuple[int, int]]:
    """Every process with every chip on which it does something."""
    acts = _by_type({key: float(act) for key, act in ACTS.items()})[events.type] > 0
    process, chip = events.process[acts].astype(np.int64), events.chip[acts].astype(np.int64)
    if not len(process):
        return []
    width = int(chip.max()) + 1
    return [divmod(key, width) for key in np.flatnonzero(np.bincount(process * width + chip)).tolist()]


def _by_type(table: Mapping[Type, float]) -> Column:
    return np.array([float(table.get(one, 0)) for one in Type])


def _measured(events: Events) -> Column:
    """Seconds from the end of what held the host in the call before until this call, process by process."""
    found = np.zeros(len(events))
    for process in np.unique(events.process):
        rows = np.flatnonzero(events.process == process)
        if (np.diff(events.host_ns[rows]) < 0).any():  # several threads
            rows = rows[np.argsort(events.host_ns[rows], kind="stable")]
        free_ns = events.host_ns[rows] + events.blocked_ns[rows]
        found[rows[1:]] = np.maximum(0, events.host_ns[rows[1:]] - free_ns[:-1]) * 1e-9
    return found


def _marks(run: Run) -> tuple[Column, Column, dict[int, int]]:
    """For each event its number of event, meeting or message; what it does; and how many come to each meeting."""
    events = run.events
    mark, act = events.event.astype(np.int64), _by_type({key: float(a) for key, a in ACTS.items()})
    acts = act[events.type].astype(np.int64)
    attendance: dict[int, int] = {}
    numbers: dict[tuple[int, ...], int] = {}
    exchanges = np.flatnonzero(events.type == Type.COLLECTIVE)
    messages = np.isin(events.collective[exchanges], (Exchange.SEND, Exchange.RECEIVE))
    met = exchanges[~messages]
    keys = np.stack([events.communicator[met], events.exchange[met]], axis=1)
    if len(met):
        _, place, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        mark[met] = place.reshape(-1)
        attendance = dict(enumerate(counts.tolist()))
    seen: Counter[tuple[int, ...]] = Counter()
    for row in exchanges[messages].tolist():
        key = _ends(run, row)
        numbered = (*key, seen[(int(events.collective[row]), *key)])
        seen[(int(events.collective[row]), *key)] += 1
        mark[row] = len(attendance) + numbers.setdefault(numbered, len(numbers))
        acts[row] = Act.POST if events.collective[row] == Exchange.SEND else Act.TAKE
    return mark, acts, attendance


def _ends(run: Run, row: int) -> tuple[int, int, int]:
    """Communicator, sender and receiver of a message."""
    events = run.events
    communicator, peer = int(events.communicator[row]), int(events.peer[row])
    own = own_rank(run, int(events.process[row]), int(events.chip[row]), communicator)
    sends = events.collective[row] == Exchange.SEND
    return (communicator, own, peer) if sends else (communicator, peer, own)


def members_of(run: Run, process: int, communicator: int) -> list[int]:
    """World ranks of a communicator, in its order; empty if the run does not say."""
    text = run.names.get((process, "communicator", communicator), "")
    try:
        said = json.loads(text)
    except json.JSONDecodeError:
        return []
    if not isinstance(said, dict):
        return []
    found = said.get("members") or (run.facts.get("communicators") or {}).get(said.get("name"), [])
    return [int(rank) for rank in found] if isinstance(found, list) else []


def own_rank(run: Run, process: int, chip: int, communicator: int) -> int:
    """The rank of a track in a communicator; in a process that a launcher gave no rank each chip is one."""
    processes = run.facts.get("processes") or []
    about = processes[process] if process < len(processes) else {}
    rank = about.get("rank")
    world = chip if rank is None else int(rank)
    members = members_of(run, process, communicator)
    return members.index(world) if world in members else world


def stride_of(run: Run, process: int, communicator: int) -> int:
    """How far apart the ranks of a communicator lie, 1 if that is not known."""
    members = members_of(run, process, communicator)
    return max(1, members[1] - members[0]) if len(members) > 1 and communicator != NONE else 1
