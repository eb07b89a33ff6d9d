"""Units in chip files. Each kind of number has one unit in the program; a file may also use its SI multiples."""

from __future__ import annotations

import difflib
from fractions import Fraction
from functools import cache

Number = int | float

DECIMAL = {"n": -9, "u": -6, "µ": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40}
# The unit in the program -> the prefixes that a file may put before it.
UP, DOWN = ("", "k", "M", "G", "T", "P", "E"), ("", "m", "u", "µ", "n")
PREFIXED = {"B": UP, "B/s": UP, "FLOP/s": UP, "OP/s": UP, "Hz": UP, "W": ("", "m", "k"), "s": DOWN}
PLAIN = (
    *("°C", "mm²", "nm", "USD", "CNY"),
    *("core", "die", "device", "chip", "link", "lane", "element"),
    *("FLOP/cycle/core", "OP/cycle/core", "B/cycle/core", "B/cycle/cube-core"),
)
SPELLINGS = {"C": "°C", "mm2": "mm²", "degC": "°C"}
# Links are published in bits.
BIT_RATES = {f"{prefix}bit/s": Fraction(10 ** DECIMAL[prefix], 8) for prefix in UP}


class UnknownUnit(ValueError):
    """No such unit; the message names the nearest ones."""


@cache
def table() -> dict[str, tuple[str, Fraction]]:
    """Unit as written -> unit in the program and the factor to it."""
    units = {unit: (unit, Fraction(1)) for unit in PLAIN}
    units |= {spelling: (unit, Fraction(1)) for spelling, unit in SPELLINGS.items()}
    units |= {unit: ("B/s", factor) for unit, factor in BIT_RATES.items()}
    for unit, prefixes in PREFIXED.items():
        units |= {prefix + unit: (unit, Fraction(10) ** DECIMAL[prefix]) for prefix in prefixes}
    for unit in ("B", "B/s"):
        units |= {prefix + unit: (unit, Fraction(2**power)) for prefix, power in BINARY.items()}
    return units


def canonical(unit: str) -> str:
    """The unit in the program that this unit is converted to."""
    if unit not in table():
        near = difflib.get_close_matches(unit, table(), n=3, cutoff=0.5)
        raise UnknownUnit(f'unit "{unit}": ' + (f"did you mean {' or '.join(near)}?" if near else "unknown"))
    return table()[unit][0]


def convert(value: Number, unit: str) -> Number:
    """The value in the unit of the program: exact, and an int where it is whole."""
    exact = Fraction(repr(value)) * table()[unit][1]
    return int(exact) if exact.denominator == 1 else float(exact)


def readable(value: Number, unit: str) -> tuple[Number, str]:
    """The same number with the prefix that makes it shortest to read; `convert` brings it back exactly."""
    if unit not in PREFIXED or value == 0:
        return value, unit
    if unit == "B" and isinstance(value, int):
        for prefix in ("Ti", "Gi", "Mi", "Ki"):
            if value % 2 ** BINARY[prefix] == 0:
                return value // 2 ** BINARY[prefix], prefix + unit
    prefixes = [prefix for prefix in PREFIXED[unit] if prefix != "µ"]
    fitting = [prefix for prefix in prefixes if abs(value) >= 10.0 ** DECIMAL[prefix]]
    best = (
        max(fitting or prefixes, key=DECIMAL.__getitem__)
        if fitting
        else min(prefixes, key=DECIMAL.__getitem__)
    )
    scaled = _scaled(value, DECIMAL[best])
    return (scaled, best + unit) if convert(scaled, best + unit) == value else (value, unit)


def _scaled(value: Number, power: int) -> Number:
    exact = Fraction(repr(value)) / Fraction(10) ** power
    return int(exact) if exact.denominator == 1 else float(exact)


def text(value: Number, unit: str, digits: int = 4) -> str:
    """For people: "1.638 TB/s", "79.65 GiB", "2.5 µs". Rounded to so many digits; counts and money stay whole."""
    if unit in PLAIN and isinstance(value, int):
        return f"{value:,} {unit}"
    if unit == "B":
        power = max((power for power in BINARY.values() if value >= 2**power), default=0)
        prefix = next((prefix for prefix, found in BINARY.items() if found == power), "")
        scaled, shown = value / 2**power, prefix + unit
    else:
        scaled, shown = readable(value, unit)
        shown = shown.replace("us", "µs") if unit == "s" else shown
    return f"{float(f'{scaled:.{digits}g}'):,.12g} {shown}"
