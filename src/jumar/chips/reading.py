"""Reads a chip file and refuses one in which a number lacks its unit, source or confidence."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jumar.chips import schema, units
from jumar.chips.profile import CONFIDENCES, NAME, BadProfile, Chip, Quantity

NEED_A_NOTE = ("derived", "assumption")
TEXTS = ("name", "title", "vendor", "generation", "architecture", "device")
OPTIONAL_TEXTS = ("soc", "packaged_in")
LINK_TYPE = re.compile(r"link\.(host|chip|die|network)\.type")
LARGEST = 1e30  # refuses infinity, not-a-number, and what no float can hold
DATE = re.compile(r"20\d\d(-(0[1-9]|1[0-2])){0,1}")
PARTS = ("value", "unit", "source", "confidence")
# Pairs of which the first must not exceed the second.
ORDERED = (
    ("clock.rated", "clock.burst"),
    ("clock.idle", "clock.rated"),
    ("power.idle", "power.typical"),
    ("power.typical", "power.limit"),
    ("temperature.normal", "temperature.throttle"),
    ("temperature.throttle", "temperature.shutdown"),
)


def load(path: Path) -> Chip:
    """Reads one chip file; BadProfile if it is not complete."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadProfile(f"{path}: cannot be read: {error.strerror}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadProfile(f"{path.name}: not valid TOML: {error}") from error
    return build(record, path.name)


def build(record: Mapping[str, Any], file: str) -> Chip:
    """The chip that a parsed file describes."""
    texts = _texts(record, file)
    sources = record.get("sources", {})
    if not isinstance(sources, dict) or not all(isinstance(one, str) and one for one in sources.values()):
        raise BadProfile(f'{file}: sources: write one line `short = "the document"` for each')
    quantities, links = {}, {}
    for key, entry in _entries(record):
        if LINK_TYPE.fullmatch(key):
            if not isinstance(entry, str):
                raise BadProfile(f'{file}: {key}: {entry!r} is not a text; write type = "…"')
            links[key.split(".")[1]] = entry
        else:
            quantities[key] = _quantity(file, key, entry, sources)
    _check_whole(file, texts["architecture"], quantities)
    order = {key: number for number, key in enumerate(schema.rules())}
    ordered = dict(sorted(quantities.items(), key=lambda item: order[item[0]]))
    return Chip(
        aliases=tuple(record.get("aliases", ())),
        quantities=MappingProxyType(ordered),
        links=MappingProxyType(links),
        **texts,
    )


def _texts(record: Mapping[str, Any], file: str) -> dict[str, str]:
    for key in TEXTS:
        if not isinstance(record.get(key), str) or not record[key]:
            raise BadProfile(f'{file}: {key}: missing; add a line {key} = "…"')
    for key, entry in record.items():
        if not isinstance(entry, dict) and key not in (*TEXTS, *OPTIONAL_TEXTS, "aliases"):
            raise BadProfile(f"{file}: {key}: unknown; take it out, or give it a section as in [memory]")
        if key in OPTIONAL_TEXTS and not isinstance(entry, str):
            raise BadProfile(f'{file}: {key}: {entry!r} is not a text; write {key} = "…"')
    aliases = record.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(one, str) and one for one in aliases):
        raise BadProfile(f'{file}: aliases: write a list of names, as in ["X1", "X-1"]')
    if not NAME.fullmatch(record["name"]):
        raise BadProfile(f"{file}: name: {record['name']!r}: use letters, digits, and . _ + - only")
    if record["architecture"] not in schema.ARCHITECTURES:
        raise BadProfile(
            f'{file}: architecture: "{record["architecture"]}"; choose one of {", ".join(schema.ARCHITECTURES)}'
        )
    return {key: record[key] for key in (*TEXTS, *OPTIONAL_TEXTS) if key in record}


