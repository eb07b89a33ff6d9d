"""Power, temperature, clock and faults of a run as the page shows them: curves, an hour of it, and what-if."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jumar.chips import Chip
from jumar.physics import course, heat, power
from jumar.physics.heat_constants import constants
from jumar.physics.work import Floats
from jumar.runs import heating, incidents
from jumar.runs.format import Run
from jumar.runs.heating import Surroundings
from jumar.runs.priced import Priced

THRESHOLDS = ("temperature.normal", "temperature.throttle", "temperature.shutdown", "temperature.memory")


def heat_of(run: Run, priced: Priced, where: Surroundings, folder: Path | None = None) -> dict[str, Any]:
    """What the report says of heat. `folder`: where the run's events lie, if it has any."""
    drawn = heating.draw(run, priced)
    load = heating.load_of(run, priced, drawn)
    followed = heating.at(priced.chip, load, where)
    return {
        **heating.in_short(followed, where),
        "words": constants().words[where.cooling],
        "chips": load.chips,
        "dynamic_w": float((load.die_w + load.stack_w).mean()),
        "bound": float(load.bound.mean()),
        "idle_w": float(priced.chip.number("power.idle", "W")),
        "limit_w": float(priced.chip.number("power.limit", "W")),
        "thresholds": _thresholds(priced.chip),
        "recorded": recorded(run, priced, drawn, where),
        "course": _course(followed),
        "poor_part": heating.summary(priced.chip, heating.with_a_poor_part(load), where),
        "what_if": heating.what_if(priced.chip, load) if load.die_w.any() else [],
        **_incidents(priced, folder, followed),
    }


def _thresholds(chip: Chip) -> dict[str, dict[str, Any]]:
    """Temperatures of the chip's file with what they rest on."""
    return {
        key.partition(".")[2]: {"value": float(one.value), "confidence": one.confidence}
        for key in THRESHOLDS
        if (one := chip.quantities.get(key))
    }


def recorded(run: Run, priced: Priced, drawn: heating.Draw, where: Surroundings) -> dict[str, Any]:
    """The recorded run itself, from an idle server on and at full clock: mean power of its chips, the hottest die."""
    time_s, die_w, stack_w = heating.power_over(run, priced, drawn)
    supply = power.supply_of(priced.chip)
    network = heat.network_of(supply, die_w.shape[1], where.cooling)
    temperatures = heating.found_at_rest(supply, die_w.shape[1], where)
    hottest = np.zeros(len(time_s))
    power_w = np.zeros(len(time_s))
    span_s = float(time_s[0])
    if span_s > 0:
        advance, push = heat.discrete(network, span_s)
        for at in range(len(time_s)):
            die_c = temperatures[heat.DIE :: heat.EACH]
            idle_w = np.asarray(supply.idle_at(die_c))
            in_stacks = supply.shares.idle_in_stacks
            inputs = network.inputs(
                die_w[at] + idle_w * (1.0 - in_stacks), stack_w[at] + idle_w * in_stacks, where.inlet
            )
            temperatures = advance @ temperatures + push @ inputs
            hottest[at] = temperatures[heat.DIE :: heat.EACH].max()
            power_w[at] = float((die_w[at] + stack_w[at] + idle_w).mean())
    return {
        "time_s": _rounded(time_s, 9),
        "power_w": _rounded(power_w, 2),
        "die_c": _rounded(hottest, 3),
        "energy_j": float(power_w.sum() * span_s * die_w.shape[1]),
    }


def _course(found: course.Course, most: int = heating.POINTS) -> dict[str, Any]:
    """The hottest chip at each time, the slowest clock, mean power: as many points as can be drawn, the last included."""
    rows = np.unique(np.linspace(0, len(found.time_s) - 1, most).astype(int))
    stopped = np.flatnonzero(np.isfinite(found.stopped))
    return {
        "time_s": _rounded(found.time_s[rows], 3),
        "die_c": _rounded(found.die_c.max(axis=1)[rows], 3),
        "stack_c": _rounded(found.stack_c.max(axis=1)[rows], 3),
        "clock_share": _rounded(found.clock_share.min(axis=1)[rows], 4),
        "power_w": _rounded(found.power_w.mean(axis=1)[rows], 2),
        "stopped": [{"chip": int(chip), "seconds": float(found.stopped[chip])} for chip in stopped],
    }


def _incidents(priced: Priced, folder: Path | None, followed: course.Course) -> dict[str, Any]:
    events, unreadable = incidents.read(folder) if folder else ([], 0)
    found = incidents.incidents(events)
    ended = [one.end_s for one in found if one.end_s is not None]
    ending_s = max([float(priced.end_s.max(initial=0.0)), *ended])
    rows = incidents.costs(
        found, ending_s, priced.chips, priced.hour, lambda lasted_s: slow_rate(followed, lasted_s)
    )
    return {"incidents": rows, "unreadable_events": unreadable}


def slow_rate(followed: course.Course, lasted_s: float) -> float:
    """Mean rate of work over so many seconds from where throttling begins; 1 if it never does, as its cause then lies
    elsewhere."""
    slow = np.flatnonzero(followed.rate < 1.0)
    if not len(slow) or lasted_s <= 0:
        return 1.0
    step_s = float(followed.time_s[0])
    inside = followed.rate[slow[0] : slow[0] + max(1, round(lasted_s / step_s))]
    beyond_s = max(0.0, lasted_s - len(inside) * step_s)
    within_s = lasted_s - beyond_s
    return (float(inside.mean()) * within_s + followed.last_rate * beyond_s) / lasted_s


def _rounded(values: Floats, places: int) -> list[float]:
    found: list[float] = np.round(values, places).tolist()
    return found
