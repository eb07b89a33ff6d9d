"""Heat of stored runs: energy of their events, what an hour comes to, and what is the same however it is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import synthetic

from jumar import chips
from jumar.physics import course
from jumar.physics.heat_constants import COOLINGS
from jumar.runs import heating, pricing
from jumar.runs.account import heat as heat_account
from jumar.runs.account import heat_of
from jumar.runs.heating import Surroundings
from jumar.runs.priced import Priced


@pytest.fixture(scope="module")
def run() -> Any:
    return synthetic.gpt2(steps=3, layers=4, processes=8)


@pytest.fixture(scope="module")
def priced(run: Any) -> Priced:
    return pricing.price_run(run, chips.find("910B2"))


@pytest.fixture(scope="module")
def drawn(run: Any, priced: Priced) -> heating.Draw:
    return heating.draw(run, priced)


def test_what_takes_time_takes_energy(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    lasting = priced.duration_s > 0
    assert lasting.any() and not lasting.all()
    assert (drawn.die_j[lasting] > 0).all()
    assert (drawn.die_j[~lasting] == 0).all() and (drawn.stack_j[~lasting] == 0).all()
    assert ((drawn.bound >= 0) & (drawn.bound <= 1)).all() and drawn.bound.max() > 0.9


def test_a_busy_chip_draws_between_idle_and_limit(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    load = heating.load_of(run, priced, drawn)
    assert load.chips == 8
    watts = load.die_w + load.stack_w + priced.chip.number("power.idle", "W")
    assert (watts > 150).all() and (watts < priced.chip.number("power.limit", "W")).all()
    assert ((load.bound > 0) & (load.bound < 1)).all()


def test_energy_of_a_step_is_the_power_at_full_clock(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    load, idle_w = heating.load_of(run, priced, drawn), priced.chip.number("power.idle", "W")
    watts = float((load.die_w + load.stack_w + idle_w).sum())
    assert priced.chips == 8
    assert priced.energy_j == pytest.approx(watts * priced.step_s, rel=1e-9)


def test_fans_that_fail_have_run_until_then(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    """The recorded run is short: it ends hardly warmer than it began."""
    kept = heat_account.recorded(run, priced, drawn, Surroundings("failed", 40.0))
    assert 40.0 < kept["die_c"][0] < kept["die_c"][-1] < 75.0
    assert kept["energy_j"] > priced.energy_j


def test_the_curve_of_the_run_holds_all_its_energy(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    time_s, die_w, stack_w = heating.power_over(run, priced, drawn)
    assert time_s[-1] == pytest.approx(priced.end_s.max())
    spent = float((die_w.sum() + stack_w.sum()) * time_s[0])
    assert spent == pytest.approx(float(drawn.die_j.sum() + drawn.stack_j.sum()), rel=1e-9)


def test_imagined_ranks_do_what_the_recorded_one_does() -> None:
    run = synthetic.gpt2(steps=3, layers=2)
    alone = pricing.price_run(run, chips.find("910B2"))
    few = heating.load_of(run, alone, heating.draw(run, alone))
    run.facts["ranks"] = 32
    many = heating.load_of(run, alone, heating.draw(run, alone))
    assert few.chips == 1 and many.chips == 8
    assert many.die_w == pytest.approx(np.full(8, few.die_w[0]))


def test_worse_cooling_never_helps(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    rows = heating.what_if(priced.chip, heating.load_of(run, priced, drawn))
    assert [row["inlet_c"] for row in rows] == sorted(row["inlet_c"] for row in rows)
    slower = np.array([[cell["slower"] or np.inf for cell in row["cells"]] for row in rows])
    air, liquid, degraded, failed = (slower[:, COOLINGS.index(name)] for name in COOLINGS)
    assert (liquid <= air).all() and (air <= degraded + 1e-9).all() and np.isinf(failed).all()
    assert (np.diff(degraded) >= -5e-3).all()
    assert degraded[-1] > 1.05 > air[0]
    assert all(row["cells"][3]["stopped_s"] > 20 for row in rows)


def test_a_long_step_without_a_governor_is_as_exact_as_short_ones(
    run: Any, priced: Priced, drawn: heating.Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cool runs are followed in steps of seconds."""
    load = heating.load_of(run, priced, drawn)
    coarse = heating.at(priced.chip, load, Surroundings("air", 30.0))
    monkeypatch.setattr(heating, "COARSE_S", 0.1)
    fine = heating.at(priced.chip, load, Surroundings("air", 30.0))
    assert len(fine.time_s) > 10 * len(coarse.time_s)
    assert coarse.die_c[-1] == pytest.approx(fine.die_c[-1], abs=1e-6)
    assert coarse.die_c[29] == pytest.approx(fine.die_c[599], abs=0.2)


