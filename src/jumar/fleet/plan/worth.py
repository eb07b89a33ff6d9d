"""What it is worth to hedge, to wait, and to know, each as a difference between costs of plans."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jumar.fleet.plan.baselines import WAITING, waiting
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.solving import build, solve

GROUPS = 8


@dataclass(frozen=True)
class Worth:
    """A difference in the instance's money, and what it means."""

    name: str
    value: float
    meaning: str


def hedging(plan_cost: float, certain_cost: float) -> Worth:
    """The value of the stochastic solution, out of sample."""
    return Worth(
        "hedging",
        certain_cost - plan_cost,
        "what the plan that takes everything as expected costs more, on futures that neither has seen",
    )


def now(instance: Instance) -> Worth:
    """What waiting costs: the best plan without orders in the first months less the best plan, on groups of samples."""
    few = instance.group(groups(instance, GROUPS))
    later = relaxed(waiting(few, WAITING)) - relaxed(few)
    return Worth(
        f"ordering now instead of in {WAITING} months",
        later,
        f"what the best plan without any order in the first {WAITING} months costs more",
    )


def learning(instance: Instance) -> Worth:
    """What one learns by waiting could save at most: the future is known from then on, nothing was ordered before."""
    few = instance.group(groups(instance, GROUPS))
    later = replace(waiting(few, WAITING), share_most=1.0)
    known = sum(float(later.weight[g]) * relaxed(later.sample(g)) for g in range(few.samples))
    return Worth(
        f"waiting {WAITING} months and then knowing all",
        relaxed(few) - known,
        "what could be saved at most if all were known by then; below 0: waiting loses even so",
    )


def knowing(instance: Instance) -> Worth:
    """The value of perfect information, from groups of samples: more than what any forecast is worth."""
    few = instance.group(groups(instance, GROUPS))
    known = sum(float(few.weight[g]) * relaxed(few.sample(g)) for g in range(few.samples))
    return Worth(
        "knowing the future",
        relaxed(few) - known,
        "what a plan made for each future would save, over groups of like futures: no forecast is worth more",
    )


def relaxed(instance: Instance) -> float:
    """The best value with fractions of lots and moves: fast, and near enough for differences."""
    return solve(build(instance, whole=False)).value


def all_of_them(instance: Instance, plan_cost: float, certain_cost: float) -> list[Worth]:
    return [hedging(plan_cost, certain_cost), now(instance), learning(instance), knowing(instance)]


def spread(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """Between these lie nine tenths of the values."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(low), float(high)
