"""What a chip that has arrived really gives: losses to failures, repair and warm air, and the room and power it takes."""

from __future__ import annotations

import math

import numpy as np

from jumar.fleet.number import HOURS_PER_MONTH, Floats
from jumar.fleet.scenario import ChipOption, Scenario, Site

DAYS_PER_YEAR = 365.25


def speed(chip: ChipOption, inlet: float) -> float:
    """Share of its speed that a chip keeps at an inlet temperature in °C."""
    if inlet >= chip.heat.stops_at.value:
        return 0.0
    return max(0.0, 1.0 - chip.heat.loss.value * max(0.0, inlet - chip.heat.full_speed_to.value))


def derated(scenario: Scenario, chip: ChipOption, site: Site) -> Floats:
    """For each month the share of its speed that a chip keeps at a site."""
    inlet = [site.inlet[scenario.month(month).of_year].value for month in range(scenario.months)]
    return np.array([speed(chip, one) for one in inlet])


def chips_in_rack(chip: ChipOption, site: Site) -> float:
    """Chips that fit a rack: by space, and by the power that the rack may take. 0 if none does."""
    limit = site.liquid_rack_power if chip.cooling == "liquid" else site.rack_power
    by_power = math.floor(limit.value / chip.whole_power)
    return float(min(math.floor(chip.per_rack.value), by_power))


def power_at_meter(chip: ChipOption, site: Site) -> float:
    """Watts that a working chip takes at the meter, cooling included."""
    return chip.whole_power * site.overhead.value


def monthly_cost(chip: ChipOption, site: Site) -> float:
    """US dollars a month for power and upkeep of a working chip."""
    energy = power_at_meter(chip, site) / 1e3 * HOURS_PER_MONTH
    return energy * site.electricity.value + chip.upkeep.value
