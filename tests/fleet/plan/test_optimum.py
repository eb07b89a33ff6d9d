"""The planner's optimum against trying every plan; its bound and its parts against the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small_plans

from jumar.fleet.plan import planning, solving
from jumar.fleet.plan.bad_cases import Courses, worst
from jumar.fleet.plan.decision import Slope
from jumar.fleet.plan.evaluation import Samples
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.planning import Effort
from jumar.fleet.plan.recourse import Course


@pytest.mark.parametrize("hundred", range(8))
def test_the_optimum_is_that_of_trying_every_plan(hundred: int) -> None:
    for seed in range(hundred * 25, hundred * 25 + 25):
        instance = small_plans.random_instance(seed)
        least = min(small_plans.cost_of(instance, plan) for plan in small_plans.every_plan(instance))
        solved = solving.solve(solving.build(instance), solving.Limits(gap=0.0))
        assert solved.value == pytest.approx(least, abs=1e-6), seed
        assert small_plans.cost_of(instance, solved.plan) == pytest.approx(least, abs=1e-6), seed


@pytest.mark.parametrize("seed", range(6))
def test_the_search_bounds_the_optimum_and_comes_near_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = small_plans.random_instance(seed, samples=12)
    exact = solving.solve(solving.build(instance), solving.Limits(gap=0.0)).value
    monkeypatch.setattr(planning, "SMALL", 0)
    found = planning.best(instance, Effort(gap=0.01, seconds=20))
    assert found.bound <= exact + 1e-6
    assert exact - 1e-6 <= found.value
    assert found.gap <= 0.01


@pytest.mark.parametrize("seed", range(10))
def test_means_of_groups_never_cost_more(seed: int) -> None:
    instance = small_plans.random_instance(seed, samples=8)
    exact = solving.solve(solving.build(instance), solving.Limits(gap=0.0)).value
    for number in (1, 3):
        fewer = instance.group(groups(instance, number))
        assert solving.solve(solving.build(fewer), solving.Limits(gap=0.0)).value <= exact + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_slopes_touch_at_their_plan_and_are_below_at_others(seed: int) -> None:
    instance = small_plans.random_instance(seed, samples=6)
    plans = list(small_plans.every_plan(instance))[::7]
    with Samples(instance) as samples:
        outcomes = [samples.of_plan(plan) for plan in plans]
    for here, at in zip(outcomes, plans, strict=True):
        for there, plan in zip(outcomes, plans, strict=True):
            follows = there.value - instance.weight @ there.decided
            (slope,) = here.slopes
            below = slope.at + (slope.by_lot * plan.lots).sum() + (slope.by_bad + instance.risk) * there.bad
            below += (slope.by_move * plan.begun(instance)).sum()
            assert below <= follows + 1e-6
            if plan is at:
                assert below == pytest.approx(follows, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_slopes_of_parts_are_below_whatever_counts_as_bad(seed: int) -> None:
    instance = small_plans.random_instance(seed, samples=6, risk=0.4)
    plans = list(small_plans.every_plan(instance))[::7]
    parts = [np.array([0, 3, 4]), np.array([1, 2, 5])]
    with Samples(instance, parts=parts) as samples:
        outcomes = [samples.of_plan(plan) for plan in plans]
    assert any(slope.by_bad for outcome in outcomes for slope in outcome.slopes)
    for here in outcomes:
        for there, plan in zip(outcomes, plans, strict=True):
            for bad in (0.0, float(np.median(there.missed)), float(there.missed.max())):
                excess = np.maximum(0, there.missed - bad) / (1 - instance.level)
                follows = instance.weight * (there.running + 0.6 * there.missed + 0.4 * excess)
                for part, slope in zip(parts, here.slopes, strict=True):
                    below = slope.at + (slope.by_lot * plan.lots).sum() + slope.by_bad * bad
                    below += (slope.by_move * plan.begun(instance)).sum()
                    assert below <= follows[part].sum() + 1e-6


def test_worst_is_the_mean_of_the_tail() -> None:
    values, even = np.array([1.0, 5.0, 2.0, 9.0]), np.full(4, 0.25)
    assert worst(values, even, 0.5) == pytest.approx(7.0)
    assert worst(values, even, 0.6) == pytest.approx((9 * 0.25 + 5 * 0.15) / 0.4)
    assert worst(values, np.array([0.7, 0.1, 0.1, 0.1]), 0.0) == pytest.approx(0.7 + 0.5 + 0.2 + 0.9)


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_is_worth_what_the_whole_programme_says(seed: int) -> None:
    instance = small_plans.random_instance(seed, samples=12, risk=0.5)
    with Samples(instance) as samples:
        for plan in list(small_plans.every_plan(instance))[::9]:
            assert samples.of_plan(plan).value == pytest.approx(small_plans.cost_of(instance, plan), rel=1e-6)


def test_a_case_does_a_part_of_both_courses_where_that_costs_least() -> None:
    instance = replace(small_plans.random_instance(1, samples=4, risk=0.4), level=0.5)
    nothing = Slope(0.0, np.zeros(0), np.zeros(0))
    known = Courses(instance)
    good, bad = known.good, known.bad
    known.add(((s, good), Course(0.0, missed, nothing)) for s, missed in enumerate((1.0, 5.0, 9.0, 8.0)))
    known.add([((2, bad), Course(0.0, 9.0, nothing)), ((3, bad), Course(6.0, 2.0, nothing))])
    assert known.limit() == 5.0
    doing = known.doing(5.0)
    assert (doing.missed[3], doing.running[3]) == pytest.approx((5.0, 3.0))
    assert list(known.unsettled(5.0)) == [
        (3, 1.0)
    ]  # 6 of running for 6 of missing: whether a third course is better
    assert known.used(5.0) == [[good], [good], [good], [good, bad]]