def test_an_hour_is_its_work() -> None:
    """Half an hour of followed time at full clock, then at half of it: an hour's work takes an hour and a half."""
    time_s = np.arange(1.0, 1801.0)
    rate = np.ones(1800)
    rate[-200:] = 0.5
    nothing = np.zeros((1800, 1))
    found = course.Course(time_s, nothing, nothing, nothing, nothing, rate, 0.0, np.array([np.inf]))
    assert heating.in_an_hour(found) == pytest.approx((1800 + (3600 - 1700) / 0.5) / 3600)
    stopped = course.Course(time_s, nothing, nothing, nothing, nothing, rate, 0.0, np.array([1700.0]))
    assert heating.in_an_hour(stopped) == np.inf


def test_a_run_without_work_stays_cold() -> None:
    run = synthetic.gpt2(steps=3, layers=2)
    empty = type(run)(run.facts, run.kinds, run.events.take(np.zeros(0, np.int64)), run.names)
    told = heat_of(empty, pricing.price_run(empty, chips.find("910B2")), Surroundings())
    assert told["dynamic_w"] == 0.0 and told["slower"] == 1.0
    assert told["die_c"] < 45.0 and told["what_if"] == []


@pytest.mark.parametrize("name", ["910B4", "310P3", "H100-SXM-80GB", "MI300X", "TPUv5e"])
def test_every_kind_of_chip_has_heat(run: Any, name: str) -> None:
    priced = pricing.price_run(run, chips.find(name))
    load = heating.load_of(run, priced, heating.draw(run, priced))
    told = heating.summary(priced.chip, load, Surroundings("liquid"))
    assert told["inlet_c"] == 30.0
    assert 30.0 < told["die_c"] < priced.chip.number("temperature.throttle", "°C")
    assert told["power_w"] <= priced.chip.number("power.limit", "W") * 1.001


def test_a_governor_that_decides_less_often_finds_the_same_clock(
    run: Any, priced: Priced, drawn: heating.Draw
) -> None:
    """What the what-if table rests on."""
    load, where = heating.load_of(run, priced, drawn), Surroundings("degraded", 40.0)
    often = heating.in_short(heating.at(priced.chip, load, where), where)
    seldom = heating.in_short(
        heating.at(priced.chip, load, where, heating.BRIEFLY_S, heating.BRIEF_STEP_S), where
    )
    assert often["clock_share"] < 0.95
    assert seldom["clock_share"] == pytest.approx(often["clock_share"], abs=0.03)
    assert seldom["slower"] == pytest.approx(often["slower"], rel=0.02)


def test_one_poor_part_is_hotter_and_holds_up_the_job(run: Any, priced: Priced, drawn: heating.Draw) -> None:
    load = heating.load_of(run, priced, drawn)
    less = course.Load(0.6 * load.die_w, 0.6 * load.stack_w, load.bound)
    warm = Surroundings("air", 30.0)
    equal, poor = (heating.at(priced.chip, one, warm) for one in (less, heating.with_a_poor_part(less)))
    assert poor.die_c[-1, -1] > equal.die_c[-1, -1] + 1.0
    assert poor.die_c[-1, 0] == pytest.approx(equal.die_c[-1, 0], abs=0.1)
    hot = Surroundings("degraded", 35.0)
    equal, poor = (heating.at(priced.chip, one, hot) for one in (load, heating.with_a_poor_part(load)))
    assert heating.in_an_hour(poor) > heating.in_an_hour(equal) + 0.01
