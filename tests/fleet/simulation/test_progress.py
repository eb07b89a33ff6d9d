"""Progress of one job: many cycles at once are what single small steps add up to."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from jumar.fleet.simulation.cluster import Checkpoints
from jumar.fleet.simulation.progress import Progress

RULES = {
    "blocking": Checkpoints(every_h=1.0, blocks_h=0.1),
    "asynchronous": Checkpoints(every_h=1.0, blocks_h=0.02, writes_h=0.3, drag=0.2),
    "free": Checkpoints(every_h=0.5, blocks_h=0.0),
    "written for almost all of the time": Checkpoints(every_h=1.0, blocks_h=0.0, writes_h=0.999, drag=0.05),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("speed", [1.0, 0.37])
def test_one_leap_is_many_small_steps(name: str, speed: float) -> None:
    leap, steps = Progress(RULES[name]), Progress(RULES[name])
    cost = leap.advance(12.3456, speed)
    small = sum(steps.advance(12.3456 / 997, speed) for _ in range(997))
    assert leap.work == pytest.approx(steps.work, abs=1e-9)
    assert leap.saved == pytest.approx(steps.saved, abs=1e-9)
    assert leap.phase == pytest.approx(steps.phase, abs=1e-9)
    assert cost == pytest.approx(small, abs=1e-9)
    assert leap.work == pytest.approx((12.3456 - cost) * speed, abs=1e-9)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("goal", [0.2, 1.0, 7.77])
def test_the_foreseen_end_is_when_the_work_is_done(name: str, goal: float) -> None:
    job = Progress(RULES[name])
    job.advance(0.4, 0.9)
    job.advance(job.hours_to(goal + job.work, 0.8), 0.8)
    begun = Progress(RULES[name])
    begun.advance(0.4, 0.9)
    assert job.work == pytest.approx(goal + begun.work, abs=1e-9)


def test_what_is_not_yet_written_is_lost() -> None:
    job = Progress(RULES["asynchronous"])
    job.advance(0.7 + 0.02 + 0.29, 1.0)  # the first cycle begins past the write; the next write is under way
    assert job.saved == 0.0 and job.fall_back() == pytest.approx(0.7 + 0.29 * 0.8)
    job = Progress(RULES["asynchronous"])
    job.advance(0.7 + 0.02 + 0.31, 1.0)
    assert job.saved == pytest.approx(0.7) and job.fall_back() == pytest.approx(0.3 * 0.8 + 0.01)


def test_a_found_error_takes_the_job_back_to_before_it() -> None:
    job = Progress(RULES["blocking"])
    job.advance(3.4, 1.0)
    clean = job.saved
    job.corrupt()
    job.advance(5.0, 1.0)
    assert job.saved > clean + 1
    spoilt = job.saved
    job.fall_back()  # for another reason: nobody knows yet
    assert job.work == spoilt
    assert job.back_to_clean() == pytest.approx(spoilt - clean)
    assert job.work == job.saved == clean and job.back_to_clean() == 0.0


def test_an_error_since_the_last_checkpoint_is_gone_with_what_is_lost() -> None:
    job = Progress(RULES["blocking"])
    job.advance(3.4, 1.0)
    job.corrupt()
    job.advance(0.1, 1.0)
    job.fall_back()
    job.advance(5.0, 1.0)
    assert job.back_to_clean() == 0.0


def test_without_checkpoints_all_is_lost() -> None:
    job = Progress(replace(RULES["blocking"], every_h=math.inf))
    assert job.advance(40.0, 0.5) == 0.0
    assert job.fall_back() == pytest.approx(20.0) and job.work == 0.0
