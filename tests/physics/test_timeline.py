"""Timelines: as a loop over every operator would have them, and never longer or shorter than they can be."""

from __future__ import annotations

import numpy as np
import pytest

from jumar.physics.timeline import Issue, Timeline, lay_out, stream_busy_s


def any_issue(seed: int, count: int = 200) -> Issue:
    random = np.random.default_rng(seed)
    later = random.integers(1, count, 20)
    waits = [(int(i), int(random.integers(0, i))) for i in later[:14]]
    synchronises = [(int(i), int(random.integers(0, i))) for i in later[14:]]
    return Issue(
        random.integers(0, 4, count),
        random.exponential(10e-6, count),
        random.exponential(4e-6, count),
        waits,
        synchronises,
        random.random(count) < 0.2,
    )


def one_by_one(issue: Issue) -> tuple[list[float], list[float]]:
    """The same rules as a plain loop."""
    start: list[float] = []
    end: list[float] = []
    host, ready = 0.0, dict.fromkeys(range(8), 0.0)
    for i in range(len(issue.stream)):
        host = max([host, *(end[j] for later, j in issue.synchronises if later == i)]) + float(
            issue.host_s[i]
        )
        stream = int(issue.stream[i])
        begin = max([host, ready[stream], *(end[j] for later, j in issue.waits if later == i)])
        start.append(begin)
        end.append(begin + float(issue.duration_s[i]))
        ready[stream] = end[-1]
    return start, end


@pytest.mark.parametrize("seed", range(20))
def test_pieces_give_what_a_loop_gives(seed: int) -> None:
    issue = any_issue(seed)
    found = lay_out(issue)
    start, end = one_by_one(issue)
    np.testing.assert_allclose(found.start_s, start, rtol=1e-9)
    np.testing.assert_allclose(found.end_s, end, rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_no_stream_is_busy_longer_than_the_whole(seed: int) -> None:
    issue = any_issue(seed)
    found = lay_out(issue)
    assert max(stream_busy_s(issue).values()) <= found.total_s * (1 + 1e-12)
    assert found.compute_s + found.communication_s + found.idle_s == pytest.approx(found.total_s)
    assert min(found.compute_s, found.communication_s, found.idle_s) >= -1e-12
    assert 0.0 <= found.utilisation <= 1.0
    assert found.total_s <= issue.duration_s.sum() + issue.host_s.sum() + 1e-12
    assert (found.start_s >= found.issued_s - 1e-15).all()


def test_what_limits_is_named() -> None:
    def limit(duration: float, host: float, exchange: bool) -> Timeline:
        many = 50
        return lay_out(
            Issue(
                np.zeros(many, dtype=np.int64),
                np.full(many, duration),
                np.full(many, host),
                communication=np.full(many, exchange),
            )
        )

    assert limit(10e-6, 1e-6, False).limit == "chip"
    assert limit(1e-6, 10e-6, False).limit == "host"
    assert limit(10e-6, 1e-6, True).limit == "communication"


def test_the_same_issue_gives_the_same_timeline_to_the_bit() -> None:
    assert (lay_out(any_issue(3)).end_s == lay_out(any_issue(3)).end_s).all()


def test_nothing_takes_no_time_and_nonsense_is_refused() -> None:
    none = np.zeros(0)
    assert lay_out(Issue(np.zeros(0, dtype=np.int64), none, none)).total_s == 0.0
    two = np.zeros(2, dtype=np.int64), np.ones(2), np.ones(2)
    with pytest.raises(ValueError, match="operator 0 cannot wait for operator 1"):
        lay_out(Issue(*two, waits=[(0, 1)]))
    with pytest.raises(ValueError, match="must not be negative"):
        lay_out(Issue(two[0], -two[1], two[2]))
