"""How times, rates, ranges, energy and money are written for people."""

from __future__ import annotations

import math
from typing import Any

SMALL = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))
LARGE = ((1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T"), (1e15, "P"))


def seconds(value: float) -> str:
    """0.0123 → 12.3 ms."""
    if value <= 0:
        return "0 s"
    if value >= 120:
        minutes, hours = value / 60, value / 3600
        return f"{hours:.3g} h" if hours >= 2 else f"{minutes:.3g} min"
    factor, unit = max((one for one in SMALL if one[0] <= value * 1.0005), default=SMALL[0])
    return f"{digits(value / factor)} {unit}"


def between(low: float, high: float) -> str:
    """A range with its unit once: 9.81–14.2 ms."""
    first, last = seconds(low), seconds(high)
    if first == last:
        return last
    return f"{first.split()[0]}–{last}" if first.split()[-1] == last.split()[-1] else f"{first} – {last}"


def rate(value: float, unit: str) -> str:
    """3.76e14, FLOP/s → 376 TFLOP/s."""
    factor, prefix = max((one for one in LARGE if one[0] <= value * 1.0005), default=LARGE[0])
    return f"{digits(value / factor)} {prefix}{unit}"


def count(value: float) -> str:
    """With three digits that say something: 8,190; 12.3."""
    if value >= 1000:
        places = max(0, 3 - len(str(int(value))))
        rounded = round(value, -(len(str(int(value))) - 3)) if value >= 1e4 else round(value)
        return f"{rounded:,.{places}f}"
    return digits(value)


def share(value: float) -> str:
    if 0 < value < 0.001:
        return "<0.1 %"
    return f"{100 * value:.1f} %"


def energy(joules: float) -> str:
    """2,100 J; 1.3 kWh."""
    return f"{digits(joules / 3.6e6)} kWh" if joules >= 3.6e6 else f"{count(joules)} J"


def money(cost: dict[str, Any] | None) -> str:
    return f"{digits(cost['value'])} {cost['currency']}" if cost else "unknown"


def dollars(value: float) -> str:
    """2.346e9 → 2.35 billion USD; of small amounts every dollar."""
    for size, word in ((1e12, "trillion "), (1e9, "billion "), (1e6, "million ")):
        if abs(value) >= 0.9995 * size:
            return f"{digits(value / size)} {word}USD"
    return f"{value:,.0f} USD"


def digits(value: float) -> str:
    """Three significant digits, without an exponent where that is readable."""
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < 1e-4:
        return f"{value:.2e}"
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if "e" in text else text
