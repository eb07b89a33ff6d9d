"""What the workloads ask for by month, and what a chip does of it."""

from __future__ import annotations

import numpy as np

from jumar.fleet.number import SECONDS_PER_MONTH, Floats
from jumar.fleet.scenario import TRAINING, ChipOption, Platform, Scenario, Workload


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


def efficiency(platform: Platform, months: float) -> float:
    """Share of the throughput that ported work reaches so many months after it first ran there."""
    over = platform.months.value
    progress = 1.0 if over <= 0.0 else min(1.0, max(0.0, months / over))
    return platform.at_first.value + (platform.later.value - platform.at_first.value) * progress


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


def most_ordered(scenario: Scenario, chip: ChipOption) -> float:
    """Chips that may be ordered in the month that allows most; 0 if they cannot be bought."""
    return float(np.max(chip.supply.most.over(scenario.months))) if chip.supply else 0.0
