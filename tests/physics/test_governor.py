"""Throttling: it settles where rows lie apart and goes up and down where one row is a leap; it ends in a shutdown."""

from dataclasses import replace

import numpy as np
import pytest

from jumar import chips
from jumar.physics import course, governor, heat, power
from jumar.physics.course import Course, Load
from jumar.physics.governor import Governor, Row
from jumar.physics.heat_constants import constants

CHIP = chips.find("910B2")
SUPPLY = power.supply_of(CHIP)
GOVERNOR = governor.governor_of(CHIP)


def load(count: int, share: float, bound: float = 0.8) -> Load:
    dynamic_w = share * SUPPLY.range_w
    return Load(np.full(count, 0.93 * dynamic_w), np.full(count, 0.07 * dynamic_w), np.full(count, bound))


def run(
    cooling: str, inlet_c: float, share: float = 0.9, by: Governor = GOVERNOR, minutes: float = 8
) -> Course:
    network = heat.network_of(SUPPLY, 8, cooling)
    cold = course.idle(heat.network_of(SUPPLY, 8, "air"), SUPPLY, inlet_c)
    return course.follow(network, SUPPLY, by, load(8, share), inlet_c, 60 * minutes, start_c=cold)


def decided(
    by: Governor, row: int, die_c: float, stack_c: float = 50.0, power_w: float = 100.0
) -> tuple[int, bool]:
    state = replace(governor.beginning(1), row=np.array([row]))
    after = governor.step(by, state, np.array([die_c]), np.array([stack_c]), np.array([power_w]))
    return int(after.row[0]), bool(after.stopped[0])


def test_what_makes_it_slower_and_what_faster() -> None:
    first, second = GOVERNOR.rows[:2]
    assert decided(GOVERNOR, 0, first.slower_c - 0.01) == (0, False)
    assert decided(GOVERNOR, 0, first.slower_c) == (1, False)
    assert decided(GOVERNOR, 1, second.faster_c - 0.01) == (0, False)
    assert decided(GOVERNOR, 1, second.faster_c) == (1, False)
    assert decided(GOVERNOR, 0, 60.0, stack_c=first.slower_stack_c) == (1, False)
    assert decided(GOVERNOR, 1, 60.0, stack_c=second.faster_stack_c) == (1, False)
    assert decided(GOVERNOR, 0, 60.0, power_w=GOVERNOR.slower_w + 1) == (1, False)
    assert decided(GOVERNOR, 1, 60.0, power_w=GOVERNOR.faster_w) == (1, False)
    assert decided(GOVERNOR, len(GOVERNOR.rows) - 1, 112.0)[0] == len(GOVERNOR.rows) - 1


def test_thresholds_are_those_of_the_chip() -> None:
    assert GOVERNOR.rows[0].slower_c == CHIP.number("temperature.throttle", "°C")
    assert GOVERNOR.rows[0].slower_stack_c == CHIP.number("temperature.memory", "°C")
    assert GOVERNOR.shutdown_c == CHIP.number("temperature.shutdown", "°C")
    assert GOVERNOR.rows[-1].slower_c < GOVERNOR.shutdown_c
    assert GOVERNOR.rows[-1].clock_share == constants().governor.lowest_share


def test_a_stopped_chip_stays_stopped_until_it_is_reset() -> None:
    row, stopped = decided(GOVERNOR, 0, GOVERNOR.shutdown_c)
    assert stopped
    state = governor.State(np.array([row]), np.array([1]))
    cold = governor.step(GOVERNOR, state, np.array([20.0]), np.array([20.0]), np.array([0.0]))
    assert cold.stopped[0]
    assert cold.clock_shares(GOVERNOR)[0] == 0.0
    assert governor.beginning(1).clock_shares(GOVERNOR)[0] == 1.0


def test_a_cool_server_runs_at_full_clock() -> None:
    found = run("air", 25.0)
    assert (found.clock_share == 1.0).all()
    assert found.slower == 1.0


