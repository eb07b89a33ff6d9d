"""What pricing takes and returns: options, and a run on a chip with all its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from jumar.chips import Chip
from jumar.physics import Accelerator, Parameters
from jumar.physics.operator import LIMITS
from jumar.physics.work import Floats
from jumar.runs import cost, items
from jumar.runs.durations import KindPrices
from jumar.runs.format import Column

# Limits of an event: those of an operator, the links, and nothing where it does not run on a stream.
EVENT_LIMITS = (*LIMITS, "link", "host link", "")
LINK, HOST_LINK, NO_LIMIT = len(LIMITS), len(LIMITS) + 1, len(LIMITS) + 2


@dataclass(frozen=True)
class Options:
    """What a person may say about a pricing.

    host        None: as the run says; "default": by the chip's family; "measured": as this machine was; seconds a call
    host_factor of measured times: a host half as fast has 2
    items       of a step over all chips; None: recognised
    """

    host: str | float | None = None
    host_factor: float = 1.0
    items: float | None = None
    terms: cost.Terms = field(default_factory=cost.Terms)


@dataclass(frozen=True)
class Step:
    """A step of the leading track; `first` and `last` are rows of the events, `number` that of the optimizer's step."""

    number: int
    first: int
    last: int
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, eq=False)
class OnChip:
    """Peak memory of one chip against what it has. `close`: the range of the peak is on both sides of that."""

    chip: int
    peak_b: float
    capacity_b: float
    row: int
    holders: Mapping[str, float]
    close: bool

    @property
    def fits(self) -> bool:
        return self.peak_b <= self.capacity_b


@dataclass(frozen=True, eq=False)
class Priced:
    """A run on a chip. Arrays have one entry for each event of the run; times are in seconds from its beginning.

    parts          of the typical step: chip, communication, copies, host (where nothing runs), and bubble where stages of
                   a pipeline are imagined; they add up to `step_s`
    units          the chip's part by what limits it: matrix, vector, memory, launch
    limit_of_step  greatest of `parts`; `limit_name` names it with the unit of the chip
    step_rows      events of the typical step, all tracks; `step_kinds`, `step_seconds`: of the leading track's
                   operators in it
    names          operators of the kinds, as the vendor spells them
    """

    chip: Chip
    machine: Accelerator
    parameters: Parameters
    kinds: KindPrices
    issued_s: Floats
    start_s: Floats
    end_s: Floats
    duration_s: Floats
    host_s: Floats
    limit_code: Column
    steps: tuple[Step, ...]
    step: Step | None
    step_rows: Column
    step_kinds: Column
    step_seconds: Floats
    names: tuple[str, ...]
    step_s: float
    step_low_s: float
    step_high_s: float
    parts: Mapping[str, float]
    units: Mapping[str, float]
    limit_of_step: str
    limit_name: str
    operations: float
    mfu: float | None
    items: items.Items | None
    memory: tuple[OnChip, ...]
    energy_j: float
    energy_note: str
    hour: cost.Money
    cost: cost.Money
    chips: int
    notes: tuple[str, ...]

    @cached_property
    def limit(self) -> Column:
        """What limits each event, in words of EVENT_LIMITS."""
        found: Column = np.array(EVENT_LIMITS)[self.limit_code]
        return found

    @property
    def per_second(self) -> float | None:
        return self.items.per_step / self.step_s if self.items and self.step_s else None
