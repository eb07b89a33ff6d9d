"""Reads the TOML files of the fleet against a table of their keys, and refuses what the table does not allow.

A table (`scenario.tsv`) has one row a key: what kind of thing stands there, its unit, its limits, what holds where
nothing is said, and what it means. `*` in a key is a name that the file chooses.
"""

from __future__ import annotations

import csv
import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jumar.fleet import units
from jumar.fleet.number import Month, Number, Series
from jumar.fleet.quantity import BadEntry, Context, number, numbers

NEEDED, ABSENT = "needed", "absent"
Made = TypeVar("Made")


class BadFile(ValueError):
    """A file that cannot be used as it is: the message names file, key and what is allowed."""


@dataclass(frozen=True)
class Row:
    """What may stand at a key. `default`: NEEDED, ABSENT (the reader gives None) or what holds if nothing is said."""

    key: str
    kind: str
    unit: str
    least: float
    most: float
    default: str
    meaning: str

    @property
    def needed(self) -> bool:
        return self.default == NEEDED


@dataclass(frozen=True)
class Schema:
    """The rows of one table, by key."""

    name: str
    rows: Mapping[str, Row]
    met: dict[str, Row | None] = field(
        default_factory=dict, repr=False, compare=False
    )  # keys asked for before

    def row(self, key: str) -> Row | None:
        """The row of a key in a file, `chips.h20.price` for `chips.*.price`."""
        if key not in self.met:
            self.met[key] = self.rows.get(key) or next(self._starred(key), None)
        return self.met[key]

    def _starred(self, key: str) -> Iterator[Row]:
        parts = key.split(".")
        for pattern, row in self.rows.items():
            names = pattern.split(".")
            if len(names) == len(parts) and all(a in ("*", b) for a, b in zip(names, parts, strict=True)):
                yield row

    def below(self, key: str) -> list[str]:
        """Names that may follow a key; "*" is any."""
        depth = key.count(".") + 1 if key else 0
        found = [
            name.split(".")[depth] for name in self.rows if _leads(key, name) and name.count(".") >= depth
        ]
        return list(dict.fromkeys(found))


def _leads(key: str, pattern: str) -> bool:
    names, parts = pattern.split("."), key.split(".") if key else []
    return len(names) > len(parts) and all(a in ("*", b) for a, b in zip(names, parts, strict=False))


@cache
def schema(path: Path) -> Schema:
    """Reads a table of keys."""
    with path.open(encoding="utf-8", newline="") as table:
        rows = [
            Row(
                row["key"],
                row["kind"],
                row["unit"],
                float(row["least"] or "-inf"),
                float(row["most"] or "inf"),
                row["default"],
                row["meaning"],
            )
            for row in csv.DictReader(table, delimiter="\t")
        ]
    return Schema(path.name, {row.key: row for row in rows})


