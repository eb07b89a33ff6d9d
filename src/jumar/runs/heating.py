"""What a priced run draws, and what heat makes of it where it stands: the recorded run, then the same step for an hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.chips import Chip
from jumar.physics import course, governor, heat, power
from jumar.physics.course import Course, Load
from jumar.physics.heat_constants import COOLINGS, constants
from jumar.physics.work import Floats
from jumar.runs.format import ON_STREAM, Column, Run, Type
from jumar.runs.priced import Priced

DEFAULT = "air"
FAILED = "failed"
MOST_CHIPS = 64  # of a server
HOUR_S = 3600.0
# By then the slowest heat sink has come to rest ten times over; what follows repeats it.
FOLLOWED_S = 1200.0
COARSE_S = 2.0  # where nothing throttles the clock does not change, and the steps are exact at any length
BINS, POINTS = 200, 200
# Of a table of many; some seven time constants of a heat sink with half its flow.
BRIEFLY_S = 400.0
BRIEF_STEP_S = 0.5  # the governor of such a table decides less often, and still finds the same clock
# ASHRAE: 18 to 27 °C are recommended; 35, 40 and 45 °C are the most that classes A2, A3 and A4 allow.
WHAT_IF_INLETS_C = (18.0, 27.0, 35.0, 40.0, 45.0)


@dataclass(frozen=True)
class Surroundings:
    """Where the server stands: how it is cooled, and how warm what cools it comes in."""

    cooling: str = DEFAULT
    inlet_c: float | None = None  # None: as usual for that cooling

    @property
    def inlet(self) -> float:
        return constants().cooling[self.cooling].inlet_c if self.inlet_c is None else self.inlet_c


@dataclass(frozen=True, eq=False)
class Draw:
    """Dynamic energy of each event at full clock in joules, and the share of its time that the clock bounds."""

    die_j: Floats
    stack_j: Floats
    bound: Floats


def draw(run: Run, priced: Priced) -> Draw:
    """What each event of the run needs on the chip that it is priced on."""
    supply, events, seconds = power.supply_of(priced.chip), run.events, priced.duration_s
    die_j, stack_j, bound = (np.zeros(len(events)) for _ in range(3))
    rows = np.flatnonzero((events.type == Type.OPERATOR) & (events.kind >= 0))
    if len(rows):
        kinds, kind = priced.kinds, events.kind[rows]
        each = power.energies(kinds.seconds, kinds.parts, priced.parameters.sharpness, supply)
        # A sequence that runs as one kernel elsewhere takes a part of the time, and of the energy.
        share = seconds[rows] / np.maximum(kinds.seconds[kind], 1e-30)
        die_j[rows], stack_j[rows] = each.die_j[kind] * share, each.stack_j[kind] * share
        bound[rows] = each.bound[kind]
    rows = np.flatnonzero(events.type == Type.COLLECTIVE)
    die_j[rows] = power.exchange_energy_j(seconds[rows], supply)
    machine = priced.machine
    over_link = machine.links.host_b_s / machine.memory_b_s
    for types, busy in (((Type.COPY_D2D, Type.MEMSET), 1.0), ((Type.COPY_H2D, Type.COPY_D2H), over_link)):
        rows = np.flatnonzero(np.isin(events.type, types))
        die_j[rows], stack_j[rows] = power.copy_energy(seconds[rows], supply, busy)
    return Draw(die_j, stack_j, bound)


def busy_chips(run: Run) -> Column:
    """Numbers of the chips that anything runs on; of a damaged trace with more than a server has, as many as that."""
    found: Column = np.unique(run.events.chip[np.isin(run.events.type, ON_STREAM)])[:MOST_CHIPS]
    return found


def load_of(run: Run, priced: Priced, drawn: Draw) -> Load:
    """The typical step of each chip of the server as an even load. Imagined ranks do what the recorded one does."""
    rows, events = priced.step_rows, run.events
    rows = rows[np.isin(events.chip[rows], busy_chips(run))]
    chips, place = np.unique(events.chip[rows], return_inverse=True)
    count = max(1, len(chips))
    if priced.step_s <= 0 or not len(rows):
        nothing = np.zeros(count)
        return Load(nothing, nothing, nothing)

    def summed(values: Floats) -> Floats:
        return np.bincount(place.reshape(-1), weights=values, minlength=count).astype(float)

    seconds = priced.duration_s[rows]
    weight = np.where(events.type[rows] == Type.OPERATOR, seconds, 0.0)
    bound = summed(drawn.bound[rows] * weight) / np.maximum(summed(weight), 1e-30)
    within = min(1.0, priced.parts.get("chip", 0.0) / priced.step_s)
    columns = [
        summed(drawn.die_j[rows]) / priced.step_s,
        summed(drawn.stack_j[rows]) / priced.step_s,
        bound * within,
    ]
    ranks = min(int(run.facts.get("ranks") or 0), priced.machine.links.chips_per_server)
    if count == 1 and ranks > 1:
        columns = [np.repeat(column, ranks) for column in columns]
    return Load(*columns)


def with_a_poor_part(load: Load) -> Load:
    """The same with one chip, in the row behind, that draws more than its equals: the job waits for it."""
    more = np.ones(load.chips)
    more[-1] += constants().power.part_spread
    return Load(load.die_w * more, load.stack_w * more, load.bound)


def at(
    chip: Chip,
    load: Load,
    where: Surroundings,
    seconds: float = FOLLOWED_S,
    step_s: float | None = None,
    to_the_end: bool = True,
) -> Course:
    """The load on a server of these chips, from an idle server on. Fans that fail do so as the run begins.

    `step_s`: between two decisions of the governor, its own period unless given.
    """
    supply, rules = power.supply_of(chip), governor.governor_of(chip)
    network = heat.network_of(supply, load.chips, where.cooling)
    start_c = found_at_rest(supply, load.chips, where)
    if _stays_cool(network, supply, rules, load, where.inlet):
        step_s = COARSE_S
    return course.follow(
        network,
        supply,
        rules,
        load,
        where.inlet,
        seconds,
        step_s=step_s,
        start_c=start_c,
        to_the_end=to_the_end,
    )


def found_at_rest(supply: power.Supply, chips: int, where: Surroundings) -> Floats:
    """Temperatures of an idle server as the program finds it; fans that fail have run until then."""
    before = DEFAULT if where.cooling == FAILED else where.cooling
    return course.idle(heat.network_of(supply, chips, before), supply, where.inlet)


def _stays_cool(
    network: heat.Network, supply: power.Supply, rules: governor.Governor, load: Load, inlet_c: float
) -> bool:
    """Whether the governor has nothing to do, ever: not even where the job ends up at full clock."""
    ending = course.settled(network, supply, load, inlet_c)
    die_c, stack_c = ending[heat.DIE :: heat.EACH], ending[heat.STACK :: heat.EACH]
    die_w, stack_w = course.drawn_w(supply, load, np.ones(load.chips), 1.0, die_c, np.zeros(load.chips))
    first = rules.rows[0]
    return bool(
        (die_c.max() < first.slower_c - 1.0)
        and (stack_c.max() < first.slower_stack_c - 1.0)
        and ((die_w + stack_w).max() < rules.slower_w)
    )


def in_an_hour(found: Course) -> float:
    """How many times longer an hour's work of cool chips takes: as followed, then as at the end of that."""
    if np.isfinite(found.stopped).any():
        return float("inf")
    followed_s = float(found.time_s[-1])
    done_s = float(found.rate.mean()) * followed_s
    return (followed_s + max(0.0, HOUR_S - done_s) / found.last_rate) / HOUR_S


