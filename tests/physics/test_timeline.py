"""Timelines: the rules of streams, events and exchanges one by one, and what holds for any track."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from jumar.physics.timeline import MOST_HELD_UP, ON_STREAM, Act, Schedule, Track, covered_s, lay_out

FIELDS = ("act", "stream", "mark", "duration_s", "host_s", "held")


def track(*calls: tuple[Act, int, int, float], host: float = 1.0, held: bool = False) -> Track:
    """A track of (act, stream, mark, duration)."""
    act, stream, mark, duration = (np.array(column) for column in zip(*calls, strict=True))
    many = len(act)
    return Track(act, stream, mark, duration.astype(float), np.full(many, host), np.full(many, int(held)))


def only(one: Track, synchronise_s: float = 0.0) -> Schedule:
    (schedule,), broken = lay_out([one], synchronise_s=synchronise_s)
    assert broken == 0
    return schedule


def any_track(seed: int, count: int = 300) -> Track:
    random = np.random.default_rng(seed)
    acts = random.choice([Act.NOTHING, Act.RUN, Act.RUN, Act.RUN, *Act], count)
    acts = np.where(np.isin(acts, (Act.MEET, Act.TAKE, Act.POST)), Act.RUN, acts)
    return Track(
        acts,
        random.integers(0, 4, count),
        random.integers(0, 5, count),
        random.exponential(10e-6, count),
        random.exponential(4e-6, count),
        (random.random(count) < 0.05).astype(int),
    )


def test_a_stream_works_in_order_and_not_before_it_is_asked() -> None:
    found = only(track((Act.MOVE, 0, 0, 5), (Act.MOVE, 0, 0, 1), (Act.MOVE, 1, 0, 1)))
    assert found.start_s.tolist() == [1, 6, 3] and found.end_s.tolist() == [6, 7, 4]


def test_a_wait_is_for_the_newest_record_at_the_time_of_the_call() -> None:
    calls = [(Act.MOVE, 0, 0, 9), (Act.RECORD, 0, 7, 0), (Act.WAIT, 1, 7, 0), (Act.MOVE, 1, 0, 1)]
    assert only(track(*calls)).start_s[3] == 10
    again = [*calls[:3], (Act.MOVE, 0, 0, 9), (Act.RECORD, 0, 7, 0), (Act.MOVE, 1, 0, 1)]
    assert only(track(*again)).start_s[5] == 10
    assert only(track((Act.WAIT, 1, 7, 0), (Act.MOVE, 1, 0, 1))).start_s[1] == 2


@pytest.mark.parametrize(
    ("act", "mark", "then"),
    [
        (Act.HOST_WAITS_STREAM, 0, 9),
        (Act.HOST_WAITS_EVENT, 7, 6),
        (Act.HOST_WAITS_CHIP, 0, 23),
    ],
)
def test_the_host_waits(act: Act, mark: int, then: float) -> None:
    calls = [
        (Act.MOVE, 0, 0, 5),
        (Act.RECORD, 0, 7, 0),
        (Act.MOVE, 0, 0, 3),
        (Act.MOVE, 1, 0, 19),
        (act, 0, mark, 0),
    ]
    found = only(track(*calls, (Act.NOTHING, 0, 0, 0)), synchronise_s=0.5)
    assert found.issued_s[-1] == then + 0.5 + 1


def test_streams_share_the_cores() -> None:
    many = 40
    one = [(Act.RUN, 0, 0, 10.0)] * many
    both = [(Act.RUN, stream, 0, 10.0) for stream in (0, 1) for _ in range(many)]
    alone, shared = only(track(*one, host=0.0)), only(track(*both, host=0.0))
    assert alone.total_s == 10.0 * many and shared.total_s == 2 * alone.total_s
    moved = only(track(*one, *[(Act.MOVE, 1, 0, 10.0)] * many, host=0.0))
    assert moved.total_s == alone.total_s, "copies over the link leave the cores alone"


def test_a_short_kernel_beside_long_ones_is_held_up_a_little() -> None:
    calls = [(Act.RUN, 0, 0, 100.0)] * 10 + [(Act.RUN, 1, 0, 1.0)] + [(Act.RUN, 0, 0, 100.0)]
    found = only(track(*calls, host=0.0))
    assert found.end_s[10] == MOST_HELD_UP and found.end_s[11] == 1101, "and its work is not forgotten"


def test_a_call_that_holds_the_host() -> None:
    found = only(track((Act.RUN, 0, 0, 5), (Act.RUN, 0, 0, 5), held=True), synchronise_s=0.25)
    assert found.issued_s.tolist() == [1, 7.25]


def test_an_exchange_begins_when_the_last_has_come() -> None:
    early = track((Act.RUN, 0, 0, 1), (Act.MEET, 0, 5, 2), (Act.RUN, 0, 0, 1), (Act.RUN, 1, 0, 1))
    late = track((Act.RUN, 0, 0, 30), (Act.MEET, 0, 5, 2), (Act.HOST_WAITS_STREAM, 0, 0, 0))
    (first, second), broken = lay_out([early, late], {5: 2})
    assert first.start_s[1] == second.start_s[1] == 31 and first.end_s[2] == 34 and broken == 0
    assert first.start_s[3] == 4, "another stream goes on meanwhile"


def test_a_receipt_waits_for_its_message_but_no_message_for_its_receipt() -> None:
    def both(mine: int, theirs: int, before: float) -> Track:
        return track((Act.RUN, 0, 0, before), (Act.POST, 0, mine, 1), (Act.TAKE, 0, theirs, 1))

    (first, second), broken = lay_out([both(1, 2, 1.0), both(2, 1, 20.0)])
    assert broken == 0 and first.start_s.tolist() == [1, 2, 21] and second.start_s.tolist() == [1, 21, 22]
    assert only(track((Act.TAKE, 0, 9, 1))).start_s[0] == 1, "a message from nobody is there at once"


def test_hosts_that_would_wait_for_each_other_for_ever_are_let_go_and_counted() -> None:
    one = track((Act.MEET, 0, 1, 1), (Act.MEET, 1, 2, 1))
    other = track((Act.MEET, 0, 2, 1), (Act.MEET, 1, 1, 1))
    (first, second), broken = lay_out([one, other], {1: 2, 2: 2})
    assert broken >= 1 and first.total_s > 0 and second.total_s > 0


def test_tracks_begin_together() -> None:
    calls = [(Act.MOVE, 0, 0, 5.0), (Act.MOVE, 1, 0, 30.0), (Act.MOVE, 0, 0, 1.0)]
    first, second = track(*calls[:1], calls[2]), track(*calls)
    first, second = (Track(*(getattr(t, n) for n in FIELDS), begin=len(t) - 1) for t in (first, second))
    (early, late), broken = lay_out([first, second])
    assert broken == 0 and early.start_s[-1] == late.start_s[-1] == 33


@pytest.mark.parametrize("seed", range(20))
def test_no_stream_is_busy_longer_than_the_whole(seed: int) -> None:
    one = any_track(seed)
    found = only(one, 1e-6)
    busy: dict[int, float] = defaultdict(float)
    running = np.isin(one.act, ON_STREAM)
    for stream, duration in zip(one.stream[running], one.duration_s[running], strict=True):
        busy[int(stream)] += float(duration)
    assert max(busy.values()) <= found.total_s * (1 + 1e-12)
    assert covered_s(found.start_s[running], found.end_s[running]) <= found.total_s * (1 + 1e-12)
    assert (found.start_s >= found.issued_s).all()
    for stream in busy:
        rows = running & (one.stream == stream)
        assert (found.start_s[rows][1:] >= found.end_s[rows][:-1]).all()


@pytest.mark.parametrize("seed", range(10))
def test_longer_work_never_ends_earlier(seed: int) -> None:
    one = any_track(seed)
    longer = Track(one.act, one.stream, one.mark, one.duration_s * 1.5, one.host_s, one.held)
    assert (only(longer).end_s >= only(one).end_s).all()


def test_the_same_track_gives_the_same_times_to_the_bit() -> None:
    assert (only(any_track(3)).end_s == only(any_track(3)).end_s).all()


def test_nothing_takes_no_time_and_nonsense_is_refused() -> None:
    none = np.zeros(0)
    assert only(Track(*[np.zeros(0, dtype=np.int64)] * 3, none, none, none)).total_s == 0.0
    with pytest.raises(ValueError, match="must not be negative"):
        lay_out([track((Act.RUN, 0, 0, -1))])
    with pytest.raises(ValueError, match="must not be negative"):
        lay_out([track((Act.RUN, 0, 0, float("nan")))])
