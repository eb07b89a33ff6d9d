"""Finds numbers of a scenario that stand in other files: person-days of a scan, price and power of a chip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jumar.chips import BadProfile, Chip, UnknownChip, find
from jumar.fleet.quantity import BadEntry, Found

WAYS = {
    "by_hand": "every finding by a person",
    "with_port": "what `jumar port` edits is only looked at",
    "unchanged": "only what `jumar run` does not take care of",
}


@dataclass(frozen=True)
class Scans:
    """Reads `{ scan = "FILE", way = "with_port" }`, where FILE is what `jumar scan --json` printed."""

    folder: Path

    def __call__(self, key: str, entry: Mapping[str, Any]) -> Found:
        if unknown := sorted(entry.keys() - {"scan", "way", "note"}):
            raise BadEntry(f"does not know {', '.join(unknown)} beside scan; there are way, note")
        if not isinstance(entry["scan"], str):
            raise BadEntry("scan: write the name of the file in quotes")
        way = entry.get("way", "with_port")
        if not isinstance(way, str) or way not in WAYS:
            raise BadEntry(f'way "{way}"; choose one of {", ".join(WAYS)}')
        estimate = self._estimate(entry["scan"])
        low, high = estimate[way]
        note = f"{WAYS[way]}; the middle of {low:g} to {high:g} person-days, {estimate['assumed']:.0%} assumed rates"
        note = f"{note}; {entry['note']}" if entry.get("note") else note
        return Found(
            (low + high) / 2, "person-day", f"jumar scan, {entry['scan']}", "derived", note, low, high
        )

    def _estimate(self, name: str) -> Mapping[str, Any]:
        path = self.folder / name
        try:
            estimate = json.loads(path.read_text(encoding="utf-8"))["person_days"]
            return {
                **{way: tuple(map(float, estimate[way])) for way in WAYS},
                "assumed": float(estimate["assumed"]),
            }
        except OSError as error:
            raise BadEntry(
                f"{path}: cannot be read: {error.strerror}; make it with `jumar scan --json REPO > {name}`"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadEntry(
                f"{name}: has no person_days; make it with `jumar scan --json REPO > {name}`"
            ) from error


def profile(key: str, entry: Mapping[str, Any]) -> Found:
    """Reads `{ profile = "h20", quantity = "price.chip" }`."""
    quantity, named = entry.get("quantity", ""), entry["profile"]
    if unknown := sorted(entry.keys() - {"profile", "quantity"}):
        raise BadEntry(f"does not know {', '.join(unknown)} beside profile; there is quantity")
    try:
        chip = named if isinstance(named, Chip) else find(str(named))
    except (UnknownChip, BadProfile) as error:
        raise BadEntry(str(error)) from error
    if not isinstance(quantity, str) or quantity not in chip.quantities:
        raise BadEntry(f"{chip.name} has no {quantity!r}; `jumar chips show {chip.name}` lists what it has")
    said = chip.quantities[quantity]
    note = "; ".join(part for part in (f"{quantity} of {chip.name}", said.date, said.note) if part)
    unit = f"{said.unit}/chip/hour" if quantity.endswith(".hour") else f"{said.unit}/chip"
    return Found(float(said.value), unit, said.source, said.confidence, note)
