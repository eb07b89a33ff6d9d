"""Sequences of operators that the adapter makes of one call and a CUDA build runs as one kernel: a table, and its search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from jumar.physics import Kind, Vector, Work
from jumar.runs.durations import SIZES_B
from jumar.runs.format import NONE, Column, OperatorKind, Run, Type

FILE = Path(__file__).with_name("fusions.tsv")
OPERATIONS = 6.0  # of the vector unit for each element: squares, sums, products


@dataclass(frozen=True)
class Fusion:
    """A row of the table. `operators`: names, and whether each must be there. The kernel reads and writes the tensor so
    many times, in the smallest type that it has among the operators."""

    becomes: str
    reads: float
    writes: float
    operators: tuple[tuple[str, bool], ...]

    @property
    def anchor(self) -> tuple[str, int]:
        """The rarest name that must be there, and its place: where to look for the sequence."""
        counts = Counter(name for name, _ in self.operators)
        places = [(counts[name], at) for at, (name, needed) in enumerate(self.operators) if needed]
        return self.operators[min(places)[1]][0], min(places)[1]


@dataclass(frozen=True, eq=False)
class Fused:
    """`rows`: the events that stand for a whole sequence, with what the kernel does; `absent`: the others, which do not
    run; `counts`: how often each kernel."""

    rows: Column
    works: Sequence[Work]
    absent: Column
    counts: Counter[str]


@cache
def table() -> tuple[Fusion, ...]:
    """The rows; ValueError for one that cannot be used."""
    _, *lines = FILE.read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != 4:
            raise ValueError(f"{FILE.name}, line {number}: give becomes, reads, writes and operators")
        operators = tuple((name.strip("[]"), not name.startswith("[")) for name in cells[3].split())
        found.append(Fusion(cells[0], float(cells[1]), float(cells[2]), operators))
    return tuple(found)


def find(run: Run) -> Fused:
    """Every sequence of the table in the run, stream by stream."""
    events = run.events
    rows: list[int] = []
    works: list[Work] = []
    absent: list[int] = []
    counts: Counter[str] = Counter()
    names = [kind.operator for kind in run.kinds]
    wanted = {fusion.anchor[0] for fusion in table()}
    if wanted.isdisjoint(names):
        return Fused(np.zeros(0, np.int64), (), np.zeros(0, np.int64), counts)
    operators = np.flatnonzero((events.type == Type.OPERATOR) & (events.kind != NONE))
    width = int(events.stream[operators].max(initial=0)) + 1
    of_stream = events.process[operators].astype(np.int64) * width + events.stream[operators]
    for stream in np.unique(of_stream).tolist():
        mine = operators[of_stream == stream]
        kinds = events.kind[mine].tolist()
        for fusion, first, last in _sequences(kinds, names):
            part = mine[first:last].tolist()
            rows.append(part[0])
            absent += part[1:]
            works.append(_work(fusion, [run.kinds[kind] for kind in kinds[first:last]]))
            counts[fusion.becomes] += 1
    return Fused(np.array(rows, np.int64), tuple(works), np.array(absent, np.int64), counts)


def _sequences(kinds: Sequence[int], names: Sequence[str]) -> list[tuple[Fusion, int, int]]:
    """Matches in order, none of which shares an operator with another."""
    found = []
    taken = 0
    starts = {name: [f for f in table() if f.anchor[0] == name] for name in {f.anchor[0] for f in table()}}
    for at, kind in enumerate(kinds):
        for fusion in starts.get(names[kind], ()):
            match = _match(fusion, at, kinds, names, taken)
            if match is not None:
                found.append((fusion, *match))
                taken = match[1]
                break
    return found


def _match(
    fusion: Fusion, at: int, kinds: Sequence[int], names: Sequence[str], taken: int
) -> tuple[int, int] | None:
    """Begin and end of the sequence whose anchor stands at that place."""
    place = fusion.anchor[1]
    first = at
    for name, needed in reversed(fusion.operators[:place]):
        if first > taken and names[kinds[first - 1]] == name:
            first -= 1
        elif needed:
            return None
    last = at + 1
    for name, needed in fusion.operators[place + 1 :]:
        if last < len(kinds) and names[kinds[last]] == name:
            last += 1
        elif needed:
            return None
    return first, last


def _work(fusion: Fusion, kinds: Sequence[OperatorKind]) -> Work:
    """The tensor is the largest operand; its type the smallest in which an operand of its size is."""
    operands = [one for kind in kinds for one in _operands(kind.arguments)]
    elements = max((prod(one["sizes"]) for one in operands), default=0)
    sizes_b = [SIZES_B.get(one["dtype"], 4) for one in operands if prod(one["sizes"]) == elements]
    moved_b = float(elements * min(sizes_b, default=4))
    vector = Vector("fp32", OPERATIONS * elements * fusion.reads)
    return Work(Kind.NORMALIZATION, (), (vector,), fusion.reads * moved_b, fusion.writes * moved_b)


def _operands(arguments: Sequence[Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in arguments:
        if isinstance(one, dict) and "sizes" in one:
            found.append(one)
        elif isinstance(one, (list, tuple)):
            found += _operands(one)
    return found