def _entries(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every number with its dotted key: a table with a value is one, any other table is a section."""
    for name, entry in record.items():
        key = f"{prefix}{name}"
        if prefix == "" and (name == "sources" or not isinstance(entry, dict)):
            continue
        if isinstance(entry, dict) and "value" not in entry and key not in schema.rules():
            yield from _entries(entry, f"{key}.")
        else:
            yield key, entry


def _quantity(file: str, key: str, entry: Any, sources: Mapping[str, str]) -> Quantity:
    if key not in schema.rules():
        raise BadProfile(f"{file}: {key}: unknown key; {schema.nearest(key)}")
    rule = schema.rules()[key]
    if not isinstance(entry, dict):
        raise BadProfile(
            f"{file}: {key}: a bare {entry!r}; "
            f"write {{ value = {entry!r}, unit = …, source = …, confidence = … }}"
        )
    parts = (*PARTS, "date") if rule.dated else PARTS
    for part in parts:
        if entry.get(part) in (None, ""):
            raise BadProfile(f"{file}: {key}: has no {part}; add {part} = … to it")
    if unknown := entry.keys() - {*parts, "note"}:
        raise BadProfile(
            f"{file}: {key}: does not know {', '.join(sorted(unknown))}; keep the text for note = …"
        )
    for part in ("unit", "source", "confidence", "note", "date"):
        if not isinstance(entry.get(part, ""), str):
            raise BadProfile(f"{file}: {key}: {part} {entry[part]!r} is not a text; put it into quotes")
    value, unit = _measure(file, key, rule, entry)
    _check_origin(file, key, rule, entry, sources)
    return Quantity(
        value,
        unit,
        sources[entry["source"]],
        entry["confidence"],
        entry.get("note", ""),
        entry.get("date", ""),
    )


def _measure(file: str, key: str, rule: schema.Rule, entry: Mapping[str, Any]) -> tuple[int | float, str]:
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadProfile(f"{file}: {key}: value {value!r} is not a number; write it without quotes")
    if not abs(value) < LARGEST:
        raise BadProfile(
            f"{file}: {key}: no number of a chip is that large; write what it is, or drop the line"
        )
    if value < 0 or (value == 0 and not rule.zero):
        kind = "0 or more" if rule.zero else "more than 0"
        raise BadProfile(f"{file}: {key}: {value} cannot be; it must be {kind}")
    try:
        unit = units.canonical(entry["unit"])
    except units.UnknownUnit as error:
        raise BadProfile(f"{file}: {key}: {error}; give it in {' or '.join(rule.units())}") from error
    if unit not in rule.units():
        raise BadProfile(
            f"{file}: {key}: {entry['unit']} is not a unit of it; give it in {' or '.join(rule.units())}"
        )
    return units.convert(value, entry["unit"]), unit


def _check_origin(
    file: str, key: str, rule: schema.Rule, entry: Mapping[str, Any], sources: Mapping[str, str]
) -> None:
    if entry["source"] not in sources:
        raise BadProfile(
            f'{file}: {key}: source "{entry["source"]}" is not under [sources]; add the document there'
        )
    if entry["confidence"] not in CONFIDENCES:
        raise BadProfile(
            f'{file}: {key}: confidence "{entry["confidence"]}"; choose one of {", ".join(CONFIDENCES)}'
        )
    if entry["confidence"] in NEED_A_NOTE and not entry.get("note"):
        raise BadProfile(
            f"{file}: {key}: {entry['confidence']} without a note; add note = … with how it was found"
        )
    if rule.dated and not DATE.fullmatch(entry["date"]):
        raise BadProfile(f'{file}: {key}: date "{entry["date"]}"; write a year or a month, as in "2025-03"')


def _check_whole(file: str, architecture: str, quantities: Mapping[str, Quantity]) -> None:
    for rule in schema.rules().values():
        if rule.needed(architecture) and rule.key not in quantities:
            raise BadProfile(
                f"{file}: {rule.key}: missing ({rule.meaning}); add it in {' or '.join(rule.units())} "
                f'with its source, or with confidence = "assumption" and a note'
            )
    if not any(key in quantities for key in schema.TRAINING_PEAKS):
        raise BadProfile(
            f"{file}: {schema.TRAINING_PEAKS[0]}: missing; give it, or {schema.TRAINING_PEAKS[1]}"
        )
    for low, high in ORDERED:
        if low in quantities and high in quantities and quantities[low].value > quantities[high].value:
            raise BadProfile(
                f"{file}: {low}: {quantities[low].text()} is more than {high}, {quantities[high].text()}; "
                f"correct one of them"
            )
