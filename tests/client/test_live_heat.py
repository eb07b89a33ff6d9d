"""The heat that a program's chips live through is the law of physics, replayed here over the priced run; a chip that gets
hot gets slower, and at last it is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jumar import chips
from jumar.machine.faults import injection
from jumar.physics import governor, heat, power
from jumar.physics.course import idle
from jumar.runs import collecting, heating
from jumar.runs.heating import Surroundings
from jumar.runs.pricing import price_run

pytestmark = pytest.mark.virtual_only

STEP_S = 0.02
# In a dry run: minutes in virtual time, seconds here.
PROGRAM = """
import sys
x = torch.empty(16384, 16384, dtype=torch.float16, device=DEVICE)
y = torch.empty(64 << 20, device=DEVICE)
start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
times = []
for _ in range({rounds}):
    start.record()
    for _ in range(20):
        x @ x
    y.add(1)
    y.clone()
    end.record()
    torch.npu.synchronize()
    times.append(start.elapsed_time(end))
torch.npu.synchronize()
print(times[0], times[-1])
"""


def condition(machine: Any, chip: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = machine.report()["chips"][chip]["condition"]
    return found


def events(machine: Any) -> list[dict[str, Any]]:
    file = machine.directory / "events.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def replayed(run: Any, where: Surroundings, until_s: float) -> dict[str, float]:
    """The condition of a single chip at that time: each event as the priced run has it, stretched by the governor's clock
    of the moment in which it begins, its energy spread over steps of the thermal network."""
    chip = chips.find("910B2")
    priced, supply, rules = price_run(run, chip), power.supply_of(chip), governor.governor_of(chip)
    drawn, network = heating.draw(run, priced), heat.network_of(supply, 1, where.cooling)
    kept, fed = heat.discrete(network, STEP_S)
    state, celsius = governor.beginning(1), idle(network, supply, where.inlet)
    joules = np.zeros((round(until_s / STEP_S) + 2, 2))
    energy_j, decided_j, step = 0.0, 0.0, 0

    def advance(to_s: float) -> None:
        nonlocal celsius, state, energy_j, decided_j, step
        while step < int(round(to_s * 1e9) // 20_000_000):
            idle_w = np.asarray(supply.idle_at(celsius[heat.DIE :: heat.EACH]))
            in_stacks = supply.shares.idle_in_stacks
            die_w, stack_w = joules[step] / STEP_S + idle_w[0] * np.array([1 - in_stacks, in_stacks])
            celsius = kept @ celsius + fed @ np.array([die_w, stack_w, where.inlet])
            energy_j += (die_w + stack_w) * STEP_S
            step += 1
            if step % round(rules.period_s / STEP_S) == 0:
                watts = np.array([(energy_j - decided_j) / rules.period_s])
                decided_j = energy_j
                state = governor.step(rules, state, celsius[:1], celsius[1:2], watts)

    reached_s = ended_s = 0.0
    for row in np.flatnonzero(priced.duration_s > 0):
        begin_s = reached_s + max(0.0, float(priced.start_s[row]) - ended_s)
        ended_s = float(priced.end_s[row])
        advance(begin_s)
        share = float(rules.clock_shares[state.row[0]])
        reached_s = begin_s + float(priced.duration_s[row] * power.stretch(drawn.bound[row], share))
        needed = np.array([drawn.die_j[row] * supply.energy_factor(share), drawn.stack_j[row]])
        edges = np.arange(int(begin_s / STEP_S), int(reached_s / STEP_S) + 2) * STEP_S
        within = np.diff(np.clip(edges, begin_s, reached_s)) / (reached_s - begin_s)
        joules[int(begin_s / STEP_S) :][: len(within)] += within[:, None] * needed
    advance(until_s)
    return {
        "temperature_c": float(celsius[heat.DIE]),
        "hbm_temperature_c": float(celsius[heat.STACK]),
        "energy_j": energy_j,
        "clock_share": float(rules.clock_shares[state.row[0]]),
    }


@pytest.fixture
def hot(machine: Callable[..., Any]) -> Callable[..., Any]:
    def make(cooling: str, inlet_c: float, devices: int = 1) -> Any:
        return machine(traced=True, dry=1, devices=devices, cooling=cooling, inlet_c=inlet_c)

    return make


@pytest.mark.parametrize(("cooling", "inlet_c", "rounds"), [("air", 25.0, 60), ("degraded", 40.0, 220)])
def test_live_is_the_law(hot: Callable[..., Any], cooling: str, inlet_c: float, rounds: int) -> None:
    """Within 0.1 %, at full clock and where the governor slows the chip; and twice the same to the last digit."""
    one = hot(cooling, inlet_c)
    first, last = map(float, one.run(PROGRAM.format(rounds=rounds)).stdout.split())
    found = condition(one)
    expected = replayed(
        collecting.collect(one.directory, {}), Surroundings(cooling, inlet_c), found["virtual_s"]
    )
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-3)
    assert (found["clock_share"] < 1) == (last > first * 1.001) == (cooling == "degraded")
    if cooling == "degraded":
        assert [event["event"] for event in events(one)] == ["throttle"]
        again = hot(cooling, inlet_c)
        again.run(PROGRAM.format(rounds=rounds))
        assert condition(again) == found


def test_fans_that_stand_still_cost_the_chip(hot: Callable[..., Any]) -> None:
    """It gets slower first; then it is lost at a call that waits, until it is reset."""
    one = hot("failed", 45.0)
    died = one.run(PROGRAM.format(rounds=400), check=False)
    assert died.returncode == 1
    assert "error code is 507010" in died.stderr
    assert [event["event"] for event in events(one)] == ["throttle", "shutdown", "fault"]
    lost = condition(one)
    assert lost["lost"] and lost["health"] == "Critical" and lost["power_w"] == 0
    small = "print(torch.ones(2).to(DEVICE).sum().item())"
    assert "has shut itself down" in one.run(small, check=False).stderr
    injection.clear(one.directory, 0)
    assert one.run(small).stdout == "2.0\n"
    assert condition(one)["health"] == "OK"
