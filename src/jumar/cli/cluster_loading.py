"""Reads a cluster for a command: step times and their sensitivity that it takes from runs are priced here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar.cli import scenario_loading
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.fleet.quantity import Found
    from jumar.fleet.simulation.cluster_file import ClusterFile

PARTS = ("run", "chip", "note")
# Units of a chip whose time in a step goes with the clock, and with the number of chips that share the work.
SHARES = {"clock_share": ("matrix", "vector"), "chips_share": ("matrix", "vector", "memory")}


def load(path: Path) -> ClusterFile:
    """The cluster of a file. Refusal if it cannot be used."""
    from jumar.fleet.reading import BadFile
    from jumar.fleet.simulation import cluster_file

    try:
        return cluster_file.load(path, {"run": Steps(path)})
    except BadFile as error:
        raise Refusal(str(error)) from error


class Steps:
    """Answers `{ run = "last", chip = "910c" }`: at `step` with the time of a step, at `clock_share` and `chips_share`
    with the share of it that goes with clock and chips, at `speed` with the throughput of a chip."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.throughput = scenario_loading.Runs(path)
        self.priced: dict[tuple[str, str], tuple[Mapping[str, Any], str]] = {}

    def __call__(self, key: str, entry: Mapping[str, Any]) -> Found:
        from jumar.fleet.quantity import BadEntry

        if unknown := sorted(entry.keys() - set(PARTS)):
            raise BadEntry(f"does not know {', '.join(unknown)} beside run; there are {', '.join(PARTS)}")
        if not entry.get("chip"):
            raise BadEntry(f'on which chip? Write {{ run = "{entry["run"]}", chip = "910c" }}')
        if not isinstance(entry["run"], str) or not isinstance(entry["chip"], str):
            raise BadEntry("write the names of run and chip in quotes")
        name = key.split(".")[-1]
        return self.throughput(key, entry) if name == "speed" else self._of_a_step(name, entry)

    def _of_a_step(self, name: str, entry: Mapping[str, Any]) -> Found:
        from jumar.fleet.quantity import BadEntry, Found

        row, folder = self._row(entry["run"], entry["chip"])
        source = f"run {folder}, priced by jumar"
        said = f"a step of {row['step_s']:.4g} s on {row['chips']} of {row['chip']}"
        note = "; ".join(one for one in (said, entry.get("note", "")) if one)
        if name == "step":
            return Found(row["step_s"], "s", source, "derived", note, row["low_s"], row["high_s"])
        units = SHARES.get(name)
        if units is None:
            raise BadEntry("a run tells step, speed, clock_share and chips_share only")
        share = sum(row["units"].get(unit, 0.0) for unit in units) / row["step_s"]
        return Found(min(share, 1.0), "share", source, "derived", f"{' and '.join(units)} of {note}")

    def _row(self, run: str, chip: str) -> tuple[Mapping[str, Any], str]:
        from jumar.fleet.quantity import BadEntry

        if (run, chip) not in self.priced:
            row, folder = scenario_loading.priced_row(self.path, run, chip)
            if row["missing"] or not row["step_s"]:
                raise BadEntry(
                    f"the run {run} has no step on {chip}: {row['missing'] or 'nothing in it repeats'}"
                )
            self.priced[run, chip] = row, folder
        return self.priced[run, chip]