def summary(chip: Chip, load: Load, where: Surroundings) -> dict[str, Any]:
    """An hour of the load in a few numbers, for tables."""
    return in_short(at(chip, load, where), where)


def in_short(found: Course, where: Surroundings) -> dict[str, Any]:
    """A course in a few numbers. `slower` and `stopped_s` are None where there is none."""
    slower = in_an_hour(found)
    stopped_s = float(found.stopped.min())
    last = _last(found)
    late = found.clock_share[last - last // 10 : last + 1]
    return {
        "cooling": where.cooling,
        "inlet_c": where.inlet,
        "power_w": float(found.power_w[last].mean()),
        "die_c": float(found.die_c.max()),
        "stack_c": float(found.stack_c.max()),
        "clock_share": float(late.mean(axis=0).min()),
        "slower": slower if np.isfinite(slower) else None,
        "stopped_s": stopped_s if np.isfinite(stopped_s) else None,
    }


def _last(found: Course) -> int:
    """The last row in which the job ran."""
    return min(len(found.time_s) - 1, int(np.searchsorted(found.time_s, float(found.stopped.min()))))


def what_if(chip: Chip, load: Load) -> list[dict[str, Any]]:
    """The same hour at every inlet temperature and every cooling: one row an inlet."""

    def cell(where: Surroundings) -> dict[str, Any]:
        return in_short(at(chip, load, where, BRIEFLY_S, BRIEF_STEP_S, to_the_end=False), where)

    return [
        {"inlet_c": inlet_c, "cells": [cell(Surroundings(cooling, inlet_c)) for cooling in COOLINGS]}
        for inlet_c in WHAT_IF_INLETS_C
    ]


def power_over(run: Run, priced: Priced, drawn: Draw, most: int = BINS) -> tuple[Floats, Floats, Floats]:
    """Ends of equal spans of the recorded run, and mean dynamic watts in them of dies and stacks, rows spans and columns
    chips."""
    events = run.events
    rows = np.flatnonzero((priced.duration_s > 0) & (priced.end_s > priced.start_s))
    ending = float(priced.end_s[rows].max(initial=0.0))
    chips = busy_chips(run)
    edges = np.linspace(0.0, ending, most + 1)
    found = np.zeros((2, most, max(1, len(chips))))
    for column, chip in enumerate(chips.tolist()):
        mine = rows[events.chip[rows] == chip]
        for part, joules in enumerate((drawn.die_j, drawn.stack_j)):
            found[part, :, column] = _spread(priced.start_s[mine], priced.end_s[mine], joules[mine], edges)
    return edges[1:], found[0], found[1]


def _spread(start_s: Floats, end_s: Floats, joules: Floats, edges_s: Floats) -> Floats:
    """Mean watts between the edges, where each event spends its energy evenly over its time."""
    watts = joules / (end_s - start_s)
    at_s = np.concatenate([start_s, end_s])
    order = np.argsort(at_s, kind="stable")
    at_s, level = at_s[order], np.cumsum(np.concatenate([watts, -watts])[order])
    spent = np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(at_s))])
    widths = np.maximum(np.diff(edges_s), 1e-30)
    found: Floats = np.diff(np.interp(edges_s, at_s, spent)) / widths
    return np.maximum(found, 0.0)
