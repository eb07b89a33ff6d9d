"""Reads a cluster for a command: step times and their sensitivity that it takes from runs are priced here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import chips
from jumar.cli import scenario_loading
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.fleet.quantity import Found
    from jumar.fleet.simulation.cluster_file import ClusterFile

PARTS = ("run", "chip", "note")
FASTER_WITH_CLOCK = ("matrix", "vector")  # units of a chip whose pace is the clock's
EACH_CHIPS = ("matrix", "vector", "memory")  # whose work is less on each chip if there are more


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
        self.priced: dict[tuple[str, str], Mapping[str, Any]] = {}

    def __call__(self, key: str, entry: Mapping[str, Any]) -> Found:
        from jumar.fleet.quantity import BadEntry, Found

        if unknown := sorted(entry.keys() - set(PARTS)):
            raise BadEntry(f"does not know {', '.join(unknown)} beside run; there are {', '.join(PARTS)}")
        if not entry.get("chip"):
            raise BadEntry(f'on which chip? Write {{ run = "{entry["run"]}", chip = "910c" }}')
        name = key.split(".")[-1]
        if name == "speed":
            return self.throughput(key, entry)
        row = self._row(entry["run"], entry["chip"])
        source = f"run {entry['run']}, priced by jumar"
        said = f"a step of {row['step_s']:.4g} s on {row['chips']} of {row['chip']}"
        if name == "step":
            return Found(row["step_s"], "s", source, "derived", said, row["low_s"], row["high_s"])
        units = {"clock_share": FASTER_WITH_CLOCK, "chips_share": EACH_CHIPS}.get(name)
        if units is None:
            raise BadEntry("a run tells step, speed, clock_share and chips_share only")
        seconds = sum(row["units"].get(unit, 0.0) for unit in units)
        return Found(
            min(seconds / row["step_s"], 1.0), "share", source, "derived", f"{' and '.join(units)} of {said}"
        )

    def _row(self, run: str, chip: str) -> Mapping[str, Any]:
        if (run, chip) not in self.priced:
            self.priced[run, chip] = self._price(run, chip)
        return self.priced[run, chip]

    def _price(self, run: str, chip: str) -> Mapping[str, Any]:
        from jumar.fleet.quantity import BadEntry
        from jumar.runs import comparing, directory
        from jumar.runs.priced import Options

        beside = self.path.parent / run
        try:
            folder = beside if beside.is_dir() else directory.find(run)
            wanted = [chips.find(chip)]
            row: Mapping[str, Any] = comparing.side_by_side(directory.read(folder), wanted, Options(), None)[
                "rows"
            ][0]
        except (directory.BadRun, chips.UnknownChip, chips.BadProfile) as error:
            raise BadEntry(str(error)) from error
        if row["missing"] or not row["step_s"]:
            raise BadEntry(
                f"the run {run} has no step on {chip}: {row['missing'] or 'nothing in it repeats'}"
            )
        return row
