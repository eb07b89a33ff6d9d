"""Power and energy of a chip from what it runs: idle power, what each unit adds while it works, clock and voltage.

Dynamic energy of an operator is what its units need for it, however long it takes; idle power goes on beside that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from jumar.chips import Chip
from jumar.physics.accelerator import Accelerator
from jumar.physics.heat_constants import PowerConstants, constants
from jumar.physics.operator import LIMITS, Prices, price_table
from jumar.physics.parameters import Parameters, parameters_for
from jumar.physics.work import Floats, WorkTable

MATRIX, VECTOR, MEMORY, _ = range(len(LIMITS))
Number = TypeVar("Number", float, Floats)


@dataclass(frozen=True)
class Supply:
    """What a chip draws: numbers of its file in watts, and the shares of its units from heat.toml."""

    idle_w: float
    limit_w: float
    shares: PowerConstants

    @property
    def range_w(self) -> float:
        """From idle to the highest power."""
        return self.limit_w - self.idle_w

    def idle_at(self, die_c: Number) -> Number:
        """Idle power in watts at that temperature of the die: leakage grows with it. Linear, and never below nothing."""
        growth = 1.0 + self.shares.leakage_per_k * (die_c - self.shares.leakage_at_c)
        watts: Number = np.maximum(growth, 0.0) * self.idle_w
        return watts

    def voltage(self, clock_share: Number) -> Number:
        """Voltage of the logic relative to that at full clock."""
        lower = 1.0 - self.shares.voltage_slope * (1.0 - clock_share)
        volts: Number = np.maximum(lower, self.shares.voltage_floor)
        return volts

    def energy_factor(self, clock_share: Number) -> Number:
        """Energy of the same work in the die, relative to full clock: the square of the voltage."""
        return self.voltage(clock_share) ** 2


@dataclass(frozen=True, eq=False)
class Energies:
    """Dynamic energy of operators at full clock, in joules, one entry each; without idle power.

    die     matrix and vector units, control, the way to memory
    stack   memory stacks
    bound   share of the time that grows as the clock falls; the rest waits for memory or launches
    """

    die_j: Floats
    stack_j: Floats
    bound: Floats

    @property
    def whole_j(self) -> Floats:
        return self.die_j + self.stack_j


def supply_of(chip: Chip, shares: PowerConstants | None = None) -> Supply:
    """What the chip's file says of its power."""
    idle_w, limit_w = float(chip.number("power.idle", "W")), float(chip.number("power.limit", "W"))
    return Supply(idle_w, limit_w, shares or constants().power)


def energy_j(
    work: WorkTable,
    priced: Prices,
    machine: Accelerator,
    supply: Supply,
    parameters: Parameters | None = None,
) -> Energies:
    """Energy of each operator of a table, with its prices on that machine."""
    chosen = parameters or parameters_for(machine.name, machine.generation)
    if len(priced.seconds) != len(work):
        raise ValueError(f"{len(work)} operators, but {len(priced.seconds)} prices: price the same table")
    return energies(priced.seconds, priced.parts, chosen.sharpness, supply)


def price_energy(
    work: WorkTable, machine: Accelerator, supply: Supply, parameters: Parameters | None = None
) -> Energies:
    """The same for operators that are not priced yet."""
    chosen = parameters or parameters_for(machine.name, machine.generation)
    return energy_j(work, price_table(work, machine, chosen), machine, supply, chosen)


def energies(seconds: Floats, parts: Floats, sharpness: float, supply: Supply) -> Energies:
    """Energy from times: `parts` has a column for each of LIMITS, seconds that the unit alone would take.

    Shares hold at the rates that programs reach, at which published peaks of power are drawn as well.
    """
    shares, range_w = supply.shares, supply.range_w
    matrix_j = range_w * shares.matrix_share * parts[:, MATRIX]
    vector_j = range_w * shares.vector_share * parts[:, VECTOR]
    memory_j = range_w * shares.memory_share * parts[:, MEMORY]
    active_j = range_w * shares.active_share * seconds
    stack_j = memory_j * shares.memory_in_stacks
    return Energies(
        matrix_j + vector_j + active_j + memory_j - stack_j,
        stack_j,
        bound_share(seconds, parts, sharpness),
    )


def exchange_energy_j(seconds: Floats, supply: Supply) -> Floats:
    """Energy in the die while links work for so many seconds."""
    return supply.range_w * (supply.shares.link_share + supply.shares.active_share) * seconds


def copy_energy(seconds: Floats, supply: Supply, memory_share: float) -> tuple[Floats, Floats]:
    """Energy in die and stacks of copies and fills that keep the memory busy to a share of its rate."""
    memory_j = supply.range_w * supply.shares.memory_share * memory_share * seconds
    stack_j = memory_j * supply.shares.memory_in_stacks
    return memory_j - stack_j + supply.range_w * supply.shares.active_share * seconds, stack_j


def bound_share(seconds: Floats, parts: Floats, sharpness: float) -> Floats:
    """Share of the time that the core clock bounds: by how much time grows, to first order, as the clock falls."""
    overlapping = parts[:, : MEMORY + 1]
    largest = np.maximum(overlapping.max(axis=1), 1e-30)
    weight = (overlapping / largest[:, None]) ** sharpness
    whole = weight.sum(axis=1)
    overlapped = largest * whole ** (1.0 / sharpness)
    share = (weight[:, MATRIX] + weight[:, VECTOR]) / np.maximum(whole, 1e-30)
    bounded: Floats = np.clip(share * overlapped / np.maximum(seconds, 1e-30), 0.0, 1.0)
    return bounded


def stretch(bound: Number, clock_share: Number) -> Number:
    """How many times longer work takes at that share of the clock: only what the clock bounds is stretched."""
    return 1.0 + bound * (1.0 / clock_share - 1.0)
