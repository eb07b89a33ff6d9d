"""Reads one number of a fleet file: plain with its unit, or as a table with source, confidence and range."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jumar.chips import CONFIDENCES
from jumar.fleet import units
from jumar.fleet.number import ASSUMED, Number, Statement

BARE = ("share", "chip", "rack", "server", "link", "month", "person-day", "1")  # may be written without unit
PARTS = ("value", "unit", "source", "confidence", "low", "high", "note", "also", "like")
SAID = ("value", "unit", "source", "confidence", "note")
LARGEST = 1e30  # refuses infinity, not-a-number, and what no float can hold


class BadEntry(ValueError):
    """What stands at a key cannot be read; whoever knows file and key adds them."""


@dataclass(frozen=True)
class Found:
    """A number that is kept elsewhere: in a priced run, a scan, a chip file. In `unit`, with where it is from."""

    value: float
    unit: str
    source: str
    confidence: str
    note: str = ""
    low: float | None = None
    high: float | None = None


Finder = Callable[[str, Mapping[str, Any]], Found]
"""Key in the file and what stands there -> the number that it means. BadEntry if there is none."""


@dataclass(frozen=True)
class Context:
    """What reading a number needs besides the entry: the file's name, its [sources], dollars for other currencies,
    values that go before those of the file, and who finds numbers that are kept elsewhere (`run`, `scan`)."""

    file: str
    sources: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    finders: Mapping[str, Finder] = field(default_factory=dict)


def number(
    context: Context,
    key: str,
    entry: Any,
    wanted: str,
    least: float = -LARGEST,
    most: float = LARGEST,
    stated: bool = True,
) -> Number:
    """The number at a key in the first of the wanted units (`token/s/chip|request/s/chip`) that fits it. `stated`:
    somebody wrote it; otherwise it is what holds where nothing is said. BadEntry, BadUnit if it cannot be read."""
    read = (
        _plain(context, key, entry, wanted)
        if not isinstance(entry, dict)
        else _table(context, key, entry, wanted)
    )
    if not stated:
        read = replace(read, note="not in the file: what jumar takes then", given=False)
    if key in context.values:
        value = context.values[key]
        read = replace(read, value=value, low=value, high=value)
    for value in (read.value, read.low, read.high, *(one.value for one in read.others)):
        _check(value, read.unit, least, most)
    if not read.low <= read.value <= read.high:
        span = f"{units.text(read.low, read.unit)} to {units.text(read.high, read.unit)}"
        raise BadEntry(
            f"{units.text(read.value, read.unit)} is not within low and high, {span}; correct one of them"
        )
    return read


def numbers(
    context: Context, key: str, entry: Any, wanted: str, least: float, most: float, stated: bool = True
) -> tuple[Number, ...]:
    """Twelve numbers, January first, that share what vouches for them: `{ values = […], unit, source, … }`."""
    if not isinstance(entry, dict) or "values" not in entry:
        return (number(context, key, entry, wanted, least, most, stated),) * 12
    values, rest = entry["values"], {name: value for name, value in entry.items() if name != "values"}
    if not isinstance(values, list) or len(values) != 12:
        raise BadEntry("values: write twelve numbers, January first")
    return tuple(
        number(context, f"{key}.{place}", {**rest, "value": value}, wanted, least, most, stated)
        for place, value in enumerate(values, 1)
    )


def _check(value: float, unit: str, least: float, most: float) -> None:
    if not abs(value) < LARGEST:
        raise BadEntry(f"{value} is too large to be meant")
    if not least <= value <= most:
        ends = [
            f"at {word} {units.text(one, unit)}"
            for word, one in (("least", least), ("most", most))
            if abs(one) < LARGEST
        ]
        raise BadEntry(f"{units.text(value, unit)} cannot be; it must be {' and '.join(ends)}")


def _plain(context: Context, key: str, entry: Any, wanted: str) -> Number:
    if isinstance(entry, str):
        value, unit = units.split(entry)
        target = _target(unit or "share", wanted) if unit else _bare(value, wanted)
        return Number(_converted(context, value, unit or target, target), target, key)
    if isinstance(entry, bool) or not isinstance(entry, (int, float)):
        raise BadEntry(
            f'{entry!r} is not a number; write it with its unit, as in "12 {wanted.split("|")[0]}"'
        )
    return Number(_float(entry), _bare(entry, wanted), key)


def _bare(value: float, wanted: str) -> str:
    first = wanted.split("|")[0]
    if first not in BARE:
        raise BadEntry(f'a bare {value:g}; write it with its unit, as in "{value:g} {first}"')
    return first


def _target(unit: str, wanted: str) -> str:
    """The wanted unit that measures the same; the first where none does, for the message."""
    choices = wanted.split("|")
    return next((one for one in choices if units.fits(unit, one)), choices[0])


def _converted(context: Context, value: float, unit: str, target: str) -> float:
    return units.convert(value, unit, target, context.rates)


def _table(context: Context, key: str, entry: Mapping[str, Any], wanted: str) -> Number:
    for name, finder in context.finders.items():
        if name in entry:
            return _found(context, key, finder(key, entry), wanted)
    if unknown := sorted(entry.keys() - set(PARTS)):
        raise BadEntry(f"does not know {', '.join(unknown)}; there are {', '.join(PARTS)}")
    value = _value(entry, "value")
    unit = entry.get("unit") or _bare(value, wanted)
    if not isinstance(unit, str):
        raise BadEntry(f"unit {unit!r} is not a text; put it into quotes")
    target = _target(unit, wanted)
    others = tuple(_statement(context, one, unit, target) for one in _also(entry))
    low, high = _range(
        entry, value, [one.value for one in others], lambda one: _converted(context, one, unit, target)
    )
    said = _statement(context, {**entry, "unit": unit}, unit, target)
    like = entry.get("like", "")
    if not isinstance(like, str):
        raise BadEntry(f"like {like!r} is not a text; write the key of the number whose luck it shares")
    number = Number(said.value, target, key, said.source, said.confidence, low, high, said.note, others)
    return replace(number, like=like)


def _range(
    entry: Mapping[str, Any], value: float, others: list[float], converted: Callable[[float], float]
) -> tuple[float, float]:
    """`low` and `high` as given, otherwise the ends of all that sources say."""
    said = [converted(value), *others]
    low = converted(_value(entry, "low")) if "low" in entry else min(said)
    high = converted(_value(entry, "high")) if "high" in entry else max(said)
    return low, high


def _found(context: Context, key: str, found: Found, wanted: str) -> Number:
    target = _target(found.unit, wanted)
    value, low, high = (
        _converted(context, one, found.unit, target)
        for one in (
            found.value,
            found.value if found.low is None else found.low,
            found.value if found.high is None else found.high,
        )
    )
    return Number(value, target, key, found.source, found.confidence, low, high, found.note)


def _also(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    also = entry.get("also", [])
    if not isinstance(also, list) or not all(isinstance(one, dict) for one in also):
        raise BadEntry(
            "also: write a list of what other sources say, [{ value = …, source = …, confidence = … }]"
        )
    for one in also:
        if unknown := sorted(one.keys() - set(SAID)):
            raise BadEntry(f"also: does not know {', '.join(unknown)}; there are {', '.join(SAID)}")
        if not one.get("source"):
            raise BadEntry("also: a second number needs a source of its own")
    return also


def _statement(context: Context, entry: Mapping[str, Any], unit: str, target: str) -> Statement:
    value = _converted(context, _value(entry, "value"), entry.get("unit", unit), target)
    for part in ("source", "confidence", "note"):
        if not isinstance(entry.get(part, ""), str):
            raise BadEntry(f"{part} {entry[part]!r} is not a text; put it into quotes")
    source, confidence = entry.get("source", ""), entry.get("confidence", "")
    if source and source not in context.sources:
        raise BadEntry(f'source "{source}" is not under [sources]; add the document there')
    if source and not confidence:
        raise BadEntry(f"a source without confidence; add confidence = …, one of {', '.join(CONFIDENCES)}")
    if confidence and confidence not in CONFIDENCES:
        raise BadEntry(f'confidence "{confidence}"; choose one of {", ".join(CONFIDENCES)}')
    if confidence and confidence != ASSUMED and not source:
        raise BadEntry(f"confidence {confidence} without a source; name the document, or write assumption")
    return Statement(value, context.sources.get(source, ""), confidence or ASSUMED, entry.get("note", ""))


def _value(entry: Mapping[str, Any], name: str) -> float:
    if name not in entry:
        raise BadEntry(f"has no {name}; add {name} = … to it")
    value = entry[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadEntry(f"{name} {value!r} is not a number; write it without quotes, the unit as unit = …")
    return _float(value)


def _float(value: float) -> float:
    """Integers of a file may be longer than a float can hold."""
    if not abs(value) < LARGEST:
        raise BadEntry("too large to be meant")
    return float(value)
