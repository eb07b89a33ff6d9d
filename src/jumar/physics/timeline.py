"""When each operator runs: streams in order, events between them, a host that issues one call after another, and
exchanges that begin when the last of several hosts' streams has come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from jumar.physics.work import Floats, Integers


class Act(IntEnum):
    """What a call of the host does."""

    NOTHING = 0  # takes time of the host only
    RUN = 1  # puts work of the chip's cores on a stream
    MEET = 2  # puts an exchange on a stream: it begins when every track that takes part has come
    POST = 3  # puts a message on a stream: it does not wait for who takes it
    TAKE = 4  # puts the receipt of a message on a stream: it begins when the message is posted
    RECORD = 5  # an event remembers what the stream has been given so far
    WAIT = 6  # the stream waits for what the event remembers
    HOST_WAITS_STREAM = 7
    HOST_WAITS_EVENT = 8
    HOST_WAITS_CHIP = 9
    MOVE = 10  # puts on a stream what the cores have no part in


BEGINNING = -1  # the meeting at `begin`
ON_STREAM = (Act.RUN, Act.MEET, Act.POST, Act.TAKE, Act.MOVE)
# Work of another stream that was given before holds work up by at most so many times its own length: the chip turns to
# a short kernel soon. An assumption; both bounds only ever add or take the greater, so more work never takes less time.
MOST_HELD_UP = 8.0


@dataclass(frozen=True, eq=False)
class Track:
    """What one host puts on the streams of one chip, in its own order. All columns have one entry for each call.

    act         one of Act
    stream      on which it works
    mark        number of the event, of the meeting or of the message
    duration_s  time on the chip
    host_s      time the host takes to make the call
    held        whether the host waits until it is done
    begin       call before which all tracks that have one wait for their streams and for each other, as after warm-up
    """

    act: Integers
    stream: Integers
    mark: Integers
    duration_s: Floats
    host_s: Floats
    held: Integers
    begin: int = -1

    def __len__(self) -> int:
        return len(self.act)


@dataclass(frozen=True, eq=False)
class Schedule:
    """Times of every call of a track: when it was issued, when it began and ended. What does not run on a stream begins
    and ends when it was issued."""

    issued_s: Floats
    start_s: Floats
    end_s: Floats

    @property
    def total_s(self) -> float:
        return max(float(self.end_s.max()), float(self.issued_s[-1])) if len(self.end_s) else 0.0


@dataclass
class Board:
    """Who has come to which meeting, and when. `broken`: meetings that began without everyone, as nobody could go on."""

    attendance: Mapping[int, int]
    arrived: dict[int, tuple[int, float]] = field(default_factory=dict)
    posted: dict[int, float] = field(default_factory=dict)
    messages: frozenset[int] = frozenset()
    broken: set[int] = field(default_factory=set)
    arrivals: int = 0

    def arrive(self, mark: int, when_s: float) -> None:
        count, latest = self.arrived.get(mark, (0, 0.0))
        self.arrived[mark] = (count + 1, max(latest, when_s))
        self.arrivals += 1

    def post(self, mark: int, when_s: float) -> None:
        self.posted[mark] = when_s
        self.arrivals += 1

    def complete(self, mark: int) -> bool:
        return mark in self.broken or self.arrived[mark][0] >= self.attendance.get(mark, 1)


def lay_out(
    tracks: Sequence[Track],
    attendance: Mapping[int, int] | None = None,
    synchronise_s: float = 0.0,
) -> tuple[list[Schedule], int]:
    """Times of every call of every track, and how many exchanges had to begin without everyone.

    `attendance`: meeting -> tracks that come to it (1 if not given); `synchronise_s`: from the end of the work until a
    host that waits for it goes on.
    """
    for track in tracks:
        _check(track)
    posted = frozenset(int(mark) for t in tracks for mark in t.mark[t.act == Act.POST])
    together = {BEGINNING: sum(track.begin >= 0 for track in tracks)}
    board = Board({**(attendance or {}), **together}, messages=posted)
    times = [(_room(track), _room(track), _room(track)) for track in tracks]
    going = {
        number: _follow(track, board, synchronise_s, *room)
        for number, (track, room) in enumerate(zip(tracks, times, strict=True))
    }
    while going:
        before, alive = board.arrivals, len(going)
        waiting = {
            number: mark for number, follow in going.items() if (mark := next(follow, None)) is not None
        }
        going = {number: going[number] for number in waiting}
        if going and board.arrivals == before and len(going) == alive:
            board.broken.add(waiting[min(waiting)])
    schedules = [Schedule(*(np.array(column, dtype=np.float64) for column in room)) for room in times]
    return schedules, len(board.broken)


def _room(track: Track) -> list[float]:
    return [0.0] * len(track)


def _follow(
    track: Track,
    board: Board,
    synchronise_s: float,
    issued: list[float],
    start: list[float],
    end: list[float],
) -> Iterator[int]:
    """Goes through a track; yields the number of a meeting or message as long as it has to wait for others.

    A plain loop over lists: each call depends on the one before, and columns cost more than they save here.
    `cores_s` is when the cores can have done all that they were given so far: streams share them.
    """
    now, ready, recorded = 0.0, dict.fromkeys(track.stream.tolist(), 0.0), {}
    cores_s = 0.0
    columns = (track.act, track.stream, track.mark, track.duration_s, track.host_s, track.held)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for i, (act, stream, mark, duration_s, host_s, held) in enumerate(rows):
        if i == track.begin:
            board.arrive(BEGINNING, max(now, *ready.values()))
            while not board.complete(BEGINNING):
                yield BEGINNING
            now = board.arrived[BEGINNING][1]
        now += host_s
        issued[i] = now
        if 1 <= act <= 4 or act == 10:
            begin = ready[stream]
            if begin < now:
                begin = now
            if act == 1:
                cores_s = (cores_s if cores_s > now else now) + duration_s
                if cores_s > begin + duration_s:
                    begin = min(cores_s - duration_s, begin + (MOST_HELD_UP - 1) * duration_s)
            elif act == 2:
                board.arrive(mark, begin)
                while not board.complete(mark):
                    yield mark
                begin = max(begin, board.arrived[mark][1])
            elif act == 3:
                board.post(mark, begin)
            elif act == 4:
                while mark in board.messages and mark not in board.posted and mark not in board.broken:
                    yield mark
                begin = max(begin, board.posted.get(mark, 0.0))
            start[i] = begin
            end[i] = ready[stream] = begin + duration_s
            if held:
                now = begin + duration_s + synchronise_s
            continue
        start[i] = end[i] = now
        if act == 5:
            recorded[mark] = max(ready[stream], now)
        elif act == 6:
            ready[stream] = max(ready[stream], recorded.get(mark, 0.0))
        elif act == 7:
            now = max(now, ready[stream]) + synchronise_s
        elif act == 8:
            now = max(now, recorded.get(mark, 0.0)) + synchronise_s
        elif act == 9:
            now = max(now, *ready.values()) + synchronise_s
            cores_s = min(cores_s, now)


def covered_s(start: Floats, end: Floats) -> float:
    """Length of the union of intervals."""
    if not len(start):
        return 0.0
    order = np.argsort(start, kind="stable")
    begin, finish = start[order], end[order]
    reached = np.maximum.accumulate(finish)
    fresh = np.maximum(begin[1:], reached[:-1])
    return float(finish[0] - begin[0] + np.maximum(0.0, finish[1:] - fresh).sum())


def _check(track: Track) -> None:
    columns = (track.stream, track.mark, track.duration_s, track.host_s, track.held)
    if any(len(column) != len(track) for column in columns):
        raise ValueError("a track's columns must have one entry for each call")
    if len(track) and not (float(track.duration_s.min()) >= 0 and float(track.host_s.min()) >= 0):
        raise ValueError("durations and times of the host must not be negative")
