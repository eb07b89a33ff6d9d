"""What a plan is said to come to fits together: nobody works on chips that are not there, and work is what chips did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jumar.fleet import demand, scenario_file
from jumar.fleet.plan import facts
from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.from_scenario import Posed, pose


@pytest.fixture(scope="module")
def posed() -> Posed:
    return pose(scenario_file.load(Path(__file__).parents[1] / "small.toml"), samples=12, seed=3)


@pytest.fixture(scope="module")
def plan(posed: Posed) -> Plan:
    """Orders `near` in the first month and `far` in the second, and moves everything at once."""
    lots = Plan.nothing(posed.instance).lots
    chips = posed.instance.chips
    lots[chips.index("near"), 0] = 25
    lots[chips.index("far"), 1] = 300
    return Plan(lots, np.zeros(len(posed.instance.moves), dtype=np.int64))


@pytest.fixture(scope="module")
def told(posed: Posed, plan: Plan) -> dict[str, Any]:
    return facts.facts(posed, plan)


def test_orders_are_in_chips_and_dollars(told: dict[str, Any]) -> None:
    near, far = told["orders"]
    assert (near["month"], near["chip"], near["chips"]) == ("2025-07", "near", 200)
    assert (far["month"], far["chip"], far["chips"]) == ("2025-08", "far", 300)
    assert 0 < near["cost"] < 200 * 15_000  # 120,000 yuan at 8 a dollar, less what they are worth in the end


def test_chips_in_service_are_between_nothing_and_all_that_were_ordered(told: dict[str, Any]) -> None:
    fans = {fan["chip"]: fan for fan in told["supply"]}
    assert set(fans) == {"near", "far", "old"}
    for chip, most in (("near", 200), ("far", 300), ("old", 400)):
        fan = fans[chip]
        for low, high in (("low", "quarter"), ("quarter", "middle"), ("middle", "three_quarters")):
            assert all(a <= b for a, b in zip(fan[low], fan[high], strict=True))
        assert len(fan["high"]) == len(told["months"]) and 0 < max(fan["high"]) <= most
    assert fans["near"]["promised"][:5] == [0, 0, 0, 200, 200]
    assert fans["old"]["promised"] == [400] * len(told["months"])
    assert fans["near"]["high"][:3] == [0, 0, 0]  # three months from order to delivery
    assert fans["old"]["middle"][0] > 390


def test_nobody_works_on_chips_that_are_not_there(told: dict[str, Any]) -> None:
    busy: dict[str, Any] = {}
    for row in told["assignments"]:
        busy[row["chip"]] = busy.get(row["chip"], 0) + np.array(row["chips"])
    fans = {fan["chip"]: np.array(fan["high"]) for fan in told["supply"]}
    assert {"far", "old"} <= set(busy) <= set(fans)
    for chip, chips in busy.items():
        assert (chips <= fans[chip] + 0.2).all()


def test_what_is_served_is_what_chips_at_work_can_do(posed: Posed, told: dict[str, Any]) -> None:
    work = posed.scenario.workloads["chat"]
    done = np.zeros(posed.scenario.months)
    for row in told["assignments"]:
        if row["workload"] == "chat":
            done += np.array(row["chips"]) * demand.done_in_a_month(work, row["chip"])
    asked = demand.needed(posed.scenario, work)
    served = next(row for row in told["served"] if row["workload"] == "chat")
    share = np.array([one if one is not None else np.nan for one in served["share"]])
    known = ~np.isnan(share)
    assert known.any() and (done[known] >= share[known] * asked[known] * 0.97).all()
    assert 0 <= served["in_time"] <= 1


def test_without_any_order_only_the_stock_works(posed: Posed) -> None:
    told = facts.facts(posed, Plan.nothing(posed.instance))
    assert told["orders"] == told["moves"] == []
    assert [fan["chip"] for fan in told["supply"]] == ["old"]
    assert {row["chip"] for row in told["assignments"]} == {"old"}
