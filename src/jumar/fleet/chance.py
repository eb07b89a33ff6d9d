"""Draws for samples of the future. Every source of chance has a stream of its own, named after it, so that changing
one assumption leaves all other draws as they were, and the first samples of many are those of a few."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from jumar.fleet.number import Floats, Number, Series


@dataclass(frozen=True)
class Chance:
    """So many samples of a seed. All draws have the sample as their first axis."""

    samples: int
    seed: int

    def stream(self, name: str) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, zlib.crc32(name.encode())]))

    def uniform(self, name: str, *shape: int) -> Floats:
        return self.stream(name).random((self.samples, *shape))

    def normal(self, name: str, *shape: int) -> Floats:
        return self.stream(name).standard_normal((self.samples, *shape))

    def value(self, number: Number) -> Floats:
        """One draw a sample between low and high, most likely near the value (a triangular distribution). The value
        itself where no range is given. Numbers that share their luck are drawn high or low together."""
        if not number.uncertain:
            return np.full(self.samples, number.value)
        return triangular(self.uniform(number.like or number.key), number.low, number.value, number.high)

    def course(self, series: Series, months: int) -> Floats:
        """[sample, month]: the series with a draw for each of its numbers."""
        values = np.zeros((self.samples, months))
        yearly = 1.0 + (self.value(series.growth) if series.growth else np.zeros(self.samples))
        for begin, number in series.steps:
            later = np.arange(max(begin, 0), months)
            if len(later):
                values[:, later] = self.value(number)[:, None] * yearly[:, None] ** ((later - begin) / 12.0)
        return values

    def happens(self, number: Number, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether something of that probability comes about."""
        return self.uniform(number.key, *shape) < self.expanded(self.value(_ranged(number)), len(shape))

    @staticmethod
    def expanded(values: Floats, axes: int) -> Floats:
        """With further axes of length 1."""
        return values.reshape(values.shape + (1,) * axes)

    def interrupted(self, often: Number, lasting: Number, months: int) -> Floats:
        """Share of each month, by sample, in which something is interrupted that begins so often in a year and lasts
        so many months, exponentially distributed: shape [sample, month]. Nothing of the kind holds at the start."""
        rate = self.value(often) / 12.0
        begins = self.uniform(f"{often.key} begins", months) < -np.expm1(-rate)[:, None]
        moment = self.uniform(f"{often.key} moment", months)
        length = -np.log1p(-self.uniform(f"{lasting.key} lasts", months)) * self.value(lasting)[:, None]
        blocked = np.zeros((self.samples, months))
        for sample, place in zip(*np.nonzero(begins), strict=True):
            start = place + moment[sample, place]
            _cover(blocked[sample], start, start + length[sample, place])
        return np.minimum(blocked, 1.0)


def _ranged(number: Number) -> Number:
    """The same number whose range is drawn from another stream than what happens with it."""
    like = f"{number.like} range" if number.like else ""
    return replace(number, key=f"{number.key} range", like=like)


def _cover(months: Floats, start: float, end: float) -> None:
    """Adds what lies of start … end in each month."""
    for month in range(max(0, int(np.floor(start))), min(len(months), int(np.ceil(end)))):
        months[month] += min(end, month + 1) - max(start, month)


def triangular(uniform: Floats, low: float, middle: float, high: float) -> Floats:
    """The triangular distribution's quantiles."""
    peak = (middle - low) / (high - low)
    rising = low + np.sqrt(uniform * (high - low) * (middle - low))
    falling = high - np.sqrt((1.0 - uniform) * (high - low) * (high - middle))
    return np.where(uniform < peak, rising, falling)
