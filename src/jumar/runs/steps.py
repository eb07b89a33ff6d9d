"""Finds the steps of a run: by the optimizer's marks, by what comes again and again, or none. Says nothing about time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jumar.runs.format import NONE, Column, Events, Phase, Type

FEWEST_PASSES = 3
# Gaps between passes may differ by so much of their median, as a cache that grows adds an operator now and then.
REGULAR = 0.1
COVERED = 0.5


@dataclass(frozen=True, eq=False)
class Cuts:
    """Where steps begin and end in the calls of one track.

    ends       last call of each step that counts, in order; the first counted step begins at `begin`
    begin      first call of the first step that counts
    warm_up    steps before it that do not count
    alike      whether the counted steps have equally many operators
    how        in words, for the report
    """

    begin: int
    ends: Column
    warm_up: int
    alike: bool
    how: str

    @property
    def count(self) -> int:
        return len(self.ends)

    def begins(self) -> Column:
        found: Column = np.concatenate([[self.begin], self.ends[:-1] + 1]).astype(np.int64)
        return found


def find(events: Events) -> Cuts:
    """Steps in the calls of one track. One step without a name if nothing tells them apart."""
    if not len(events):
        return Cuts(0, np.zeros(0, np.int64), 0, True, "nothing happened")
    marks = _marks(events)
    if len(marks) >= 2:
        how = f"{len(marks)} optimizer steps; the first, warm-up, left out"
        return _cuts(events, int(marks[0]) + 1, marks[1:], 1, how)
    if len(marks) == 1:
        how = "one optimizer step, without what came before its forward pass; no warm-up to leave out"
        return _cuts(events, _first_forward(events, int(marks[0])), marks, 0, how)
    starts = _passes(events)
    if len(starts) >= FEWEST_PASSES:
        how = f"{len(starts)} passes alike, found by what comes again; the first, warm-up, left out"
        return _cuts(events, int(starts[1]), np.append(starts[2:] - 1, len(events) - 1), 1, how)
    begin = _first_forward(events, len(events) - 1)
    return _cuts(
        events, begin, np.array([len(events) - 1]), 0, "no steps were seen; the whole run counts as one"
    )


def _cuts(events: Events, begin: int, ends: Column, warm_up: int, how: str) -> Cuts:
    operators = np.cumsum(events.type == Type.OPERATOR)
    before = operators[begin - 1] if begin else 0
    each = np.diff(operators[ends], prepend=before)
    return Cuts(begin, ends.astype(np.int64), warm_up, bool((each == each[0]).all()), how)


def _marks(events: Events) -> Column:
    """Marks of the optimizer that makes the fewest steps: with several, a step is a round of all."""
    marks = np.flatnonzero(events.type == Type.STEP)
    if not len(marks):
        return marks
    optimizers, counts = np.unique(events.event[marks], return_counts=True)
    return _after_their_work(events, marks[events.event[marks] == optimizers[counts.argmin()]])


def _after_their_work(events: Events, marks: Column) -> Column:
    """For each mark the last call of its step: a thread of the adapter may put operators on streams after the program has
    gone on, and then they stand behind the mark."""
    work = np.flatnonzero(np.isin(events.type, (Type.OPERATOR, Type.COLLECTIVE)))
    if not len(work):
        return marks
    least = np.minimum.accumulate(events.step[work][::-1])[::-1]  # of this call and all behind it
    behind = np.searchsorted(least, events.step[marks], side="right") - 1
    ends: Column = np.maximum.accumulate(np.maximum(marks, work[np.maximum(behind, 0)]))
    return np.unique(ends)


def _first_forward(events: Events, before: int) -> int:
    """The first call inside a module; 0 if modules are not known. Copies before it may be those of the weights."""
    forward = np.flatnonzero(events.phase[: before + 1] == Phase.FORWARD)
    return int(forward[0]) if len(forward) else 0


def _passes(events: Events) -> Column:
    """Where passes begin: calls of the rarest kind that comes at regular distances once the model is made."""
    operators = np.flatnonzero(events.type == Type.OPERATOR)
    operators = operators[operators >= _first_forward(events, len(events) - 1)]
    if not len(operators):
        return operators
    called = events.kind[operators]
    by_kind = np.argsort(called, kind="stable")
    counts = np.bincount(called - NONE)
    ends = np.cumsum(counts)
    for number in np.argsort(counts, kind="stable"):
        if counts[number] < FEWEST_PASSES:
            continue
        places: Column = operators[by_kind[ends[number] - counts[number] : ends[number]]]
        gaps = np.diff(places)
        middle = float(np.median(gaps))
        regular = np.abs(gaps - middle) <= max(2.0, REGULAR * middle)
        if middle > 1 and regular.all() and places[-1] - places[0] >= COVERED * len(operators):
            return places
    return operators[:0]