def parse(path: Path) -> dict[str, Any]:
    """The TOML of a file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path.name}: not valid TOML: {error}") from error


@dataclass(frozen=True)
class Section:
    """A part of a file under a dotted key. Reading asks the schema what may stand there."""

    schema: Schema
    context: Context
    record: Mapping[str, Any]
    key: str = ""
    start: Month | None = None  # from which months are counted

    def read(self, name: str) -> Any:
        """What stands at a name below, as its row says; None where it may be absent and is."""
        row = self.schema.row(self.place(name))
        if row is None:
            raise KeyError(f"{self.schema.name} has no row for {self.place(name)}")
        if name in self.record:
            return self._entry(name, row, self.record[name])
        if row.needed:
            how = f" in {row.unit}" if row.unit else ""
            raise self.bad(name, f"missing ({row.meaning}); add it{how}")
        return None if row.default == ABSENT else self._entry(name, row, row.default, stated=False)

    def make(self, kind: type[Made], **more: Any) -> Made:
        """A dataclass whose fields are read at their names, besides those given."""
        names = [one.name for one in fields(kind) if one.name not in more]  # type: ignore[arg-type]
        return kind(**{name: self.read(name) for name in names}, **more)

    def section(self, name: str) -> Section:
        """The part below a name; empty if there is none, so that what is missing in it is named."""
        record = self.record.get(name, {})
        if not isinstance(record, dict):
            raise self.bad(name, f"{record!r} is no section; write [{self.place(name)}] and lines below it")
        return Section(self.schema, self.context, record, self.place(name), self.start)

    def sections(self, name: str) -> dict[str, Section]:
        """The named parts below a name."""
        whole = self.section(name)
        return {one: whole.section(one) for one in whole.record}

    def has(self, name: str) -> bool:
        return name in self.record

    def place(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name

    def bad(self, name: str, what: str) -> BadFile:
        return BadFile(f"{self.context.file}: {self.place(name) if name else self.key}: {what}")

    def check_names(self) -> None:
        """Refuses names that the schema does not know, here and below."""
        allowed = self.schema.below(self.key)
        for name, entry in self.record.items():
            row = self.schema.row(self.place(name))
            if name not in allowed and "*" not in allowed:
                raise self.bad(name, f"unknown; {_hint(name, allowed)}")
            if "." in name or not name:
                raise self.bad(name, "a name cannot be empty or have a dot in it; choose another")
            if isinstance(entry, dict) and row is None:
                self.section(name).check_names()

    def _entry(self, name: str, row: Row, entry: Any, stated: bool = True) -> Any:
        try:
            return READERS[row.kind](self, self.place(name), row, entry, stated)
        except (BadEntry, units.BadUnit) as error:
            raise self.bad(name, str(error)) from error


def _hint(name: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(name, allowed, n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(allowed)}"


def _number(section: Section, key: str, row: Row, entry: Any, stated: bool) -> Number:
    return number(section.context, key, entry, row.unit, row.least, row.most, stated)


def _numbers(section: Section, key: str, row: Row, entry: Any, stated: bool) -> tuple[Number, ...]:
    return numbers(section.context, key, entry, row.unit, row.least, row.most, stated)


def _series(section: Section, key: str, row: Row, entry: Any, stated: bool) -> Series:
    """A number, or `{ "2025-07" = …, "2026-01" = … }`; either with `growth` a year."""
    growth = None
    if isinstance(entry, dict) and "growth" in entry:
        growth = number(section.context, f"{key}.growth", entry["growth"], "share/year", -0.99, 100.0, stated)
        entry = {name: value for name, value in entry.items() if name != "growth"}
    whole = {"value", *section.context.finders}
    if not isinstance(entry, dict) or not entry or whole & entry.keys():
        return Series(((0, _number(section, key, row, entry, stated)),), growth)
    steps = sorted((_index(section, name), name) for name in entry)
    read = ((index, _number(section, f"{key}.{name}", row, entry[name], stated)) for index, name in steps)
    return Series(tuple(read), growth)


def _index(section: Section, text: Any) -> int:
    try:
        month = Month.of(str(text))
    except ValueError as error:
        raise BadEntry(str(error)) from error
    if section.start is None:
        raise BadEntry("no month can stand here")
    return month - section.start


def _month(section: Section, key: str, row: Row, entry: Any, stated: bool) -> int:
    return _index(section, entry)


def _text(section: Section, key: str, row: Row, entry: Any, stated: bool) -> str:
    if not isinstance(entry, str) or (not entry and stated):
        raise BadEntry(f"{entry!r} is not a text; put it into quotes")
    choices = row.unit.split("|") if row.unit else []
    if choices and entry not in choices:
        raise BadEntry(f'"{entry}"; choose one of {", ".join(choices)}')
    return entry


def _names(section: Section, key: str, row: Row, entry: Any, stated: bool) -> tuple[str, ...]:
    listed = entry.split() if not stated else entry
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise BadEntry('write a list of names, as in ["h20", "910b"]')
    return tuple(listed)


def _flag(section: Section, key: str, row: Row, entry: Any, stated: bool) -> bool:
    if not stated:
        return bool(entry == "true")
    if not isinstance(entry, bool):
        raise BadEntry(f"{entry!r}; write true or false")
    return entry


READERS: dict[str, Callable[[Section, str, Row, Any, bool], Any]] = {
    "number": _number,
    "numbers": _numbers,
    "series": _series,
    "month": _month,
    "text": _text,
    "names": _names,
    "flag": _flag,
}
