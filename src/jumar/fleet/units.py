"""Units that fleet files are written in: products and quotients of the rows of units.tsv, as in "USD/chip/month"."""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("units.tsv")
PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
PREFIXED = ("token", "request", "W", "Wh", "byte")
SHORT = {"m": 1e-3, "u": 1e-6, "µ": 1e-6}  # before "s" only
WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
YUAN = "CNY"
WRITTEN = re.compile(r"\s*([-+]?[\d,_]*\.?\d+(?:[eE][-+]?\d+)?)\s*(.*?)\s*")

Dimension = tuple[tuple[str, int], ...]


class BadUnit(ValueError):
    """No such unit, or one of another kind; the message names what fits."""


@cache
def _rows() -> dict[str, tuple[tuple[str, ...], float]]:
    """Unit -> what it measures, and the factor to the first unit of that kind."""
    with FILE.open(encoding="utf-8", newline="") as table:
        rows = {
            row["unit"]: (tuple(row["measures"].split()), float(row["factor"]))
            for row in csv.DictReader(table, delimiter="\t")
        }
    for unit in PREFIXED:
        kind, factor = rows[unit]
        rows |= {prefix + unit: (kind, factor * size) for prefix, size in PREFIXES.items()}
    return rows | {prefix + "s": (("s",), size) for prefix, size in SHORT.items()}


def split(text: str) -> tuple[float, str]:
    """ "12,500 USD/chip" -> 12500.0, "USD/chip". BadUnit if it has no number."""
    found = WRITTEN.fullmatch(text)
    if not found:
        raise BadUnit(f'"{text}" does not begin with a number')
    return float(found[1].replace(",", "").replace("_", "")), found[2]


def convert(value: float, unit: str, wanted: str, rates: Mapping[str, float] | None = None) -> float:
    """The value in the wanted unit. `rates`: dollars for one of another currency. BadUnit if it is of another kind."""
    kind, factor = _measure(unit, rates or {})
    wanted_kind, wanted_factor = _measure(wanted, {})
    if kind != wanted_kind:
        raise BadUnit(f'"{unit}" is no unit of it; give it in {wanted}')
    return value if unit == wanted else value * factor / wanted_factor


@cache
def fits(unit: str, wanted: str) -> bool:
    """Whether both measure the same kind of thing."""
    return _measure(unit, {YUAN: 1.0})[0] == _measure(wanted, {})[0]


def _measure(unit: str, rates: Mapping[str, float]) -> tuple[Dimension, float]:
    kinds: Counter[str] = Counter()
    factor = 1.0
    for place, atom in enumerate(unit.split("/")):
        measured, size = _atom(atom.strip(), rates)
        sign = -1 if place else 1
        factor *= size**sign
        for kind in measured:
            kinds[kind] += sign
    return tuple(sorted((kind, power) for kind, power in kinds.items() if power)), factor


def _atom(atom: str, rates: Mapping[str, float]) -> tuple[tuple[str, ...], float]:
    rows = _rows()
    word, _, rest = atom.partition(" ")
    if word in WORDS:  # "15 trillion tokens"
        kind, size = _atom(rest.strip(), rates)
        return kind, size * WORDS[word]
    if atom in ("", "1"):
        return (), 1.0
    if atom in rates:
        return ("USD",), rates[atom]
    if atom in rows:
        return rows[atom]
    if atom.endswith("s") and atom[:-1] in rows:
        return rows[atom[:-1]]
    if atom == YUAN:
        raise BadUnit("CNY cannot be converted before money.yuan says how many go for a dollar")
    near = difflib.get_close_matches(atom, rows, n=3, cutoff=0.5)
    raise BadUnit(f'unknown unit "{atom}"' + (f"; did you mean {' or '.join(near)}?" if near else ""))


def text(value: float, unit: str) -> str:
    """For people: "12,500 USD/chip", "40 %", "1.5 Ttoken", "2025 chip" with at most four digits that matter."""
    head, slash, rest = unit.partition("/")
    if head == "share":
        value, head = 100 * value, "%"
    elif head in PREFIXED and abs(value) >= 1e4:
        prefix = next(one for one in reversed(PREFIXES) if abs(value) >= PREFIXES[one])
        value, head = value / PREFIXES[prefix], prefix + head
    elif head == "USD" and 0 < abs(value) < 1e-3 and rest in ("token", "request"):
        value, rest = value * 1e6, f"M{rest}"
    elif head == "USD" and abs(value) >= 1e6:
        word = next(one for one in reversed(WORDS) if abs(value) >= WORDS[one])
        value, head = value / WORDS[word], f"{word} USD"
    return f"{_short(value)} {head}{slash}{rest}" if unit != "1" else _short(value)


def _short(value: float) -> str:
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded == int(rounded) or abs(rounded) >= 1e4 else f"{rounded:,.12g}"
