"""`jumar plan --check`: what a scenario asks and rests on; the example that ships; throughput from priced runs."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from jumar import chips
from jumar.cli import scenario_check, scenario_loading
from jumar.cli.refusal import Refusal
from jumar.fleet import evidence
from jumar.fleet.number import ASSUMED
from jumar.fleet.scenario import INFERENCE, RECOMMENDATION, TRAINING, Scenario
from jumar.runs import comparing, directory
from jumar.runs.priced import Options

Changed = Callable[..., Scenario]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "fleet" / "company.toml"
SYNTHETIC = ROOT / "tests" / "runs" / "synthetic.py"


@pytest.fixture(scope="module")
def company() -> Scenario:
    return scenario_loading.load(EXAMPLE)


def test_the_check_tells_demand_chips_and_what_numbers_rest_on(
    capsys: pytest.CaptureFixture[str], small: Path
) -> None:
    assert scenario_check.check(small) == 0
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith(("  train", "  chat"))] == [
        ["train", "2", "Ttoken", "by", "2026-03", "42", "–", "35"],
        ["chat", "317.8", "ktoken/s", "to", "566.3", "ktoken/s", "too", "slow", "472", "809"],
    ]
    assert "400 in stock" in said and "9,000 (9,000 to 9,000) of 12,000 at 15,000 USD/chip" in said
    disputed = said[said.index("where sources disagree") : said.index("not in the file, taken so")]
    assert "25 %" in disputed and "A paper" in disputed
    assert "20 %" in disputed and "Another paper" in disputed and "[for one model]" in disputed
    assert "18 °C to 50 °C over the year" in said and "inlet.2" not in said


def test_the_check_as_json_has_every_number(
    capsys: pytest.CaptureFixture[str], small: Path, changed: Changed
) -> None:
    assert scenario_check.check(small, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    keys = [one["key"] for part in told["confidences"] for one in part["numbers"]]
    expected = [key for key in changed().numbers() if ".inlet." not in key] + ["sites.hall.inlet"]
    assert told["busy_at_peak"]["train"] == pytest.approx({"near": 41.915, "old": 35.209}, abs=0.001)
    assert told["outlook"]["far"] == {"ordered": 6000, "low": 5000, "middle": 5000, "high": 5000}
    assert sorted(keys) == sorted(expected) and told["count"] == len(keys)


def test_a_mistake_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\n', encoding="utf-8")
    with pytest.raises(Refusal, match=r"bad\.toml: start: missing"):
        scenario_check.check(path)


# ── the example ──


def test_every_number_of_the_example_has_a_source_or_is_assumed(company: Scenario) -> None:
    assert all(rule.source for rule in company.rules)
    for key, number in company.numbers().items():
        assert (number.confidence == ASSUMED) or number.source, key
        for other in number.others:
            assert (other.source and other.source != number.source) or other.note, key


def test_the_example_keeps_sources_that_disagree(company: Scenario) -> None:
    facts = evidence.account(company)
    disputed = {
        one["key"]: [one["value"], *(other["value"] for other in one["others"])] for one in facts["disputed"]
    }
    assert disputed["chips.ascend_910c.supply.good.now"] == [0.4, 0.2]
    assert len(disputed["chips.ascend_910c.supply.most.2025-07"]) == 4
    assert all(len(set(values)) > 1 for values in disputed.values())


def test_the_example_tells_the_whole_story(company: Scenario) -> None:
    bought = {name for name, chip in company.chips.items() if chip.supply is not None}
    assert bought == {"ascend_910b", "ascend_910c", "h20", "h200", "own"}
    assert {name for name, chip in company.chips.items() if chip.stock.value} == {"a100", "h800"}
    own = company.chips["own"].supply
    assert own is not None and str(company.month(own.first)) == "2026-04"
    profile = company.chips["own"].profile
    assert profile is not None and company.chips["own"].power.value == profile.number("power.typical", "W")
    assert {work.kind for work in company.workloads.values()} == {TRAINING, INFERENCE, RECOMMENDATION}
    assert {rule.effect for rule in company.rules} == {"stop", "surcharge"}
    assert company.workloads["video"].migrations["cann"].effort.source == "jumar scan, training_scan.json"


def test_every_source_of_the_example_is_used() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in scenario_loading.load(EXAMPLE).sources:
        assert f'source = "{name}"' in text, name


# ── throughput from runs ──


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenario")
    directory.write(folder / "gpt", _synthetic().gpt2(layers=2, processes=2))
    return folder


def _synthetic() -> ModuleType:
    found = importlib.util.spec_from_file_location("synthetic_for_scenarios", SYNTHETIC)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def priced(runs: Path, small: Path, entry: str) -> Scenario:
    old = 'throughput = { near = "2016 token/s/chip"'
    text = small.read_text(encoding="utf-8")
    assert old in text
    path = runs / "scenario.toml"
    path.write_text(text.replace(old, f"throughput = {{ near = {entry}"), encoding="utf-8")
    return scenario_loading.load(path)


def test_a_run_is_priced_on_the_chip_at_whose_name_it_stands(runs: Path, small: Path) -> None:
    rate = priced(runs, small, '{ run = "gpt" }').workloads["train"].throughput["near"]
    run, chip = directory.read(runs / "gpt"), chips.find("Ascend910B2")
    row = comparing.side_by_side(run, [chip], Options(), None)["rows"][0]
    assert row["chips"] == 2 and rate.value == pytest.approx(row["items_per_second"] / 2)
    assert rate.low < rate.value < rate.high and rate.unit == "token/s/chip"
    assert rate.source == "run gpt, priced by jumar" and rate.confidence == "derived"


def test_less_is_left_on_more_chips(runs: Path, small: Path) -> None:
    whole = priced(runs, small, '{ run = "gpt" }').workloads["train"].throughput["near"]
    part = priced(runs, small, '{ run = "gpt", times = 0.8, note = "on a thousand" }')
    other = priced(runs, small, '{ run = "gpt", chip = "h20" }').workloads["train"].throughput["near"]
    rate = part.workloads["train"].throughput["near"]
    assert rate.value == pytest.approx(0.8 * whole.value) and rate.high == pytest.approx(0.8 * whole.high)
    assert rate.note.endswith("; on a thousand") and other.value != whole.value


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('{ run = "none" }', "workloads.train.throughput.near: none: no such run"),
        ("{ run = 5 }", "write the names of run and chip in quotes"),
        ('{ run = "gpt", times = 0 }', "times 0; write a number above 0"),
        ('{ run = "gpt", scale = 1 }', "does not know scale beside run; there are run, chip, times, note"),
        ('{ run = "gpt", chip = "h21" }', "unknown chip 'h21'"),
    ],
)
def test_a_run_that_tells_nothing_is_refused(
    runs: Path, small: Path, entry: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    with pytest.raises(Refusal) as refused:
        priced(runs, small, entry)
    assert complaint in str(refused.value)


def test_a_chip_without_a_profile_has_no_price_of_a_run(runs: Path, small: Path) -> None:
    text = small.read_text(encoding="utf-8")
    text = text.replace('profile = "A100-SXM-80GB"', 'power = "400 W/chip"')
    text = text.replace('old = "2400 token/s/chip"', 'old = { run = "gpt" }')
    path = runs / "plain.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match="the chip has no profile to price a run on"):
        scenario_loading.load(path)
