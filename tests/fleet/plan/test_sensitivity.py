"""What a plan hangs on is what comes out when the number is written into the scenario, and no point of the frontier is
beaten by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jumar.fleet import scenario_file
from jumar.fleet.engine import Task
from jumar.fleet.plan import frontier, sensitivity
from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.evaluation import Samples
from jumar.fleet.plan.from_scenario import pose
from jumar.fleet.scenario import Scenario

SEED = 4
RANGES = (
    ('rate = { value = 300, unit', 'rate = { value = 300, low = 100, high = 900, unit'),
    ('"500 chips/month"', '{ value = 500, low = 40, high = 501, unit = "chip/month" }'),
)  # fmt: skip


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The small one, where demand and what `far` delivers have ranges."""
    text = (Path(__file__).parents[1] / "small.toml").read_text(encoding="utf-8")
    for old, new in RANGES:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("scenario") / "ranged.toml"
    path.write_text(text, encoding="utf-8")
    return scenario_file.load(path)


@pytest.fixture(scope="module")
def plan(scenario: Scenario) -> Plan:
    """200 of `far` in each of the first two months."""
    instance = pose(scenario, 2, SEED).instance
    lots = Plan.nothing(instance).lots
    lots[instance.chips.index("far"), :2] = 200
    return Plan(lots, np.full(len(instance.moves), -1))


@pytest.fixture(scope="module")
def found(scenario: Scenario, plan: Plan) -> dict[str, Any]:
    return sensitivity.tornado(scenario, plan, seed=SEED, engine="here")


def worth(scenario: Scenario, plan: Plan) -> float:
    posed = pose(scenario, sensitivity.SAMPLES, SEED)
    with Samples(posed.instance) as samples:
        return samples.of_plan(plan).value * posed.money


def test_each_end_is_what_the_scenario_with_that_value_gives(
    scenario: Scenario, plan: Plan, found: dict[str, Any]
) -> None:
    assert found["base_cost"] == pytest.approx(worth(scenario, plan))
    rows = {row["key"]: row for row in found["tornado"]}
    assert set(rows) == {key for key, number in scenario.numbers().items() if number.uncertain}
    rate = next(row for key, row in rows.items() if key.startswith("workloads.chat.rate"))
    for end, value in (("low", 100e3), ("high", 900e3)):
        given = scenario.with_values({rate["key"]: value})
        assert rate[f"{end}_cost"] == pytest.approx(worth(given, plan))
    assert rate["low_cost"] < found["base_cost"] < rate["high_cost"]
    assert (rate["low_text"], rate["high_text"]) == ("100 ktoken/s", "900 ktoken/s")


def test_the_widest_swing_comes_first(found: dict[str, Any]) -> None:
    swings = [abs(row["high_cost"] - row["low_cost"]) for row in found["tornado"]]
    assert swings == sorted(swings, reverse=True) and swings[0] > 0


def test_a_number_that_would_change_the_order_is_marked(found: dict[str, Any]) -> None:
    """A third of the demand of `chat` needs hardly any chip; `train` has what it needs already."""
    marked = {row["key"].split(".")[1]: row["other_decision"] for row in found["tornado"]}
    assert marked["chat"] is True and marked["train"] is False


def test_workers_find_the_same(scenario: Scenario, plan: Plan, found: dict[str, Any], tmp_path: Path) -> None:
    again = sensitivity.tornado(scenario, plan, seed=SEED, engine="processes", workers=2, directory=tmp_path)
    assert again == found
    assert {path.name for path in tmp_path.iterdir()} == {"swings", "decisions"}


def test_a_plan_is_carried_as_far_as_it_can_be(scenario: Scenario, plan: Plan) -> None:
    key = next(key for key in scenario.numbers() if key.startswith("chips.far.supply.most"))
    old, new = pose(scenario, 1, SEED), pose(scenario.with_values({key: 40.0}), 1, SEED)
    far = new.instance.chips.index("far")
    assert sensitivity.carried(plan, old, new).lots[far, :3].tolist() == [40, 40, 0]
    assert (sensitivity.carried(plan, old, old).lots == plan.lots).all()


def test_a_promise_that_cannot_be_kept_is_told_and_has_no_cost(scenario: Scenario, plan: Plan) -> None:
    number = scenario.numbers()[
        next(key for key in scenario.numbers() if key.startswith("chips.far.supply.most"))
    ]
    row = sensitivity._row(number, "supply", [float("inf"), 5.0], 3.0)
    assert row["low_cost"] == 3.0 and row["low_text"].endswith("cannot be kept") and row["high_cost"] == 5.0


@pytest.fixture(scope="module")
def points(scenario: Scenario, plan: Plan) -> list[dict[str, Any]]:
    posed = pose(scenario, 24, SEED)
    rows: list[dict[str, Any]] = frontier.frontier(posed, plan, engine="here")["frontier"]
    return rows


def test_no_point_of_the_frontier_beats_another(points: list[dict[str, Any]]) -> None:
    assert [one["chosen"] for one in points] == [True] + [False] * (len(points) - 1)
    assert len(points) > 2
    for one in points[1:]:
        for other in points[1:]:
            better = [one[key] < other[key] - 1e-9 for key in ("cost", "delay", "dependence")]
            assert one is other or not all(better)


def test_urgency_buys_time_and_limits_spread_the_money(scenario: Scenario, plan: Plan) -> None:
    posed = pose(scenario, 8, SEED)
    question = frontier.Question(posed.instance, posed.money, plan)

    def at(limit: float, urgency: float) -> dict[str, Any]:
        return frontier.point(question, Task(0, 0, 0, {"limit": limit, "urgency": urgency}))

    patient, urgent = at(1.0, 0.3), at(1.0, 4.0)
    assert urgent["cost"] > patient["cost"] and urgent["delay"] < patient["delay"]
    assert urgent["dependence"] > 0.9
    assert at(0.6, 4.0)["dependence"] <= 0.6 + 1e-6


def test_the_plan_itself_is_measured_as_it_is(scenario: Scenario, plan: Plan) -> None:
    posed = pose(scenario, 8, SEED)
    question = frontier.Question(posed.instance, posed.money, plan)
    own = frontier.point(question, Task(0, 0, 0, {"limit": 1.0, "urgency": 0.0}))
    with Samples(posed.instance) as samples:
        outcome = samples.of_plan(plan)
    assert own["cost"] == pytest.approx(
        float((outcome.decided + outcome.running).mean()) * posed.money, rel=1e-6
    )
    assert own["dependence"] == 1.0 and 0 < own["delay"] < 100


def test_a_number_is_called_by_the_titles_of_what_it_belongs_to(scenario: Scenario) -> None:
    chip, one = next(iter(scenario.chips.items()))
    assert scenario.called(f"chips.{chip}.supply.ramp") == f"{one.title}, supply, ramp"
    assert scenario.called("money.person_day") == "money, person day"
