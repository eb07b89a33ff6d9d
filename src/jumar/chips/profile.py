"""Loads chip profiles and refuses a file in which a number lacks its unit, source or confidence."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

DEFAULT = "Ascend910B2"

CONFIDENCES = {
    "vendor": "published by the maker",
    "vendor-2nd": "published by the maker, read in a transcription",
    "measured": "measured by somebody who published the measurement",
    "press": "reported by the press or an analyst",
    "derived": "computed from other numbers here; the note says how",
    "recalled": "from memory, no document at hand",
}
# Without these a virtual server cannot be set up: key -> unit.
REQUIRED = {"memory.size": "B", "core.cube": "core", "core.vector": "core", "cache.l2": "B"}
TEXTS = ("name", "title", "vendor", "generation", "device")
QUANTITY_KEYS = frozenset({"value", "unit", "source", "confidence", "note"})


class BadProfile(ValueError):
    """A chip file that says too little: the message names file, key and remedy."""


class UnknownChip(LookupError):
    """No chip has this name: the message names the nearest ones."""


@dataclass(frozen=True)
class Quantity:
    """One number about a chip. `source` is the document itself; `note` says how it was read."""

    value: int | float
    unit: str
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True)
class Chip:
    """One accelerator as a program sees it. `name` is the driver's; `device` says what one is."""

    name: str
    title: str
    vendor: str
    generation: str
    device: str
    aliases: tuple[str, ...]
    quantities: Mapping[str, Quantity] = field(repr=False)

    def number(self, key: str, unit: str) -> int | float:
        """The value of `section.key`, which must be given in `unit`; KeyError if it is not in the file."""
        quantity = self.quantities[key]
        if quantity.unit != unit:
            raise BadProfile(
                f"{self.name}: {key} is in {quantity.unit}, not in {unit}: convert it where it is used"
            )
        return quantity.value

    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


def load(path: Path) -> Chip:
    """Reads one chip file; BadProfile if it is not complete."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadProfile(f"{path.name}: not valid TOML: {error}") from error
    for key in TEXTS:
        if not isinstance(record.get(key), str) or not record[key]:
            raise BadProfile(f'{path.name}: {key}: missing; add a line {key} = "…"')
    sources = record.get("sources", {})
    quantities = {
        f"{section}.{key}": _quantity(path.name, f"{section}.{key}", entry, sources)
        for section, entries in record.items()
        if isinstance(entries, dict) and section != "sources"
        for key, entry in entries.items()
    }
    for key, unit in REQUIRED.items():
        if key not in quantities or quantities[key].unit != unit:
            raise BadProfile(f"{path.name}: {key}: every chip must give it in {unit}; add it with its source")
    texts = {key: record[key] for key in TEXTS}
    return Chip(aliases=tuple(record.get("aliases", ())), quantities=MappingProxyType(quantities), **texts)


def _quantity(file: str, key: str, entry: Any, sources: Mapping[str, str]) -> Quantity:
    if not isinstance(entry, dict):
        raise BadProfile(
            f"{file}: {key}: a bare {entry!r}; "
            f"write {{ value = {entry!r}, unit = …, source = …, confidence = … }}"
        )
    for part in ("value", "unit", "source", "confidence"):
        if entry.get(part) in (None, ""):
            raise BadProfile(f"{file}: {key}: has no {part}; add {part} = … to it")
    if unknown := entry.keys() - QUANTITY_KEYS:
        raise BadProfile(
            f"{file}: {key}: does not know {', '.join(sorted(unknown))}; keep the text for note = …"
        )
    if isinstance(entry["value"], bool) or not isinstance(entry["value"], (int, float)):
        raise BadProfile(f"{file}: {key}: value {entry['value']!r} is not a number; write it without quotes")
    if entry["source"] not in sources:
        raise BadProfile(
            f'{file}: {key}: source "{entry["source"]}" is not under [sources]; add the document there'
        )
    if entry["confidence"] not in CONFIDENCES:
        raise BadProfile(
            f'{file}: {key}: confidence "{entry["confidence"]}"; choose one of {", ".join(CONFIDENCES)}'
        )
    return Quantity(**{**entry, "source": sources[entry["source"]]})


@cache
def all_chips() -> tuple[Chip, ...]:
    """Every chip that ships, the default first, then by name."""
    chips = [load(path) for path in Path(__file__).parent.glob("*.toml")]
    _check_names(chips)
    return tuple(sorted(chips, key=lambda chip: (chip.name != DEFAULT, chip.generation, chip.name)))


def _check_names(chips: list[Chip]) -> None:
    owner: dict[str, str] = {}
    for chip in chips:
        for name in chip.names():
            if owner.setdefault(name.lower(), chip.name) != chip.name:
                raise BadProfile(
                    f"{chip.name}.toml: aliases: {owner[name.lower()]} is called {name} too; drop one"
                )


def find(name: str) -> Chip:
    """The chip of that name or alias, in any case; UnknownChip with the nearest names otherwise."""
    by_name = {alias.lower(): (alias, chip) for chip in all_chips() for alias in chip.names()}
    wanted = name.strip().lower()
    if wanted in by_name:
        return by_name[wanted][1]
    near = difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(by_name[n][0] for n in near)}?" if near else "there is none like it."
    raise UnknownChip(f"unknown chip {name!r}: {hint} `jumar chips` lists all.")
