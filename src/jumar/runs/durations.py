"""How long each recorded event takes on a chip: operators by kind, copies and exchanges by size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from jumar.physics import Accelerator, Kind, Parameters, Vector, Work, price_table, table_of
from jumar.physics.link import Collective, Pattern, collective_seconds, spread_over
from jumar.physics.operator import LIMITS
from jumar.physics.transfer import chip_copy_seconds, fill_seconds, host_copy_seconds
from jumar.physics.work import ELEMENT_B, Floats, Integers
from jumar.runs.format import Column, Events, Exchange, OperatorKind, Run, Type
from jumar.runs.tracks import stride_of
from jumar.runs.translation import Translated

PATTERNS = {
    Exchange.ALL_REDUCE: Pattern.ALL_REDUCE,
    Exchange.ALL_GATHER: Pattern.ALL_GATHER,
    Exchange.REDUCE_SCATTER: Pattern.REDUCE_SCATTER,
    Exchange.ALL_TO_ALL: Pattern.ALL_TO_ALL,
    Exchange.BROADCAST: Pattern.BROADCAST,
    Exchange.SEND: Pattern.SEND,
    Exchange.RECEIVE: Pattern.SEND,
    Exchange.REDUCE: Pattern.BROADCAST,  # the same way backwards
    Exchange.SCATTER: Pattern.REDUCE_SCATTER,  # each piece goes once
    Exchange.BARRIER: Pattern.ALL_REDUCE,
}
BARRIER_B = 4.0  # a barrier is an all-reduce of next to nothing
# PyTorch's names of types -> those of physics; what is not here counts its bytes only.
SIZES_B = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}
ASSUMED = "assumed: every operand is read or written once"


@dataclass(frozen=True, eq=False)
class KindPrices:
    """Times of the kinds of a run on a chip, in seconds, one entry a kind. `parts` has a column for each of LIMITS.

    source     rule, derived or assumed: how its work is known
    becomes    what is priced instead of it on this chip, "" where it is the same; "nothing" where nothing runs
    """

    seconds: Floats
    low: Floats
    high: Floats
    limit: Integers
    parts: Floats
    works: tuple[Work | None, ...]
    source: tuple[str, ...]
    becomes: tuple[str, ...]


def price_kinds(
    kinds: Sequence[OperatorKind],
    translated: Sequence[Translated],
    machine: Accelerator,
    parameters: Parameters,
) -> KindPrices:
    """Times of all kinds. One whose work nobody knows is priced by its operands and says so."""
    works = [
        None if one.absent else (one.work or assumed_work(kind))
        for kind, one in zip(kinds, translated, strict=True)
    ]
    known = [row for row, work in enumerate(works) if work is not None]
    prices = price_table(table_of(work for work in works if work is not None), machine, parameters)
    spread = len(kinds), len(LIMITS)

    def placed(values: Column) -> Column:
        found: Column = np.zeros(spread[: values.ndim], dtype=values.dtype)
        found[known] = values
        return found

    source = [
        "assumed" if one.work is None and not one.absent else kind.source
        for kind, one in zip(kinds, translated, strict=True)
    ]
    return KindPrices(
        seconds=placed(prices.seconds),
        low=placed(prices.low),
        high=placed(prices.high),
        limit=placed(prices.limit),
        parts=placed(prices.parts),
        works=tuple(works),
        source=tuple(source),
        becomes=tuple(one.becomes for one in translated),
    )


def assumed_work(kind: OperatorKind) -> Work:
    """What an operator without a known work is priced as: one pass over its operands."""
    size_b = elements = 0.0
    stack = list(kind.arguments)
    while stack:
        one = stack.pop()
        if isinstance(one, dict) and "sizes" in one:
            elements += float(prod(one["sizes"]))
            size_b += float(prod(one["sizes"])) * SIZES_B.get(str(one.get("dtype")), ELEMENT_B["fp32"])
        elif isinstance(one, (list, tuple)):
            stack.extend(one)
    return Work(Kind.ELEMENTWISE, (), (Vector("fp32", elements),), size_b / 2, size_b / 2)


def event_seconds(run: Run, kinds: KindPrices, machine: Accelerator, parameters: Parameters) -> Floats:
    """Seconds on a stream of each event; 0 for what does not run on one."""
    events = run.events
    seconds = np.zeros(len(events))
    operators = events.type == Type.OPERATOR
    if len(kinds.seconds):
        seconds[operators] = np.where(
            events.kind[operators] >= 0, kinds.seconds[events.kind[operators]], machine.launch_s
        )
    size_b = events.bytes.astype(float)
    over_link = np.isin(events.type, (Type.COPY_H2D, Type.COPY_D2H))
    seconds[over_link] = host_copy_seconds(size_b[over_link], machine)
    inside, filled = events.type == Type.COPY_D2D, events.type == Type.MEMSET
    seconds[inside] = chip_copy_seconds(size_b[inside], machine, parameters)
    seconds[filled] = fill_seconds(size_b[filled], machine, parameters)
    rows = np.flatnonzero(events.type == Type.COLLECTIVE)
    if len(rows):
        seconds[rows] = _exchange_seconds(run, events.take(rows), machine, parameters)
    return seconds


def _exchange_seconds(run: Run, events: Events, machine: Accelerator, parameters: Parameters) -> Floats:
    """Seconds of collectives from the last arrival on; each distinct one is computed once."""
    columns = (events.collective, events.bytes, events.ranks, events.communicator, events.process)
    distinct, place = np.unique(
        np.stack([c.astype(np.int64) for c in columns], axis=1), axis=0, return_inverse=True
    )
    found = []
    for exchange, size_b, ranks, communicator, process in distinct.tolist():
        pattern = PATTERNS[Exchange(exchange)]
        size = BARRIER_B if exchange == Exchange.BARRIER else float(size_b)
        many = 2 if pattern is Pattern.SEND else max(1, ranks)
        group = spread_over(many, stride_of(run, process, communicator), machine)
        found.append(collective_seconds(Collective(pattern, size, group), machine, parameters))
    return np.array(found)[place.reshape(-1)]
