"""Simpler plans to measure a plan against: each made as somebody would who has one idea."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.from_scenario import Posed
from jumar.fleet.plan.instance import Flags, Instance
from jumar.fleet.plan.planning import Effort, best
from jumar.fleet.plan.solving import Limits, build, solve

WAITING = 6  # months in which the patient order nothing
SECONDS = 8.0


@dataclass(frozen=True)
class Baseline:
    """An idea, and the plan that follows from it."""

    name: str
    title: str
    plan: Plan


def all_of_them(posed: Posed, effort: Effort) -> list[Baseline]:
    """The usual ideas. Who waits plans for chance afterwards, the others take everything as expected. One that allows
    no order at all still moves software and uses what is there."""
    cheapest = cheapest_chip(posed.instance)
    home = [
        chip.name
        for chip in posed.scenario.chips.values()
        if posed.scenario.suppliers[chip.supplier].domestic
    ]
    patient = best(waiting(posed.instance, WAITING), effort).plan
    title = posed.scenario.chips[posed.instance.chips[cheapest]].title
    return [
        Baseline(
            "cheapest", f"all of the cheapest ({title})", _only(posed, _flags(posed.instance, [cheapest]))
        ),
        Baseline("domestic", "all domestic", _only(posed, np.isin(posed.instance.chips, home))),
        Baseline("wait", f"order nothing for {WAITING} months", patient),
        Baseline("mean", "as if everything came as expected", certain(posed.instance)),
    ]


def cheapest_chip(instance: Instance) -> int:
    """The one whose work costs least: its price over what it does, on average over the workloads that it can do."""
    best, chosen = np.inf, 0
    for c in np.flatnonzero(instance.order_most.any(axis=1)):
        month = int(instance.order_most[c].argmax())
        mine = instance.activity_chip == c
        if mine.any():
            does = np.mean(
                [_fastest(instance, mine, w) / _fastest(instance, None, w) for w in range(len(instance.job))]
            )
            if does > 0 and (cost := instance.price[c, month] / does) < best:
                best, chosen = cost, int(c)
    return chosen


def waiting(instance: Instance, months: int) -> Instance:
    """The same without orders in the first months."""
    most = instance.order_most.copy()
    most[:, :months] = 0
    return replace(instance, order_most=most)


def certain(instance: Instance) -> Plan:
    """The best plan if the mean of all samples came for sure."""
    mean = instance.group([np.arange(instance.samples)])
    return solve(build(mean), Limits(0.005, SECONDS)).plan


def _only(posed: Posed, chips: Flags) -> Plan:
    """The best plan with these chips alone, whatever share that gives one supplier."""
    most = np.where(chips[:, None], posed.instance.order_most, 0)
    return certain(replace(posed.instance, order_most=most, share_most=1.0))


def _flags(instance: Instance, chips: list[int]) -> Flags:
    return np.isin(np.arange(len(instance.chips)), chips)


def _fastest(instance: Instance, of: Flags | None, w: int) -> float:
    mine = instance.activity_workload == w
    rates = instance.activity_rate[mine if of is None else mine & of]
    return float(rates.max(initial=0.0))
