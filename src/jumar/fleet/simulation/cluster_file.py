"""Reads a cluster's TOML file: every number with its source and range, from which replicas draw and clusters are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jumar.fleet import found
from jumar.fleet.number import Number
from jumar.fleet.quantity import Context, Finder, Found
from jumar.fleet.reading import BadFile, Schema, Section, parse, schema
from jumar.fleet.simulation import checking
from jumar.fleet.simulation.building import Values, build
from jumar.fleet.simulation.cluster import Cluster
from jumar.fleet.simulation.drawing import stream

SCHEMA = Path(__file__).with_name("cluster.tsv")
NINETY_PERCENT = 1.6449  # standard deviations from the middle to either end of a 90 % range


@dataclass(frozen=True)
class ClusterFile:
    """What a file says. `texts` and `numbers` by dotted key, also where it says nothing and a default holds."""

    file: str
    texts: Mapping[str, Any]
    numbers: Mapping[str, Number]
    names: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str]

    def values(self) -> Values:
        """Everything as plain values, with numbers as written."""
        return {**self.texts, **{key: number.value for key, number in self.numbers.items()}}

    def cluster(self) -> Cluster:
        return build(self.values(), self.names)

    def lasting(self, days: float) -> ClusterFile:
        """The same for so many days."""
        return replace(
            self, numbers={**self.numbers, "days": Number(days, "day", "days", note="given by hand")}
        )

    def drawn(self, seed: int, given: Mapping[str, Any] | None = None) -> Cluster:
        """With each number that has a range drawn from it: `low` and `high` hold 90 % of what it may be; then with
        what is given instead."""
        draws = {
            key: draw(number, stream(seed, f"number {number.like or key}"))
            for key, number in self.numbers.items()
            if number.uncertain
        }
        return build({**self.values(), **draws, **(given or {})}, self.names)


def load(path: Path, finders: Mapping[str, Finder] | None = None) -> ClusterFile:
    """`finders` knows numbers that are kept elsewhere, by the word that asks for them (`run`); `profile` is known
    here. BadFile names file, key and what is allowed."""
    record = parse(path)
    whole = Section(schema(SCHEMA), Context(path.name), record)
    whole.check_names()
    sources = {name: whole.section("sources").read(name) for name in record.get("sources", {})}
    known: dict[str, Finder] = {"profile": _of_a_chip, **(finders or {})}
    section = Section(whole.schema, Context(path.name, sources, finders=known), record)
    read = dict(_entries(section, record))
    names = {group: tuple(record.get(group, {})) for group in ("failures", "work", "deliveries", "heat")}
    numbers = {key: entry for key, entry in read.items() if isinstance(entry, Number)}
    texts = {key: entry for key, entry in read.items() if not isinstance(entry, Number)}
    for key, number in numbers.items():
        if number.like and (number.like not in numbers or numbers[number.like].like):
            raise _bad(
                path.name, key, f'like "{number.like}" is not the key of a number that is drawn by itself'
            )
    made = ClusterFile(path.name, texts, numbers, names, sources)
    checking.check(made.values(), names, partial(_bad, path.name))
    return made


def _bad(file: str, key: str, what: str) -> BadFile:
    return BadFile(f"{file}: {key}: {what}")


def _of_a_chip(key: str, entry: Mapping[str, Any]) -> Found:
    """A number of a chip's file, in its own unit: everything here is of one chip."""
    of_chip = found.profile(key, entry)
    return replace(of_chip, unit=of_chip.unit.removesuffix("/chip"))


def _entries(section: Section, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every key that the table knows, for each name that the file chose."""
    for key in _keys(section.schema, record):
        *groups, name = key.split(".")
        below = section
        for group in groups:
            below = below.section(group)
        yield key, below.read(name)


def _keys(table: Schema, record: Mapping[str, Any]) -> Iterator[str]:
    for pattern in table.rows:
        group, star, rest = pattern.partition(".*")
        if group == "sources" or (group.startswith("heat.") and "heat" not in record):
            continue
        if not star:
            yield pattern
            continue
        for name in record.get(group, {}):
            yield f"{group}.{name}{rest}"


def draw(number: Number, rng: np.random.Generator) -> float:
    """One value: normal in its logarithm (or, if it may be 0, in itself), with the two sides as wide as given."""
    place = float(rng.normal()) / NINETY_PERCENT
    end = number.high if place > 0 else number.low
    if min(number.low, number.value) > 0:
        value = number.value * (end / number.value) ** abs(place)
    else:
        value = max(number.value + (end - number.value) * abs(place), number.low)
    return min(value, 1.0) if number.unit == "share" else float(value)