def test_it_settles_between_throttling_and_shutdown() -> None:
    """Half the flow and warm air: some clock below full is found, and hardly left again."""
    found = run("degraded", 40.0)
    late = found.clock_share[-1200:]
    assert late.max() < 1.0
    assert (np.diff(late, axis=0) != 0).sum(axis=0).max() <= 4
    assert np.isinf(found.stopped).all()
    assert found.die_c.max() < GOVERNOR.shutdown_c
    assert 1.05 < found.slower < 2.0


def test_it_goes_up_and_down_where_one_row_is_a_leap() -> None:
    """Full clock or half of it, with a band of 2 K: neither holds the temperature, so it swings, between these bounds."""
    full, half = (Row(share, 95.0, 93.0, 95.0, 93.0) for share in (1.0, 0.5))
    leaping = replace(GOVERNOR, rows=(full, half))
    found = run("degraded", 35.0, by=leaping)
    late, dies = found.clock_share[-1200:, 4], found.die_c[-1200:, 4]
    assert set(late.tolist()) == {0.5, 1.0}
    assert (np.diff(late) != 0).sum() > 10
    assert 91.0 < dies.min() < dies.max() < 97.0


def test_without_fans_it_ends_in_a_shutdown_later_when_it_does_less() -> None:
    hard, easy = run("failed", 25.0), run("failed", 25.0, share=0.2)
    assert np.isfinite(hard.stopped).any() and np.isfinite(easy.stopped).any()
    assert 20.0 < hard.stopped.min() < easy.stopped.min()
    assert hard.rate[-1] == 0.0 and hard.last_rate == 0.0
    assert hard.power_w[-1].min() == 0.0


def test_a_power_cap_holds_and_costs_time() -> None:
    capped = governor.governor_of(CHIP, cap_w=260.0)
    found = run("air", 25.0, by=capped)
    assert found.power_w[-600:].max() <= 260.0
    assert found.clock_share[-1].max() < 1.0
    assert found.slower > 1.05
    assert governor.governor_of(CHIP, cap_w=9000.0).slower_w == CHIP.number("power.limit", "W")


def test_what_waits_for_memory_is_not_slowed() -> None:
    network = heat.network_of(SUPPLY, 8, "degraded")
    bound = course.follow(network, SUPPLY, GOVERNOR, load(8, 0.9, bound=0.0), 40.0, 300.0)
    assert bound.clock_share[-1].min() < 1.0
    assert (bound.rate == 1.0).all()


def test_the_same_run_twice_is_the_same() -> None:
    first, second = run("degraded", 38.0, minutes=2), run("degraded", 38.0, minutes=2)
    assert first.die_c.tobytes() == second.die_c.tobytes()
    assert first.clock_share.tobytes() == second.clock_share.tobytes()


def test_hotter_air_and_less_flow_never_make_it_faster() -> None:
    rates = [
        [run(cooling, inlet, minutes=4).last_rate for inlet in (20.0, 35.0, 45.0)]
        for cooling in ("air", "degraded")
    ]
    assert (np.diff(rates, axis=1) <= 1e-3).all()
    assert (np.diff(rates, axis=0) <= 1e-3).all()


def test_energy_of_a_throttled_run_is_stored_or_leaves() -> None:
    """What was drawn is in the nodes or went with the air, to one part in a million; what leaves by Simpson's rule."""
    network, job = heat.network_of(SUPPLY, 8, "degraded"), load(8, 0.9)
    start = course.idle(network, SUPPLY, 40.0)
    found = course.follow(network, SUPPLY, GOVERNOR, job, 40.0, 150.0, start_c=start)
    advance, push = heat.discrete(network, GOVERNOR.period_s / 2)
    state, left = start, 0.0
    for clock, rate in zip(found.clock_share, found.rate, strict=True):
        watts = course.drawn_w(SUPPLY, job, clock, float(rate), state[:: heat.EACH], np.zeros(8))
        inputs = network.inputs(*watts, 40.0)
        middle = advance @ state + push @ inputs
        after = advance @ middle + push @ inputs
        leaving = [heat.carried_off_w(network, one, 40.0) for one in (state, middle, after)]
        left += GOVERNOR.period_s / 6 * (leaving[0] + 4 * leaving[1] + leaving[2])
        state = after
    assert found.clock_share.min() < 1.0
    assert found.energy_j == pytest.approx(heat.stored_j(network, start, state) + left, rel=1e-6)
