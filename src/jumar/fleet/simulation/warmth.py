"""The heat of racks: air at the inlet over day and year, the clock that a host can hold in it, and when it goes off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jumar.fleet.simulation.cluster import Heat
from jumar.fleet.simulation.drawing import Floats, Hosts

Flags = npt.NDArray[np.bool_]
STEPS_OF_CLOCK = 200  # clocks are told apart to half a percent, so that small drifts are no events


def inlet_c(heat: Heat, at_h: Floats | float) -> Floats:
    """Mean temperature of the air at the inlets."""
    hours = np.asarray(at_h, dtype=np.float64)
    daily = np.cos((hours - heat.warmest_hour) / 24 * 2 * np.pi)
    yearly = np.cos((hours / 24 + heat.first_day - heat.warmest_day) / 365.25 * 2 * np.pi)
    return np.asarray(heat.inlet_c + heat.daily_c * daily + heat.yearly_c * yearly)


def power_w(heat: Heat, clock: Floats | float) -> Floats:
    """Power of a chip under load at a share of its clock."""
    return np.asarray(heat.idle_w + (heat.power_w - heat.idle_w) * np.asarray(clock) ** heat.exponent)


def clocks(heat: Heat, warmer_c: Floats, air_c: Floats | float) -> tuple[Floats, Flags]:
    """Share of the clock each host holds, that of its hottest chip, and whether it is too hot even at the lowest."""
    margin_w = (heat.throttle_c - air_c - warmer_c) / heat.resistance
    share = np.clip((margin_w - heat.idle_w) / (heat.power_w - heat.idle_w), 0.0, 1.0)
    clock = np.clip(share ** (1 / heat.exponent), heat.lowest_clock, 1.0)
    coolest_c = air_c + warmer_c + heat.resistance * power_w(heat, heat.lowest_clock)
    return np.floor(clock * STEPS_OF_CLOCK) / STEPS_OF_CLOCK, coolest_c > heat.shutdown_c


def warm_moments(heat: Heat, hosts: Hosts, end_h: float) -> Floats:
    """Moments at which some host may be throttled by the weather alone."""
    moments = np.arange(0.0, end_h, heat.every_h)
    hottest = float((hosts.rack_warmer_c + hosts.chip_warmer_c).max(initial=-np.inf))
    limit = heat.throttle_c - heat.resistance * heat.power_w - hottest
    return np.asarray(moments[inlet_c(heat, moments) > limit])
