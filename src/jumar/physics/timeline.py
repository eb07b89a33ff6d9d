"""When each operator runs: streams in order, events between them, and a host that issues one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from jumar.physics.work import Floats, Integers

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Issue:
    """What the host puts on the streams, in its own order. All arrays have one entry for each operator.

    stream         on which it runs
    duration_s     time on the chip
    host_s         time the host takes to issue it
    waits          (i, j): operator i starts after operator j, an earlier one, has ended
    synchronises   (i, j): the host waits for the end of operator j before it issues operator i
    communication  whether it is an exchange with other chips; all False if not given
    """

    stream: Integers
    duration_s: Floats
    host_s: Floats
    waits: Sequence[tuple[int, int]] = ()
    synchronises: Sequence[tuple[int, int]] = ()
    communication: Flags | None = None


@dataclass(frozen=True, eq=False)
class Timeline:
    """Times of every operator, and what the whole time is made of.

    total_s = compute_s + communication_s + idle_s: some operator of the chip runs, only exchanges run, nothing runs.
    """

    issued_s: Floats
    start_s: Floats
    end_s: Floats
    total_s: float
    compute_s: float
    communication_s: float
    idle_s: float

    @property
    def utilisation(self) -> float:
        """Share of the time in which some operator of the chip runs."""
        return self.compute_s / self.total_s if self.total_s else 0.0

    @property
    def limit(self) -> str:
        """What takes most of the time: "chip", "communication" or "host"."""
        shares = {"chip": self.compute_s, "communication": self.communication_s, "host": self.idle_s}
        return max(shares, key=lambda key: shares[key])


def lay_out(issue: Issue) -> Timeline:
    """Start and end of every operator. Between waits, a stream is one cumulative sum and one running maximum."""
    count = len(issue.stream)
    _check(issue, count)
    waits, synchronises = _by_first(issue.waits), _by_first(issue.synchronises)
    cuts = sorted({0, *waits, *synchronises})
    issued, start, end = np.zeros(count), np.zeros(count), np.zeros(count)
    host_s = 0.0
    ready: dict[int, float] = {}
    for first, last in zip(cuts, [*cuts[1:], count], strict=True) if count else ():
        host_s = max([host_s, *(float(end[j]) for j in synchronises.get(first, ()))])
        piece = slice(first, last)
        issued[piece] = host_s + np.cumsum(issue.host_s[piece])
        host_s = float(issued[last - 1])
        earliest = issued[piece].copy()
        earliest[0] = max([float(earliest[0]), *(float(end[j]) for j in waits.get(first, ()))])
        _run(issue, piece, earliest, ready, start, end)
    return _summary(issue, issued, start, end)


def _run(
    issue: Issue, piece: slice, earliest: Floats, ready: dict[int, float], start: Floats, end: Floats
) -> None:
    """One piece, stream by stream: end[i] = max(end[i-1], earliest[i]) + duration[i], without a loop over i."""
    streams = issue.stream[piece]
    for stream in np.unique(streams):
        rows = np.flatnonzero(streams == stream)
        duration = issue.duration_s[piece][rows]
        before = np.cumsum(duration) - duration
        slack = earliest[rows] - before
        slack[0] = max(float(slack[0]), ready.get(int(stream), 0.0))
        begin = before + np.maximum.accumulate(slack)
        start[piece.start + rows] = begin
        end[piece.start + rows] = begin + duration
        ready[int(stream)] = float(end[piece.start + rows[-1]])


def _summary(issue: Issue, issued: Floats, start: Floats, end: Floats) -> Timeline:
    if not len(start):
        return Timeline(issued, start, end, 0.0, 0.0, 0.0, 0.0)
    exchange = issue.communication if issue.communication is not None else np.zeros(len(start), dtype=bool)
    total_s = max(float(end.max()), float(issued[-1]))
    compute_s = covered_s(start[~exchange], end[~exchange])
    busy_s = covered_s(start, end)
    return Timeline(issued, start, end, total_s, compute_s, busy_s - compute_s, total_s - busy_s)


def covered_s(start: Floats, end: Floats) -> float:
    """Length of the union of intervals."""
    if not len(start):
        return 0.0
    order = np.argsort(start, kind="stable")
    begin, finish = start[order], end[order]
    reached = np.maximum.accumulate(finish)
    fresh = np.maximum(begin[1:], reached[:-1])
    return float(finish[0] - begin[0] + np.maximum(0.0, finish[1:] - fresh).sum())


def stream_busy_s(issue: Issue) -> dict[int, float]:
    """Stream -> time in which it runs something."""
    streams, place = np.unique(issue.stream, return_inverse=True)
    sums = cast(Floats, np.bincount(place, weights=issue.duration_s, minlength=len(streams)))
    return {int(stream): float(value) for stream, value in zip(streams, sums, strict=True)}


def _by_first(pairs: Sequence[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for later, earlier in pairs:
        found.setdefault(later, []).append(earlier)
    return found


def _check(issue: Issue, count: int) -> None:
    if len(issue.duration_s) != count or len(issue.host_s) != count:
        raise ValueError("stream, duration_s and host_s must have one entry for each operator")
    if count and (float(issue.duration_s.min()) < 0 or float(issue.host_s.min()) < 0):
        raise ValueError("durations and issue times must not be negative")
    for later, earlier in (*issue.waits, *issue.synchronises):
        if not 0 <= earlier < later < count:
            raise ValueError(f"operator {later} cannot wait for operator {earlier}: it is not an earlier one")
