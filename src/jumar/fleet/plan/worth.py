"""What it is worth to hedge, to wait, and to know, each as a difference between costs of plans."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.baselines import WAITING, waiting
from jumar.fleet.plan.evaluation import Outcome
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.solving import build, solve

FEW = 12  # futures for which the best plan is looked for one by one


@dataclass(frozen=True)
class Worth:
    """A difference in the instance's money, and what it means."""

    name: str
    value: float
    meaning: str


def all_of_them(unseen: Instance, plan: Outcome, certain: Outcome, wait: Outcome) -> list[Worth]:
    """`certain` is the outcome of the plan that takes everything as expected, `wait` that of the best one that orders
    nothing at first; all on futures that none of them was made with."""
    known, known_later = _known(unseen), _known(waiting(unseen, WAITING))
    cost = float(plan.cost[: len(known)].mean())
    return [
        Worth(
            "hedging",
            certain.value - plan.value,
            "what the plan that takes everything as expected costs more, bad cases counted more",
        ),
        Worth(
            f"not waiting {WAITING} months",
            wait.value - plan.value,
            "what the best plan without orders until then costs more, bad cases counted more",
        ),
        Worth(
            f"waiting {WAITING} months and then knowing all",
            cost - float(known_later.mean()),
            "what one could learn by waiting would save on average at most; below 0: it loses even so",
        ),
        Worth(
            "knowing the future",
            cost - float(known.mean()),
            "what a plan made for each single future would save on average: no forecast is worth more",
        ),
    ]


def _known(instance: Instance) -> Floats:
    """What the best plan for it costs in each of the first few futures, with fractions of lots and moves."""
    alone = replace(instance, risk=0.0, share_most=1.0)
    return np.array(
        [solve(build(alone.sample(s), whole=False)).value for s in range(min(FEW, instance.samples))]
    )


def spread(values: Floats) -> tuple[float, float]:
    """Between these lie nine tenths of the values."""
    low, high = np.quantile(values, (0.05, 0.95))
    return float(low), float(high)
