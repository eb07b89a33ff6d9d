"""Why no plan is possible, in words: which demands cannot be met, and which limits would have to give way.

Missing is allowed once more, at a price that nobody pays by choice: what is missed then are the demands that clash. Then
each kind of limit is lifted alone, which shows the ones that stand in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.programme import Programme
from jumar.fleet.plan.solving import Limits, build, solve

SLIGHT = 1e-4  # share of a demand that is not worth a word
Lift = Callable[[Instance], dict[str, Any]]


@dataclass(frozen=True)
class Short:
    """A workload that must not be missed and is: in which months, and what share of it."""

    workload: str
    months: tuple[int, ...]
    share: float


@dataclass(frozen=True)
class Clash:
    """What is missed at best, how much of it remains (share of demand, summed) if a limit is lifted, by limit."""

    short: tuple[Short, ...]
    remains: dict[str, float]

    @property
    def total(self) -> float:
        return sum(one.share for one in self.short)


def _more_orders(instance: Instance) -> dict[str, Any]:
    bought = instance.order_most.any(axis=1) & (instance.supplier >= 0)
    most = np.where(bought[:, None], max(10 * int(instance.order_most.max(initial=1)), 1000), 0)
    return {"order_most": most}


LIMITS: dict[str, Lift] = {
    "the power of the sites": lambda one: {"power_most": np.full_like(one.power_most, np.inf)},
    "the racks": lambda one: {
        "racks_most": np.full_like(one.racks_most, np.inf),
        "liquid_most": np.full_like(one.liquid_most, np.inf),
    },
    "the budget": lambda one: {"budget": np.full_like(one.budget, np.inf)},
    "the share of one supplier": lambda one: {"share_most": 1.0},
    "the engineers": lambda one: {"engineers": np.full_like(one.engineers, np.inf)},
    "how many chips may be ordered, and from when": _more_orders,
    "how late and how few chips arrive": lambda one: {"arrived": _at_once(one)},
}


def explain(instance: Instance) -> Clash:
    """For the mean of all samples, with fractions of lots and moves: what clashes there clashes all the more in
    bad samples."""
    mean = instance.group([np.arange(instance.samples)])
    short = _short(mean)
    return Clash(short, {name: _total(replace(mean, **lift(mean))) for name, lift in LIMITS.items()})


def sentences(found: Clash, month: Callable[[int], str], title: Callable[[str], str]) -> list[str]:
    """For people: demands first, then limits, the one that helps most first."""
    said = []
    for one in found.short:
        when = month(one.months[0])
        if len(one.months) > 1:
            when += f" to {month(one.months[-1])}"
        said.append(
            f"{title(one.workload)} may not be missed, but {_percent(one.share)} of it is, from {when}"
        )
    helping = sorted((left, name) for name, left in found.remains.items() if left < found.total * 0.99)
    for left, name in helping:
        cure = (
            "all would be met"
            if left < SLIGHT
            else f"{_percent(1 - left / found.total)} of what is missing would be met"
        )
        said.append(f"without the limit on {name} alone {cure}")
    if not helping:
        said.append("no limit alone is in the way: lifting any single one does not help")
    return said


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _at_once(instance: Instance) -> Floats:
    """All that is ordered works from the next month on."""
    months = np.arange(instance.months)
    return np.broadcast_to((months[None] > months[:, None]).astype(float), instance.arrived.shape).copy()


def _total(instance: Instance) -> float:
    return sum(one.share for one in _short(instance))


def _short(instance: Instance) -> tuple[Short, ...]:
    """What is missed of demands that must be met, if the least share of them is missed and nothing else counts."""
    soft = replace(
        instance,
        must=np.zeros_like(instance.must),
        missed_cost=_missing_alone(instance),
        order_cost=np.zeros_like(instance.order_cost),
        setup_cost=np.zeros_like(instance.setup_cost),
        move_cost=np.zeros_like(instance.move_cost),
        run_cost=np.zeros_like(instance.run_cost),
        risk=0.0,
    )
    made = build(soft, whole=False)
    solve(made, Limits(seconds=60.0))
    return tuple(
        _of(made, w) for w in map(int, np.flatnonzero(instance.must)) if _missed(made, w).sum() > SLIGHT
    )


def _missing_alone(instance: Instance) -> Floats:
    cost = np.zeros_like(instance.missed_cost)
    for w in np.flatnonzero(instance.must):
        asked = float(instance.demand[0, w].sum()) or 1.0
        cost[w] = 1 / asked
        if instance.job[w]:
            cost[w] = np.where(np.arange(instance.months) == instance.deadline[w], 1 / asked, 0.0)
    return cost


def _missed(made: Programme, w: int) -> Floats:
    """Share of all that is asked for, by month."""
    instance = made.instance
    missed = np.zeros(instance.months)
    for (_, which, month), u in made.undone.items():
        counts = not instance.job[w] or month == instance.deadline[w]
        if which == w and counts:
            missed[month] = made.model.get_value(u)
    return missed / (float(instance.demand[0, w].sum()) or 1.0)


def _of(made: Programme, w: int) -> Short:
    missed = _missed(made, w)
    months = tuple(int(month) for month in np.flatnonzero(missed > SLIGHT / 10))
    return Short(made.instance.workloads[w], months, float(missed.sum()))
