"""What the workloads ask for by month, and what a chip does of it."""

from __future__ import annotations

import numpy as np

from jumar.fleet.number import SECONDS_PER_MONTH, Floats
from jumar.fleet.scenario import TRAINING, Scenario, Workload


def needed(scenario: Scenario, work: Workload) -> Floats:
    """Work that falls due in each month: all of a training job in its deadline's month, a rate's share in each."""
    due = np.zeros(scenario.months)
    if work.kind == TRAINING:
        assert work.amount is not None and work.deadline is not None
        due[work.deadline] = work.amount.value
    else:
        assert work.rate is not None
        due = work.rate.over(scenario.months) * SECONDS_PER_MONTH
        due[: max(0, work.first)] = 0.0
    return due


def done_in_a_month(work: Workload, chip: str) -> float:
    """Work that one chip does in a month at full efficiency, always usable; 0 if it cannot do it."""
    return work.throughput[chip].value * SECONDS_PER_MONTH if chip in work.throughput else 0.0


def chips_needed(scenario: Scenario, work: Workload, chip: str) -> Floats:
    """Chips of a kind, always usable and at full efficiency, that the work would keep busy in each month: a training
    job spread evenly until its deadline. Infinite where the chip cannot do it."""
    rate = done_in_a_month(work, chip)
    if rate == 0.0:
        return np.full(scenario.months, np.inf)
    if work.kind != TRAINING:
        return needed(scenario, work) / rate
    assert work.amount is not None and work.deadline is not None
    first = max(0, work.first)
    spread = np.zeros(scenario.months)
    spread[first : work.deadline + 1] = work.amount.value / (work.deadline + 1 - first)
    return spread / rate


def most_chips(scenario: Scenario, work: Workload, chip: str) -> float:
    """The same in the month that needs most."""
    return float(np.max(chips_needed(scenario, work, chip)))


def course(scenario: Scenario, work: Workload) -> tuple[float, float]:
    """A rate in the first month in which it is asked for, and in the last."""
    assert work.rate is not None
    over = work.rate.over(scenario.months)
    return float(over[max(0, work.first)]), float(over[-1])
