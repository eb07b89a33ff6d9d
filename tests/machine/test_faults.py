"""The catalogue of faults holds together, scenarios say what is wrong with them, and chance repeats itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jumar.abi import codes
from jumar.machine import faults
from jumar.machine.faults import catalogue, scenario, schedule


def test_there_are_many_kinds_and_each_effect_has_one() -> None:
    kinds = faults.kinds().values()
    assert len(kinds) >= 30
    assert {kind.effect for kind in kinds} == set(catalogue.EFFECTS)
    assert {kind.recovery for kind in kinds} == set(catalogue.RECOVERIES)
    assert all(kind.level for kind in kinds if kind.code)


@pytest.mark.parametrize("kind", faults.kinds().values(), ids=lambda kind: kind.name)
def test_what_a_kind_says_fits_together(kind: faults.Kind) -> None:
    lines = dict(
        line.split("=", 1) for line in faults.Injection(kind, 2, after_operators=7).lines().splitlines()
    )
    assert lines["chip"] == "2" and lines["after_operators"] == "7" and lines["effect"] == kind.effect
    if kind.error:
        assert int(lines["error"]) == codes.errors()[kind.error].code
    if kind.raises.startswith("error code is"):
        assert kind.raises == f"error code is {kind.error_code}"  # the adapter has no words of its own for it
    if kind.code and kind.level in ("SeparateNPU", "RestartNPU"):
        assert kind.health == "Critical"
    assert bool(kind.metric) <= bool(kind.code or kind.counter)  # what nobody reports, no metric shows


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"effect": "melt"}, "effect 'melt' is none of"),
        ({"colour": "red"}, "colour is no key"),
        ({"codes": ["12345678"]}, "12345678 is no fault code"),
        ({"error": "ACL_ERROR_NONE"}, "error 'ACL_ERROR_NONE' is none of"),
        ({"health": "Ill"}, "health 'Ill' is none of OK"),
        ({"raises": ""}, "`raises` goes with"),
    ],
)
def test_a_bad_kind_is_refused(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    good = {"words": "w", "effect": "fail", "health": "OK", "recovery": "process", "raises": "x"}
    good["error"] = "ACL_ERROR_RT_TS_ERROR"
    text = "\n".join(f"{key} = {value!r}" for key, value in {**good, **entry}.items())
    (tmp_path / "kinds.toml").write_text(f"[some]\n{text}\n")
    with pytest.raises(catalogue.BadKind, match=r"kinds\.toml: some") as caught:
        faults.kinds(tmp_path / "kinds.toml")
    assert said in str(caught.value)


def test_a_name_that_is_nearly_right_is_guessed() -> None:
    with pytest.raises(catalogue.UnknownKind, match="did you mean overheat"):
        faults.find("overheats")


SCENARIO = """
name = "an afternoon"
seed = 5
[[fault]]
kind = "overheat"
chip = 1
at = "40s"
lasting = "5 min"
amount = 30
[[fault]]
kind = "link_flap"
chip = 0
after = 100
lasting = 20
every = 50
count = 0
[[rate]]
kind = "hbm_ecc"
every = "2h"
most = 3
"""


def test_a_scenario_says_when_what_strikes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(SCENARIO)
    found = faults.drawn(faults.read(tmp_path / "a.toml"), 2)
    hot, flap, *ecc = found
    assert (hot.kind.name, hot.chip, hot.at_s, hot.lasting_s, hot.amount) == ("overheat", 1, 40.0, 300.0, 30)
    assert (flap.after_operators, flap.lasting_operators, flap.every_operators, flap.count) == (
        100,
        20,
        50,
        0,
    )
    assert [one.kind.name for one in ecc] == ["hbm_ecc"] * 3
    assert all(one.at_s is not None for one in ecc)
    assert found == faults.drawn(faults.read(tmp_path / "a.toml"), 2)
    with pytest.raises(scenario.BadScenario, match="chip 1: the server has chips 0 to 0"):
        faults.drawn(faults.read(tmp_path / "a.toml"), 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing happens"),
        ("[[fault]\n", "not valid TOML"),
        ("[fault]\nkind = 'lost'\n", "write each as [[fault]]"),
        ("[[fault]]\nchip = 0\n", "fault 1: kind is missing"),
        ("[[fault]]\nkind = 'lots'\nchip = 0\n", "fault 1: no fault 'lots'; did you mean lost"),
        ("[[fault]]\nkind = 'lost'\n", "fault 1: chip is missing"),
        ("[[fault]]\nkind = 'lost'\nchip = -1\n", "chip -1: give a whole number from 0"),
        ("[[fault]]\nkind = 'lost'\nchip = true\n", "chip True: give a whole number"),
        ("[[fault]]\nkind = 'lost'\nchip = 0\nat = '4 parsecs'\n", "'4 parsecs' is no duration"),
        ("[[fault]]\nkind = 'lost'\nchip = 0\nat = '4s'\nafter = 4\n", "exclude each other"),
        ("[[fault]]\nkind = 'lost'\nchip = 0\nwhen = 4\n", "when is no key; there are kind, chip"),
        ("[[fault]]\nkind = 'slow'\nchip = 0\namount = 'much'\n", "amount 'much': give a number above 0"),
        ("[[fault]]\nkind = 'lost'\nchip = 0\n[[rate]]\nkind = 'lost'\n", "rate 1: every is missing"),
        ("[[rate]]\nevery = '0s'\n", "give more than nothing"),
        ("[[rate]]\nevery = '1h'\nchips = 3\n", "write a list of numbers"),
        ("seed = 'x'\n[[rate]]\nevery = '1h'\n", "seed 'x': give a whole number"),
    ],
)
def test_a_bad_scenario_names_entry_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(scenario.BadScenario, match=r"bad\.toml") as caught:
        faults.read(tmp_path / "bad.toml")
    assert said in str(caught.value)


def test_chance_repeats_itself_and_keeps_the_published_shares() -> None:
    rate = scenario.Rate(3600.0, False, most=4000)
    drawn = faults.random_faults(rate, 8, 3)
    assert drawn == faults.random_faults(rate, 8, 3)
    assert drawn != faults.random_faults(rate, 8, 4)
    assert abs((drawn[-1].at_s or 0) / 4000 / 3600 - 1) < 0.05  # three standard deviations
    assert {one.chip for one in drawn} == set(range(8))
    counts = Counter(one.kind.name for one in drawn)
    for name, share in schedule.weights().items():
        assert abs(counts[name] / 4000 - share) < 4 * (share / 4000) ** 0.5, name
    assert abs(sum(schedule.weights().values()) - 1) < 1e-9
