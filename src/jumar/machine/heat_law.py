"""What the native clock follows heat by: thermal matrices, idle power and the governor's rows, as numbers in the order in
which the core reads them (HeatLaw in native/ring.h)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jumar.chips import Chip
from jumar.physics import accelerator_of, course, governor, heat, power
from jumar.physics.heat_constants import constants
from jumar.physics.work import Floats

STEP_S = 0.02
MOST_CHIPS, MOST_ROWS = 64, 32
# Work of several streams may lie closer together than a chip could do it; a chip never draws more than so many times
# its limit in one step. An assumption.
MOST_POWER = 1.5
AIR, FAILED = "air", "failed"


@dataclass(frozen=True)
class Place:
    """Where the chips of a server stand.

    chips     of the server
    alike     the first so many do what those of this process do: ranks of one job, each with a chip of its own
    inlet_c   None: as usual with that cooling
    """

    chips: int
    cooling: str = AIR
    inlet_c: float | None = None
    alike: int = 0

    @classmethod
    def read(cls, words: list[str], variables: Mapping[str, str]) -> Place:
        """From what the core says: chips, cooling (empty: air) and inlet temperature (nan: as usual). torchrun says how
        many ranks share this server."""
        chips, cooling, inlet_c = words
        ranks = variables.get("LOCAL_WORLD_SIZE", "")
        alike = int(ranks) if ranks.isdecimal() and 1 < int(ranks) <= MOST_CHIPS else 0
        inlet = float(inlet_c)
        return cls(max(int(chips), alike), cooling or AIR, None if math.isnan(inlet) else inlet, alike)

    @property
    def inlet(self) -> float:
        return constants().cooling[self.cooling].inlet_c if self.inlet_c is None else self.inlet_c


@dataclass(frozen=True, eq=False)
class Law:
    """`numbers` in the order of HeatLaw; `kept` and `fed`: temperatures a step later = kept @ T + fed @ inputs."""

    numbers: Floats
    kept: Floats
    fed: Floats


def law_of(chip: Chip, place: Place) -> Law:
    """The law of a server of these chips. KeyError names a number that the chip's file lacks."""
    supply, rules, machine = power.supply_of(chip), governor.governor_of(chip), accelerator_of(chip)
    network = heat.network_of(supply, place.chips, place.cooling)
    kept, fed = heat.discrete(network, STEP_S)
    shares = supply.shares
    # Share of its rate that the memory is kept busy by copies on the chip, and by those from and to the host.
    busy = (1.0, machine.links.host_b_s / machine.memory_b_s)
    copies = [float(part[0]) for each in busy for part in power.copy_energy(np.ones(1), supply, each)]
    numbers = [
        place.chips,
        place.alike,
        STEP_S * 1e9,
        place.inlet,
        supply.idle_w * (1.0 - shares.idle_in_stacks),
        supply.idle_w * shares.idle_in_stacks,
        shares.leakage_per_k,
        shares.leakage_at_c,
        MOST_POWER * supply.limit_w,
        *(1e-9 * joules for joules in copies),
        rules.slower_w,
        rules.faster_w,
        rules.shutdown_c,
        rules.shutdown_stack_c,
        round(rules.period_s / STEP_S),
        len(rules.rows),
    ]
    rows = np.zeros((MOST_ROWS, 6))
    for level, row in enumerate(rules.rows):
        rows[level] = (
            row.clock_share,
            supply.energy_factor(row.clock_share),
            row.slower_c,
            row.faster_c,
            row.slower_stack_c,
            row.faster_stack_c,
        )
    rest = np.zeros(heat.EACH * MOST_CHIPS)
    rest[: heat.EACH * place.chips] = at_rest(supply, place)
    return Law(np.concatenate([np.array(numbers, dtype=float), rows.reshape(-1), rest]), kept, fed)


def at_rest(supply: power.Supply, place: Place) -> Floats:
    """Temperatures at which a program finds the chips: idle for long. Fans that fail do so as it begins."""
    cooling = AIR if place.cooling == FAILED else place.cooling
    return course.idle(heat.network_of(supply, place.chips, cooling), supply, place.inlet)
