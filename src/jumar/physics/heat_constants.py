"""Constants of power, heat and the governor, from `heat.toml`, where each stands with unit, confidence and note."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = Path(__file__).with_name("heat.toml")
CONFIDENCES = ("vendor", "measured", "press", "derived", "recalled", "assumption")
COOLINGS = ("air", "liquid", "degraded", "failed")


class BadConstants(ValueError):
    """A file of constants that cannot be used: the message names file, key and remedy."""


@dataclass(frozen=True)
class PowerConstants:
    """What units draw at their peak, as shares of what lies between idle and highest power; see heat.toml."""

    matrix_share: float
    vector_share: float
    memory_share: float
    link_share: float
    active_share: float
    memory_in_stacks: float
    idle_in_stacks: float
    leakage_per_k: float
    leakage_at_c: float
    voltage_slope: float
    voltage_floor: float
    part_spread: float


@dataclass(frozen=True)
class NodeConstants:
    """Time constants and rises of the nodes of a chip; see heat.toml."""

    die_s: float
    stack_s: float
    sink_s: float
    plate_s: float
    coolant_s: float
    die_rise_k: float
    stack_rise_k: float
    board_share: float
    flow_exponent: float
    chips_a_row: float


@dataclass(frozen=True)
class Cooling:
    """One way to cool a server. Rises hold at full flow and at the chip's highest power."""

    inlet_c: float
    flow: float
    sink_rise_k: float
    coolant_rise_k: float


@dataclass(frozen=True)
class GovernorConstants:
    """Clocks and thresholds relative to the temperatures of the chip's file; see heat.toml."""

    levels: float
    lowest_share: float
    spread_share: float
    hysteresis_k: float
    power_band: float
    period_s: float
    memory_c: float
    memory_shutdown_k: float


@dataclass(frozen=True)
class Constants:
    """All of them; `words` says what each cooling is."""

    power: PowerConstants
    node: NodeConstants
    governor: GovernorConstants
    cooling: Mapping[str, Cooling]
    words: Mapping[str, str]


def load_constants(path: Path = FILE) -> Constants:
    """Reads and checks a file of constants; BadConstants if anything is missing, unknown or without a note."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadConstants(f"{path.name}: not valid TOML: {error}") from error
    coolings = record.get("cooling", {})
    if set(coolings) != set(COOLINGS):
        raise BadConstants(f"{path.name}: cooling: give exactly {', '.join(COOLINGS)}")
    return Constants(
        power=PowerConstants(**_values(path.name, "power", record, PowerConstants)),
        node=NodeConstants(**_values(path.name, "node", record, NodeConstants)),
        governor=GovernorConstants(**_values(path.name, "governor", record, GovernorConstants)),
        cooling=MappingProxyType(
            {name: Cooling(**_values(path.name, name, coolings, Cooling)) for name in COOLINGS}
        ),
        words=MappingProxyType({name: str(coolings[name].get("words", name)) for name in COOLINGS}),
    )


def _values(file: str, section: str, record: Mapping[str, Any], of: type) -> dict[str, float]:
    entries = {key: entry for key, entry in record.get(section, {}).items() if key != "words"}
    names = {field.name for field in fields(of)}
    for key in sorted(names ^ set(entries)):
        remedy = (
            "add it with value, unit, confidence and note" if key in names else "no such constant; remove it"
        )
        raise BadConstants(f"{file}: {section}.{key}: {remedy}")
    return {key: _value(file, f"{section}.{key}", entry) for key, entry in entries.items()}


def _value(file: str, key: str, entry: Any) -> float:
    for needed in ("value", "unit", "confidence", "note"):
        if not isinstance(entry, dict) or needed not in entry:
            raise BadConstants(f"{file}: {key}: has no {needed}; add it")
    if entry["confidence"] not in CONFIDENCES:
        raise BadConstants(f"{file}: {key}: confidence {entry['confidence']!r}; use {', '.join(CONFIDENCES)}")
    if entry["confidence"] not in ("assumption", "recalled") and not entry.get("source"):
        raise BadConstants(f"{file}: {key}: {entry['confidence']} without a source; name it")
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise BadConstants(f"{file}: {key}: value {value!r}; give a number above 0")
    return float(value)


@cache
def constants() -> Constants:
    """The constants that ship, read once."""
    return load_constants()
