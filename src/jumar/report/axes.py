"""The frame that drawings of a fleet share: axes with round numbers, and where a value lies between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

# Colours of series, all in the style sheet; more series than colours begin again.
PALETTE = (
    *("matrix", "copy", "vector", "attention"),
    *("communication", "indexing", "normalization", "optimizer"),
)


@dataclass(frozen=True)
class Frame:
    """A drawing of so many pixels with margins around the field in which values lie."""

    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    left: float = 64
    right: float = 14
    top: float = 14
    bottom: float = 30
    logarithmic: bool = False  # the horizontal axis

    def x(self, value: float) -> float:
        low, high = map(self._measure, self.x_range)
        share = (self._measure(value) - low) / ((high - low) or 1)
        return self.left + share * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        low, high = self.y_range
        share = (value - low) / ((high - low) or 1)
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)

    def _measure(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value

    def rows(self, said: Callable[[float], str], count: int = 4) -> str:
        """Horizontal lines at round values, each with its value."""
        return "".join(
            f'<path class="grid" d="M{self.left} {self.y(at):.1f}H{self.width - self.right}"/>'
            + text(self.left - 6, self.y(at) + 4, said(at), "end")
            for at in ticks(*self.y_range, count)
        )

    def columns(self, at: Sequence[float], said: Callable[[float], str]) -> str:
        """Values under the horizontal axis."""
        base = self.height - self.bottom
        return f'<path class="axis" d="M{self.left} {base}H{self.width - self.right}"/>' + "".join(
            f'<path class="axis" d="M{self.x(one):.1f} {base}v4"/>'
            + text(self.x(one), base + 16, said(one), "middle")
            for one in at
        )

    def upright(self, value: float, said: str, kind: str = "limit", at: float = 0) -> str:
        """A vertical line with its name beside it, lower by `at` lines of text."""
        x = self.x(value)
        near_end = x > self.width - self.right - 90
        side = "end" if near_end else "start"
        return f'<path class="{kind}" d="M{x:.1f} {self.top}V{self.height - self.bottom}"/>' + text(
            x + (-4 if near_end else 4), self.top + 10 + 13 * at, said, side
        )

    def line(self, points: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def svg(self, label: str, body: str) -> str:
        return svg(self.width, self.height, label, body)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values between two ends, about so many: steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.7)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def colour(number: int) -> str:
    return f"var(--{PALETTE[number % len(PALETTE)]})"


def text(x: float, y: float, said: str, anchor: str = "start", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(said)}</text>'


def svg(width: float, height: float, label: str, body: str) -> str:
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}">{body}</svg>'


def thinned(months: Sequence[str], most: int = 12) -> list[int]:
    """Indices of months to name under an axis: every one, every third, every sixth or every twelfth."""
    step = next(size for size in (1, 2, 3, 6, 12, 24, 60) if len(months) <= size * most)
    return list(range(0, len(months), step))
