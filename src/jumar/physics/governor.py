"""What a chip does when it is too hot or draws too much: a slower clock, and at last it stops. A table and a pure step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jumar.chips import Chip
from jumar.physics.heat_constants import GovernorConstants, constants
from jumar.physics.work import Floats, Integers


@dataclass(frozen=True)
class Row:
    """One clock: at which temperature it is left for the next slower one, and below which for the next faster one."""

    clock_share: float
    slower_c: float
    faster_c: float
    slower_stack_c: float
    faster_stack_c: float


@dataclass(frozen=True)
class Governor:
    """Rows from full clock to the lowest, the power above which a clock is left and below which a faster one is tried,
    and the temperatures at which the chip stops until it is reset. It decides once every `period_s`."""

    rows: tuple[Row, ...]
    slower_w: float
    faster_w: float
    shutdown_c: float
    shutdown_stack_c: float
    period_s: float

    @cached_property
    def clock_shares(self) -> Floats:
        return np.array([row.clock_share for row in self.rows])

    @cached_property
    def thresholds(self) -> Floats:
        """A row for each of `rows`: slower_c, faster_c, slower_stack_c, faster_stack_c."""
        return np.array(
            [(row.slower_c, row.faster_c, row.slower_stack_c, row.faster_stack_c) for row in self.rows]
        )


@dataclass(frozen=True, eq=False)
class State:
    """The row of each chip, and which have stopped."""

    row: Integers
    stopped: Integers

    def clock_shares(self, governor: Governor) -> Floats:
        """Share of the clock of each chip; 0 where it has stopped."""
        found: Floats = np.where(self.stopped > 0, 0.0, governor.clock_shares[self.row])
        return found


def beginning(chips: int) -> State:
    """All chips at full clock."""
    return State(np.zeros(chips, dtype=np.int64), np.zeros(chips, dtype=np.int64))


def governor_of(chip: Chip, cap_w: float | None = None, given: GovernorConstants | None = None) -> Governor:
    """The governor of a chip by the temperatures of its file; `cap_w`: a power cap below its own limit."""
    known = given or constants().governor
    throttle_c, shutdown_c, limit_w = (
        float(chip.number(key, unit))
        for key, unit in (
            ("temperature.throttle", "°C"),
            ("temperature.shutdown", "°C"),
            ("power.limit", "W"),
        )
    )
    named = chip.quantities.get("temperature.memory")
    stack_c = float(named.value) if named else known.memory_c
    cap = limit_w if cap_w is None else min(cap_w, limit_w)
    levels = int(known.levels)
    shares = np.linspace(1.0, known.lowest_share, levels)
    rise_k, stack_rise_k = (
        known.spread_share * width / (levels - 1)
        for width in (shutdown_c - throttle_c, known.memory_shutdown_k)
    )

    def row(level: int, share: float) -> Row:
        return Row(
            share,
            throttle_c + level * rise_k,
            throttle_c + (level - 1) * rise_k - known.hysteresis_k,
            stack_c + level * stack_rise_k,
            stack_c + (level - 1) * stack_rise_k - known.hysteresis_k,
        )

    return Governor(
        tuple(row(level, share) for level, share in enumerate(shares.tolist())),
        cap,
        cap * (1.0 - known.power_band),
        shutdown_c,
        stack_c + known.memory_shutdown_k,
        known.period_s,
    )


def step(governor: Governor, state: State, die_c: Floats, stack_c: Floats, power_w: Floats) -> State:
    """The state after one decision. Slower if anything is above, faster if everything is below; a stopped chip stays so."""
    slower_c, faster_c, slower_stack_c, faster_stack_c = governor.thresholds[state.row].T
    slower = (die_c >= slower_c) | (stack_c >= slower_stack_c) | (power_w > governor.slower_w)
    faster = (die_c < faster_c) & (stack_c < faster_stack_c) & (power_w < governor.faster_w)
    row = np.clip(state.row + slower.astype(np.int64) - faster.astype(np.int64), 0, len(governor.rows) - 1)
    stopped = (state.stopped > 0) | (die_c >= governor.shutdown_c) | (stack_c >= governor.shutdown_stack_c)
    return State(row, stopped.astype(np.int64))
