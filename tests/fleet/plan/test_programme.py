"""The programme as people can read it, plans that cannot be, and what is said about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_plans

from jumar.fleet.plan import clash, constraints, solving
from jumar.fleet.plan.decision import Plan, broken, without_idle_moves
from jumar.fleet.plan.instance import BadInstance, Instance
from jumar.fleet.plan.solving import build

GOLDEN = Path(__file__).with_name("programme.lp")


def test_the_programme_is_the_one_that_was_read(tmp_path: Path) -> None:
    """To renew it after a change that is meant: write `build(…, named=True).model.write(…)` there, and read it."""
    written = tmp_path / "programme.lp"
    small_programme().write(str(written))
    assert written.read_text().splitlines() == GOLDEN.read_text().splitlines()


def small_programme() -> object:
    instance = small_plans.random_instance(3, months=2, samples=1, risk=0.4, share_most=0.7)
    limits = {"budget": np.full(2, 8.0), "engineers": np.full(2, 2.0), "setup_cost": np.array([0.0, 1.5])}
    instance = small_plans.replace_in(instance, **limits)
    return build(instance, named=True).model


def test_every_constraint_is_told_in_words_and_as_a_formula() -> None:
    for constraint in (*constraints.OF_DECISIONS, *constraints.OF_SAMPLES):
        words, formula, *_ = (constraint.__doc__ or "").split("\n\n")
        assert words.rstrip().endswith("."), constraint.__name__
        assert any(sign in formula for sign in "≤≥="), constraint.__name__


def test_every_constraint_leaves_rows() -> None:
    lines = GOLDEN.read_text()
    for constraint in (*constraints.OF_DECISIONS, *constraints.OF_SAMPLES):
        assert f"{constraint.__name__}(" in lines, constraint.__name__


def demanding() -> Instance:
    """A job that must be done, far more than all chips can do with the power there is."""
    instance = small_plans.random_instance(5)
    demand = instance.demand.copy()
    demand[:, 0, 0] = 6.0
    return small_plans.replace_in(
        instance,
        must=np.array([True, False]),
        demand=demand,
        stock=np.full_like(instance.stock, 3.0),
        power=np.ones_like(instance.power),
        power_most=np.full_like(instance.power_most, 1.0),
        racks_most=np.full_like(instance.racks_most, np.inf),
        liquid_most=np.full_like(instance.liquid_most, np.inf),
    )


def test_what_cannot_be_met_is_named_with_the_limit_in_the_way() -> None:
    instance = demanding()
    with pytest.raises(solving.Impossible):
        solving.solve(build(instance))
    found = clash.explain(instance)
    assert [one.workload for one in found.short] == ["job"]
    assert found.remains["the power of the sites"] < 1e-4
    assert found.remains["the racks"] == pytest.approx(found.total)
    said = clash.sentences(found, lambda month: f"month {month}", str.title)
    assert said[0].startswith("Job may not be missed") and "month 1" in said[0]
    assert "without the limit on the power of the sites alone all would be met" in said


def test_nothing_clashes_where_all_can_be_met() -> None:
    instance = small_plans.replace_in(demanding(), power_most=np.full((1, 3), np.inf))
    assert not clash.explain(instance).short
    assert solving.solve(build(instance)).value < np.inf


def test_a_plan_that_breaks_a_limit_is_told() -> None:
    instance = small_plans.random_instance(2, share_most=0.5, budget=np.zeros(3))
    plan = Plan.nothing(instance)
    plan.lots[0, 0] = 1
    assert broken(instance, plan) == ["orders_within_budget", "not_too_much_from_one"]


def test_moves_to_where_no_chip_is_are_dropped() -> None:
    instance = small_plans.random_instance(2)
    stock = instance.stock.copy()
    stock[:, 1] = 0
    instance = small_plans.replace_in(instance, stock=stock)
    plan = Plan(np.zeros_like(instance.order_most), np.array([0]))
    assert without_idle_moves(instance, plan).begins.tolist() == [-1]
    stock[:, 1] = 1
    assert without_idle_moves(small_plans.replace_in(instance, stock=stock), plan).begins.tolist() == [0]


def test_an_array_that_does_not_fit_is_named() -> None:
    with pytest.raises(BadInstance, match="budget"):
        small_plans.random_instance(0, budget=np.ones(7))
    with pytest.raises(BadInstance, match="activity_chip"):
        small_plans.random_instance(0, activity_chip=np.full(4, 9), activity_rate=np.ones(4))
