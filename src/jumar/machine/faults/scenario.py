"""Scenarios: which faults strike which chips when, read from TOML and checked; rates are drawn by the file's seed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jumar.machine.faults import catalogue
from jumar.machine.faults.injection import Injection

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|min|h|d)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
TOP = ("name", "seed", "fault", "rate")
FAULT = ("kind", "chip", "after", "at", "count", "lasting", "every", "amount", "seed")
RATE = ("kind", "chips", "every", "most")
LARGEST = 2**53
MOST = 16  # faults drawn of one rate, unless told


class BadScenario(ValueError):
    """A scenario that cannot be used; the message names file, entry and remedy."""


@dataclass(frozen=True)
class Rate:
    """Faults that come at random, independent of each other. `kind` None: any, in the shares of `shares.tsv`. `chips`
    empty: all. `mean`: seconds of the chips' time, or operators of a chip, between two of them on the whole server."""

    mean: float
    in_operators: bool
    kind: catalogue.Kind | None = None
    chips: tuple[int, ...] = ()
    most: int = MOST


@dataclass(frozen=True)
class Scenario:
    """What a file says."""

    name: str
    seed: int
    faults: tuple[Injection, ...]
    rates: tuple[Rate, ...]


def read(path: Path) -> Scenario:
    """The scenario in that file; BadScenario if it cannot be used."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadScenario(f"{path}: cannot be read: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadScenario(f"{path.name}: not valid TOML: {error}") from error
    return build(table, path.name)


def build(table: Mapping[str, Any], file: str) -> Scenario:
    """The scenario that a parsed file describes."""
    _known(table, TOP, file)
    seed = _whole(table, "seed", file, 0, default=0)
    faults = [fault(entry, f"{file}: {said}", seed) for said, entry in _entries(table, "fault", file)]
    rates = [_rate(entry, f"{file}: {said}") for said, entry in _entries(table, "rate", file)]
    if not faults and not rates:
        raise BadScenario(f"{file}: nothing happens; write a [[fault]] or a [[rate]]")
    return Scenario(str(table.get("name", file)), seed, tuple(faults), tuple(rates))


def seconds(text: object, where: str) -> float:
    """A duration such as "40s" or "2.5 h"; BadScenario for anything else."""
    found = DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise BadScenario(f'{where}: {text!r} is no duration; write a number and a unit, as in "40s" or "2h"')
    return float(found[1]) * SECONDS[found[2]]


def fault(entry: Mapping[str, Any], where: str, seed: int = 0) -> Injection:
    """The fault that one entry describes."""
    _known(entry, FAULT, where)
    if "after" in entry and "at" in entry:
        raise BadScenario(f"{where}: after and at exclude each other; leave one out")
    if "chip" not in entry:
        raise BadScenario(f"{where}: chip is missing; write chip = 0 for the first")
    amount = entry.get("amount")
    if amount is not None and (
        isinstance(amount, bool) or not isinstance(amount, (int, float)) or amount <= 0
    ):
        raise BadScenario(f"{where}: amount {amount!r}: give a number above 0")
    return Injection(
        kind=_kind(entry, where),
        chip=_whole(entry, "chip", where, 0),
        after_operators=_whole(entry, "after", where, 0) if "after" in entry else None,
        at_s=seconds(entry["at"], f"{where}: at") if "at" in entry else None,
        count=_whole(entry, "count", where, 0, default=1),
        **_span(entry, "lasting", where),
        **_span(entry, "every", where),
        amount=amount,
        seed=_whole(entry, "seed", where, 0, default=seed),
    )


def _span(entry: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """A number of operators, or a duration in the chip's time."""
    if key not in entry:
        return {}
    if isinstance(entry[key], int):
        return {f"{key}_operators": _whole(entry, key, where, 1)}
    return {f"{key}_s": seconds(entry[key], f"{where}: {key}")}


def _rate(entry: Mapping[str, Any], where: str) -> Rate:
    _known(entry, RATE, where)
    if "every" not in entry:
        raise BadScenario(
            f'{where}: every is missing; write every = "2h", or every = 5000 operators of a chip'
        )
    span = _span(entry, "every", where)
    mean, in_operators = next(iter(span.values())), "every_operators" in span
    if mean <= 0:
        raise BadScenario(f"{where}: every {entry['every']!r}: give more than nothing")
    chips = entry.get("chips", [])
    if not isinstance(chips, list) or not all(type(chip) is int and chip >= 0 for chip in chips):
        raise BadScenario(f"{where}: chips {chips!r}: write a list of numbers, as in [0, 3]")
    kind = _kind(entry, where) if "kind" in entry else None
    most = _whole(entry, "most", where, 1, default=MOST)
    return Rate(float(mean), in_operators, kind, tuple(chips), most)


def _kind(entry: Mapping[str, Any], where: str) -> catalogue.Kind:
    if not isinstance(entry.get("kind"), str):
        raise BadScenario(f"{where}: kind is missing; `jumar inject --list` shows which there are")
    try:
        return catalogue.find(entry["kind"])
    except catalogue.UnknownKind as error:
        raise BadScenario(f"{where}: {error}") from error


def _entries(table: Mapping[str, Any], key: str, file: str) -> list[tuple[str, Mapping[str, Any]]]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadScenario(f"{file}: {key}: write each as [[{key}]]")
    return [(f"{key} {number}", entry) for number, entry in enumerate(found, 1)]


def _known(entry: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(entry) - set(keys)):
        raise BadScenario(f"{where}: {unknown[0]} is no key; there are {', '.join(keys)}")


def _whole(entry: Mapping[str, Any], key: str, where: str, least: int, default: int | None = None) -> int:
    value = entry.get(key, default)
    if type(value) is not int or not least <= value <= LARGEST:
        raise BadScenario(f"{where}: {key} {value!r}: give a whole number from {least}")
    return value
