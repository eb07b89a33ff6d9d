"""Rooflines as SVG: what a chip can reach at each ratio of arithmetic to memory traffic. Both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from jumar.chips import units
from jumar.report import amounts

WIDTH, HEIGHT = 380, 270
LEFT, RIGHT, TOP, BOTTOM = 74, 62, 12, 40
INTENSITY = (1.0, 10000.0)  # FLOP a byte
TYPES = ("fp64", "fp32", "tf32", "hf32", "fp16", "bf16", "fp8", "int8", "fp4", "int4")
LEAST_INTENSITY, LEAST_RATE = 0.01, 1e8  # where operators are drawn; what lies below stands at the edge
LEAST_GAP = 11  # between two labels, in pixels


def single(chip: dict[str, Any], chips: list[dict[str, Any]], colour: str) -> str:
    """One chip: the slope of its memory and a ceiling for each type. All chips share the axes."""
    axes = _Axes(chips, WIDTH, HEIGHT)
    bandwidth = _value(chip, "memory.bandwidth")
    peaks = _peaks(chip)
    highest = max(peaks.values())
    slope = f'<path d="{axes.roof(bandwidth, highest)}" stroke="{colour}" class="roof"/>'
    ceilings = "".join(
        f'<path d="{axes.ceiling(bandwidth, peak)}" stroke="{colour}" class="ceiling"/>'
        for peak in sorted(set(peaks.values()))
    )
    note = axes.text(axes.x(2.2), axes.y(bandwidth) - 2, units.text(bandwidth, "B/s", 3), "start")
    body = (
        axes.frame()
        + slope
        + ceilings
        + axes.labels([(peak, types, "") for peak, types in _grouped(peaks).items()])
        + note
    )
    return _figure(chip["name"], body, WIDTH, HEIGHT)


def overlay(chips: list[dict[str, Any]], colours: list[str]) -> str:
    """All chips in one drawing, each with its 16-bit ceiling."""
    axes = _Axes(chips, 2 * WIDTH, HEIGHT + 60, right=140)
    tops = [(chip, _sixteen_bit(chip), colour) for chip, colour in zip(chips, colours, strict=True)]
    roofs = "".join(
        f'<path d="{axes.roof(_value(chip, "memory.bandwidth"), peak)}" stroke="{colour}" class="roof"/>'
        for chip, peak, colour in tops
    )
    labels = axes.labels([(peak, chip["name"], colour) for chip, peak, colour in tops])
    body = axes.frame() + roofs + labels
    return _figure("16-bit matrix products", body, axes.width, axes.height)


def dotted(chip: dict[str, Any], dots: Sequence[dict[str, Any]]) -> str:
    """One chip, large, with every kind of operator as a dot whose area is its time. What a dot is stands in its title."""
    slowest = min((dot["rate"] for dot in dots), default=math.inf)
    axes = _Axes(
        [chip], 2 * WIDTH, HEIGHT + 90, right=90, low=max(slowest, LEAST_RATE), first=LEAST_INTENSITY
    )
    bandwidth, peaks = _value(chip, "memory.bandwidth"), _peaks(chip)
    vector = {"vector fp32": _value(chip, "peak.vector.fp32")}
    ceilings = "".join(
        f'<path d="{axes.ceiling(bandwidth, peak)}" stroke="var(--soft)" class="ceiling"/>'
        for peak in sorted({*peaks.values(), *vector.values()})
    )
    roof = f'<path d="{axes.roof(bandwidth, max(peaks.values()))}" stroke="var(--soft)" class="roof"/>'
    labels = axes.labels([(peak, types, "") for peak, types in _grouped(peaks | vector).items()])
    longest = max((dot["seconds"] for dot in dots), default=1.0)
    marks = "".join(axes.dot(dot, longest) for dot in sorted(dots, key=lambda dot: -dot["seconds"]))
    return _figure(chip["name"], axes.frame() + ceilings + roof + labels + marks, axes.width, axes.height)


def _figure(name: str, body: str, width: int, height: int) -> str:
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="roofline of {escape(name)}">{body}</svg></figure>'
    )


def _value(chip: dict[str, Any], key: str) -> float:
    return float(chip["quantities"][key]["value"])


def _peaks(chip: dict[str, Any]) -> dict[str, float]:
    keys = {dtype: f"peak.matrix.{dtype}" for dtype in TYPES}
    return {dtype: _value(chip, key) for dtype, key in keys.items() if key in chip["quantities"]}


def _sixteen_bit(chip: dict[str, Any]) -> float:
    peaks = _peaks(chip)
    return peaks.get("bf16") or peaks["fp16"]


def _grouped(peaks: dict[str, float]) -> dict[float, str]:
    """Ceiling -> the types that have it."""
    groups: dict[float, list[str]] = {}
    for dtype, peak in peaks.items():
        groups.setdefault(peak, []).append(dtype)
    return {peak: " ".join(dtypes) for peak, dtypes in groups.items()}


class _Axes:
    """Places values in a drawing; the vertical range is that of all chips together."""

    def __init__(
        self,
        chips: list[dict[str, Any]],
        width: int,
        height: int,
        right: int = RIGHT,
        low: float = math.inf,
        first: float = INTENSITY[0],
    ) -> None:
        self.width, self.height, self.right = width, height, right
        self.first, self.last = first, INTENSITY[1]
        highest = max(max(_peaks(chip).values()) for chip in chips)
        slowest = min(min(_value(chip, "memory.bandwidth"), *_peaks(chip).values(), low) for chip in chips)
        self.low, self.high = _decade_below(slowest), highest * 1.6

    def x(self, intensity: float) -> float:
        share = math.log(intensity / self.first) / math.log(self.last / self.first)
        return LEFT + share * (self.width - LEFT - self.right)

    def y(self, rate: float) -> float:
        share = math.log(rate / self.low) / math.log(self.high / self.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def roof(self, bandwidth: float, peak: float) -> str:
        """The slope up to the knee, then the ceiling; either may lie outside the drawing."""
        first, last = self.first, self.last
        knee = min(max(peak / bandwidth, first), last)
        points = [(at, min(bandwidth * at, peak)) for at in (first, knee, last)]
        return "M" + "L".join(f"{self.x(at):.1f} {self.y(rate):.1f}" for at, rate in points)

    def ceiling(self, bandwidth: float, peak: float) -> str:
        knee = min(max(peak / bandwidth, self.first), self.last)
        return f"M{self.x(knee):.1f} {self.y(peak):.1f}H{self.x(self.last):.1f}"

    def dot(self, dot: dict[str, Any], longest: float) -> str:
        """A kind of operator; what lies outside the drawing stands at its edge."""
        intensity = min(max(dot["intensity"], self.first), self.last)
        radius = 2.0 + 9.0 * math.sqrt(dot["seconds"] / (longest or 1.0))
        said = (
            f"{dot['name']} {dot['shapes']}: {amounts.seconds(dot['seconds'])} in {dot['count']:,} calls, "
            f"{amounts.rate(dot['rate'], 'FLOP/s')}, {dot['intensity']:.3g} FLOP a byte"
        )
        return (
            f'<circle class="dot" cx="{self.x(intensity):.1f}" cy="{self.y(max(dot["rate"], self.low)):.1f}" '
            f'r="{radius:.1f}" fill="var(--{dot["class"]})"><title>{escape(said)}</title></circle>'
        )

    def labels(self, texts: list[tuple[float, str, str]]) -> str:
        """Behind each ceiling what it is, in its colour, pushed apart where ceilings are close."""
        placed, above = [], -math.inf
        for rate, label, colour in sorted(texts, key=lambda one: -one[0]):
            above = max(self.y(rate) + 4, above + LEAST_GAP)
            placed.append(self.text(self.x(self.last) + 4, above, label, "start", colour))
        return "".join(placed)

    def frame(self) -> str:
        left, bottom = self.x(self.first), self.y(self.low)
        parts = [f'<path class="axis" d="M{left} {TOP}V{bottom:.1f}H{self.x(self.last):.1f}"/>']
        rate = self.low
        while rate <= self.high:
            parts.append(f'<path class="grid" d="M{left} {self.y(rate):.1f}H{self.x(self.last):.1f}"/>')
            parts.append(self.text(left - 5, self.y(rate) + 4, units.text(rate, "FLOP/s"), "end"))
            rate *= 10
        for power in range(round(math.log10(self.first)), round(math.log10(self.last)) + 1):
            x = self.x(10.0**power)
            parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom:.1f}"/>')
            parts.append(self.text(x, bottom + 15, f"{10.0**power:,g}", "middle"))
        middle = (left + self.x(self.last)) / 2
        return "".join([*parts, self.text(middle, bottom + 31, "FLOP a byte of memory traffic", "middle")])

    @staticmethod
    def text(x: float, y: float, text: str, anchor: str, colour: str = "") -> str:
        style = f' style="fill:{colour}"' if colour else ""
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _decade_below(rate: float) -> float:
    return float(10.0 ** math.floor(math.log10(rate)))
