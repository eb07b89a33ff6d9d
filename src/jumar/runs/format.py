"""What a run directory holds: types of events, columns with their types, and the tables as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jumar.physics import Work

FORMAT = "jumar run"
SCHEMA = 1
NONE = -1  # in a column of numbers that point somewhere: nowhere

Column = NDArray[Any]


class Type(IntEnum):
    """What an event is. Numbers are part of the format: new ones are added at the end."""

    OPERATOR = 0
    COLLECTIVE = 1
    COPY_H2D = 2
    COPY_D2H = 3
    COPY_D2D = 4
    MEMSET = 5
    ALLOCATE = 6
    FREE = 7
    EVENT_RECORD = 8
    EVENT_WAIT = 9
    SYNCHRONISE_STREAM = 10
    SYNCHRONISE_EVENT = 11
    SYNCHRONISE_DEVICE = 12
    HOST_CALLBACK = 13
    STEP = 14
    BLOCK_ALLOCATE = 15  # the adapter's caching allocator gives a tensor memory …
    BLOCK_FREE = 16  # … and has it back; what it holds in all are ALLOCATE and FREE


COPIES = (Type.COPY_H2D, Type.COPY_D2H, Type.COPY_D2D)
# What takes time on a stream.
ON_STREAM = (Type.OPERATOR, Type.COLLECTIVE, *COPIES, Type.MEMSET)


class Phase(IntEnum):
    """Part of a step that the program was in."""

    NONE = 0
    FORWARD = 1
    BACKWARD = 2
    OPTIMIZER = 3


class Exchange(IntEnum):
    """What the ranks of a collective do; the column `collective`."""

    ALL_REDUCE = 0
    ALL_GATHER = 1
    REDUCE_SCATTER = 2
    ALL_TO_ALL = 3
    BROADCAST = 4
    SEND = 5
    RECEIVE = 6
    REDUCE = 7
    SCATTER = 8
    BARRIER = 9


# Column of events.parquet -> its type. One row an event, in the order of submission inside each process.
EVENT_COLUMNS: dict[str, str] = {
    "process": "int32",  # index into run.json "processes"
    "type": "int8",
    "kind": "int32",  # of an operator: row of kinds.parquet
    "chip": "int16",  # of the server, as the program's process sees the whole server
    "stream": "int32",  # number of the stream inside the process
    "bytes": "int64",  # copied, set, allocated, freed; of a collective the whole buffer, as physics.link counts it
    "address": "uint64",  # of what is allocated, freed
    "event": "int64",  # handle that is recorded, waited for
    "blocking": "int8",  # 1: the host waited in this call until it was done on the chip
    "replayed": "int8",  # 1: part of a graph that was replayed: it cost the host no call
    "host_ns": "int64",  # when the host made the call, since the run began
    "blocked_ns": "int64",  # how long the host was held in this call
    "line": "int32",  # number of a name "line" of the process
    "module": "int32",  # number of a name "module" of the process
    "phase": "int8",
    "step": "int32",  # optimizer steps that were complete before, of this process
    "communicator": "int32",  # of a collective: number of a name "communicator", the same in all processes
    "exchange": "int64",  # how many collectives of the communicator came before
    "collective": "int8",  # which Exchange
    "ranks": "int32",  # of the communicator
    "peer": "int32",  # rank in the communicator that data goes to or comes from; root of a rooted collective
}
POINTERS = ("kind", "event", "line", "module", "communicator", "exchange", "collective", "peer")


@dataclass(frozen=True, eq=False)
class Events:
    """Events as columns, see EVENT_COLUMNS."""

    process: Column
    type: Column
    kind: Column
    chip: Column
    stream: Column
    bytes: Column
    address: Column
    event: Column
    blocking: Column
    replayed: Column
    host_ns: Column
    blocked_ns: Column
    line: Column
    module: Column
    phase: Column
    step: Column
    communicator: Column
    exchange: Column
    collective: Column
    ranks: Column
    peer: Column

    def __len__(self) -> int:
        return len(self.type)

    def take(self, rows: Column) -> Events:
        """The events of these rows, or where a mask is true."""
        return Events(**{name: getattr(self, name)[rows] for name in EVENT_COLUMNS})


def events_of(columns: Mapping[str, Any], count: int) -> Events:
    """Events of these columns; a column that is not given is 0, or NONE where it points somewhere."""
    arrays = {}
    for name, dtype in EVENT_COLUMNS.items():
        given = columns.get(name, NONE if name in POINTERS else 0)
        arrays[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(given), (count,)).astype(dtype))
    return Events(**arrays)


@dataclass(frozen=True)
class OperatorKind:
    """One kind of operator call. `arguments`: plain values, an operand as {"dtype", "sizes", "strides", "format"}.

    `work` is None where nobody knows it; `source` says how it was found: rule, derived, assumed, none.
    """

    operator: str
    arguments: Sequence[Any]
    work: Work | None
    source: str
    note: str = ""


SOURCES = ("rule", "derived", "assumed", "none")


@dataclass(frozen=True, eq=False)
class Run:
    """A stored run. `facts` is run.json; `names` is (process, what, number) -> text, what being line, module,
    stream or communicator."""

    facts: Mapping[str, Any]
    kinds: Sequence[OperatorKind]
    events: Events
    names: Mapping[tuple[int, str, int], str] = field(default_factory=dict)
