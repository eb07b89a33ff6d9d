"""A number of a scenario with what vouches for it, a course of numbers over months, and the calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ASSUMED = "assumption"
SECONDS_PER_MONTH = 365.25 / 12 * 86_400
HOURS_PER_MONTH = SECONDS_PER_MONTH / 3_600
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Statement:
    """What one source says of a number, in the unit of that number."""

    value: float
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True)
class Number:
    """One number. `key` is its place in the file, `unit` the one the program computes in, `low` and `high` the
    ends between which it may lie (both `value` where nothing is said). `others` are statements of further sources
    about the same thing: nobody has to agree with `value`, and reports show them beside it."""

    value: float
    unit: str
    key: str = ""
    source: str = ""
    confidence: str = ASSUMED
    low: float = float("nan")
    high: float = float("nan")
    note: str = ""
    others: tuple[Statement, ...] = ()
    given: bool = True  # False: the file says nothing, this is what jumar takes then
    like: str = ""  # key of the number whose luck it shares: where that one is drawn high, so is this

    def __post_init__(self) -> None:
        if np.isnan(self.low):
            object.__setattr__(self, "low", self.value)
        if np.isnan(self.high):
            object.__setattr__(self, "high", self.value)

    def __float__(self) -> float:
        return self.value

    @property
    def uncertain(self) -> bool:
        return self.high > self.low

    @property
    def disputed(self) -> bool:
        return any(other.value != self.value for other in self.others)


@dataclass(frozen=True)
class Series:
    """A number over months: it takes each step's value from that month on, and grows in between by `growth` a year
    (0.5 is half as much again in twelve months). Before the first step it is 0."""

    steps: tuple[tuple[int, Number], ...]
    growth: Number | None = None

    def over(self, months: int) -> Floats:
        """The value in each of the months 0 … months−1, in the unit of the numbers."""
        values = np.zeros(months)
        for begin, number in self.steps:
            if begin < months:
                later = np.arange(max(begin, 0), months)
                values[later] = number.value * self._growth_factor(later - begin)
        return values

    def numbers(self) -> tuple[Number, ...]:
        own = tuple(number for _, number in self.steps)
        return own if self.growth is None else (*own, self.growth)

    def _growth_factor(self, months: npt.NDArray[np.int64]) -> Floats:
        yearly = 1.0 + (self.growth.value if self.growth else 0.0)
        return np.asarray(yearly ** (months / 12.0), dtype=np.float64)


@dataclass(frozen=True, order=True)
class Month:
    """A month of the calendar; `Month.of("2025-07") - Month.of("2025-01")` is 6."""

    count: int

    @classmethod
    def of(cls, text: str) -> Month:
        """ValueError if it is not written as 2025-07."""
        found = MONTH.fullmatch(text)
        if not found:
            raise ValueError(f'"{text}" is no month; write it as "2025-07"')
        return cls(int(found[1]) * 12 + int(found[2]) - 1)

    def __sub__(self, other: Month) -> int:
        return self.count - other.count

    def __add__(self, months: int) -> Month:
        return Month(self.count + months)

    def __str__(self) -> str:
        return f"{self.count // 12}-{self.count % 12 + 1:02}"

    @property
    def of_year(self) -> int:
        """0 for January … 11 for December."""
        return self.count % 12
