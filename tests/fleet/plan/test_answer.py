"""`jumar plan` from the file to the words: the decision, what it is compared with, and refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jumar.cli.main import main
from jumar.fleet import scenario_file
from jumar.fleet.plan import answer, baselines
from jumar.fleet.plan.answer import Asked
from jumar.fleet.plan.from_scenario import RENTED, Posed, pose
from jumar.fleet.plan.planning import Effort
from jumar.report import plan_lines

SMALL = Path(__file__).parents[1] / "small.toml"
COMPANY = Path(__file__).parents[3] / "examples" / "fleet" / "company.toml"
QUICK = ["--samples", "16", "--seconds", "20", "--workers", "1", "--no-sensitivity"]


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    scenario = scenario_file.load(SMALL)
    return answer.answer(scenario, Asked(samples=24, effort=Effort(0.01, 20), sensitivity=False))


def test_no_simpler_plan_is_better_on_futures_that_none_has_seen(found: dict[str, Any]) -> None:
    plan, *others = found["compared"]
    assert {one["name"] for one in others} == {"cheapest", "domestic", "wait", "mean"}
    for one in others:
        assert plan["weighed"] <= one["weighed"] * 1.001, one["name"]
    assert plan["weighed"] < min(one["weighed"] for one in others if one["name"] in ("domestic", "wait"))


def test_the_decision_comes_first_and_names_what_is_ordered(found: dict[str, Any]) -> None:
    said = plan_lines.text(found).splitlines()[0]
    now = [one for one in found["orders"] if one["month"] in found["months"][:3]]
    assert now
    for one in now:
        assert found["chips"][one["chip"]] in said
    totals: dict[str, int] = {}
    for one in now:
        totals[one["chip"]] = totals.get(one["chip"], 0) + one["chips"]
    assert all(f"{count:,}" in said for count in totals.values())


def test_knowing_the_future_is_worth_something_and_more_than_later(found: dict[str, Any]) -> None:
    worth = {one["name"]: one["value"] for one in found["values"]}
    assert worth["knowing the future"] >= -1.0
    assert worth["waiting 6 months and then knowing all"] <= worth["knowing the future"] + 1.0
    assert worth["not waiting 6 months"] > 0


def test_the_same_question_has_the_same_answer(found: dict[str, Any]) -> None:
    scenario = scenario_file.load(SMALL)
    again = answer.answer(scenario, Asked(samples=24, effort=Effort(0.01, 20), sensitivity=False))
    assert again["orders"] == found["orders"] and again["compared"] == found["compared"]


@pytest.fixture(scope="module")
def posed() -> Posed:
    from jumar.cli import scenario_loading

    return pose(scenario_loading.load(COMPANY), samples=3, seed=0)


def test_the_instance_has_the_scenarios_numbers(posed: Posed) -> None:
    instance, scenario = posed.instance, posed.scenario
    h20 = instance.chips.index("h20")
    chip = scenario.chips["h20"]
    assert instance.stock[:, instance.chips.index("a100"), 0] == pytest.approx(
        scenario.chips["a100"].stock.value / 1e3, rel=0.05
    )
    assert chip.supply is not None
    most = chip.supply.most.over(scenario.months) / chip.supply.lot.value
    assert (instance.order_most[h20] <= most).all() and instance.order_most[h20].max() == int(most.max())
    assert instance.power[h20, 0] * 1e3 == pytest.approx(
        chip.whole_power * scenario.sites["north"].overhead.value
    )
    rented = instance.chips.index("rented h800")
    assert instance.speed[rented, instance.places.index(RENTED)].min() == 1.0
    assert not instance.speed[rented, : len(scenario.sites)].any()
    assert instance.supplier[rented] == -1


def test_work_is_a_share_of_what_is_asked_for(posed: Posed) -> None:
    instance = posed.instance
    assert np.all(instance.demand[:, instance.job].sum(2) > 0.2)
    assert np.all(instance.demand[:, instance.job].sum(2) < 5)
    assert np.all(instance.demand.max(2) < 5)


def test_moved_work_is_slower_at_first(posed: Posed) -> None:
    instance = posed.instance
    assert (instance.activity_move >= 0).any()
    for m, (name, platform) in enumerate(posed.moves):
        mine = np.flatnonzero(instance.activity_move == m)
        for c in np.unique(instance.activity_chip[mine]):
            stages = sorted(mine[instance.activity_chip[mine] == c], key=lambda a: instance.activity_wait[a])
            rates = [float(instance.activity_rate[a]) for a in stages]
            assert rates == sorted(rates), (name, platform)
            assert instance.activity_wait[stages[0]] == instance.move_months[m]


def test_the_cheapest_is_by_work_and_not_by_chip(posed: Posed) -> None:
    instance = posed.instance
    chosen = baselines.cheapest_chip(instance)
    assert instance.order_most[chosen].any()


def test_a_plan_is_written_as_page_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(SMALL), *QUICK, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Three chips, two workloads: Order")
    assert said.splitlines()[-1] == f"the page is {tmp_path / 'report.html'}"
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["decision"][0] in said
    assert "Order" in (tmp_path / "report.html").read_text()


def test_what_cannot_be_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(SMALL), *QUICK, "--must", "all"]) == 1
    said = capsys.readouterr().out
    assert "no plan is possible" in said
    assert re.search(r"may not be missed, but [\d.]+ % of it is, from 20\d\d-\d\d", said)
    assert "without the limit on" in said or "no limit alone" in said


@pytest.mark.parametrize(
    "given, why",
    [
        (["--must", "nobody"], "--must nobody: no such workload"),
        (["nowhere.toml"], "nowhere.toml"),
        (["--resume"], "--resume: of what?"),
    ],
)
def test_mistakes_are_refused_in_one_line(
    given: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = given if given[0].endswith(".toml") else [str(SMALL), *given]
    assert main(["plan", *words]) == 2
    said = capsys.readouterr().err.strip()
    assert why in said and "\n" not in said
