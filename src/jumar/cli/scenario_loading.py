"""Reads a scenario for a command: throughput that it takes from runs is priced here, mistakes become refusals."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import chips
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.fleet.quantity import Found
    from jumar.fleet.scenario import Scenario

COUNTED = {"tokens": "token", "samples": "request", "items": "request"}  # what runs count -> the fleet's unit
PARTS = ("run", "chip", "times", "note")


def load(path: Path) -> Scenario:
    """The scenario of a file. Refusal if it cannot be used."""
    from jumar.fleet import scenario_file
    from jumar.fleet.reading import BadFile

    try:
        return scenario_file.load(path, {"run": Runs(path)})
    except BadFile as error:
        raise Refusal(str(error)) from error


class Runs:
    """Prices `{ run = "last" }` on the chip at whose name it stands, for all chips of the run at once; `times` is
    what is left of that on more chips. A run is priced once a chip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.priced: dict[tuple[str, str], Found] = {}

    def __call__(self, key: str, entry: Mapping[str, Any]) -> Found:
        from dataclasses import replace

        from jumar.fleet.quantity import BadEntry

        if unknown := sorted(entry.keys() - set(PARTS)):
            raise BadEntry(f"does not know {', '.join(unknown)} beside run; there are {', '.join(PARTS)}")
        if not isinstance(entry["run"], str) or not isinstance(entry.get("chip", ""), str):
            raise BadEntry("write the names of run and chip in quotes")
        name, times = entry.get("chip") or self._profile(key), entry.get("times", 1.0)
        if isinstance(times, bool) or not isinstance(times, (int, float)) or not 0 < times <= 100:
            raise BadEntry(f"times {times!r}; write a number above 0, as in 0.85")
        if (entry["run"], name) not in self.priced:
            self.priced[entry["run"], name] = self._price(entry["run"], name)
        found = self.priced[entry["run"], name]
        note = "; ".join(one for one in (found.note, entry.get("note", "")) if one)
        low, high = (None if one is None else one * times for one in (found.low, found.high))
        return replace(found, value=found.value * times, low=low, high=high, note=note)

    def _profile(self, key: str) -> str:
        """The profile of the chip at whose name the entry stands."""
        from jumar.fleet.quantity import BadEntry

        option = (
            tomllib.loads(self.path.read_text(encoding="utf-8")).get("chips", {}).get(key.split(".")[-1], {})
        )
        if not option.get("profile"):
            raise BadEntry(
                'the chip has no profile to price a run on; give it one, or write { run = …, chip = "h20" }'
            )
        name = str(option["profile"])
        return str(self.path.parent / name) if name.endswith(".toml") else name

    def _price(self, run: str, name: str) -> Found:
        from jumar.fleet.quantity import BadEntry, Found

        row, folder = priced_row(self.path, run, name)
        if row["missing"] or not row["items"]:
            why = row["missing"] or "nothing in it tells what a step handles"
            raise BadEntry(f"the run {run} has no throughput on {name}: {why}")
        rate = row["items_per_second"] / row["chips"]
        unit = f"{COUNTED.get(row['items']['word'], 'request')}/s/chip"
        low, high = (rate * row["step_s"] / row[end] for end in ("high_s", "low_s"))
        note = f"a step of {row['step_s']:.4g} s on {row['chips']} of {row['chip']}, {row['items']['source']}"
        return Found(rate, unit, f"run {folder}, priced by jumar", "derived", note, low, high)


def priced_row(path: Path, run: str, chip: str) -> tuple[Mapping[str, Any], str]:
    """A run, beside the file or among all runs, on a chip, and the name of its folder; BadEntry if it has none."""
    from jumar.fleet.quantity import BadEntry
    from jumar.runs import comparing, directory
    from jumar.runs.priced import Options

    beside = path.parent / run
    try:
        folder = beside if beside.is_dir() else directory.find(run)
        priced = comparing.side_by_side(directory.read(folder), [chips.find(chip)], Options(), None)
    except (directory.BadRun, chips.UnknownChip, chips.BadProfile) as error:
        raise BadEntry(str(error)) from error
    return priced["rows"][0], folder.name
