"""`jumar run --faults FILE` and `--mtbf TIME`: the faults that are armed before the program starts, and their log."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from jumar.cli.events import FILE
from jumar.cli.refusal import Refusal
from jumar.cli.serving import Plan
from jumar.machine import faults
from jumar.machine.faults import scenario, schedule

SHOWN = 8
MOST = 64  # faults drawn of `--mtbf`


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--faults", metavar="FILE", help="faults that strike during the run; see `jumar inject --list`"
    )
    parser.add_argument(
        "--mtbf",
        metavar="MEAN",
        help="random faults, so far apart on average: time of the chips such as 2h, or operators; drawn by --seed",
    )


def wish(chosen: argparse.Namespace, plan: Plan) -> list[faults.Injection]:
    """What is asked for; refuses what cannot be."""
    if not (chosen.faults or chosen.mtbf):
        return []
    if plan.chip is None:
        raise Refusal("--faults, --mtbf: a real chip takes no orders to fail; leave out --real")
    try:
        wanted = faults.drawn(faults.read(Path(chosen.faults)), plan.devices) if chosen.faults else []
        if chosen.mtbf:
            wanted += faults.random_faults(_rate(chosen.mtbf), plan.devices, chosen.seed or 0)
    except scenario.BadScenario as error:
        raise Refusal(str(error)) from error
    if chosen.no_trace and any(one.needs_clock for one in wanted):
        raise Refusal("--no-trace: without a trace no time passes; say operators, or leave out --no-trace")
    later = f"\n{len(wanted) - SHOWN:>14} more" if len(wanted) > SHOWN else ""
    print(f"jumar: faults that wait:\n{schedule.text(wanted[:SHOWN])}{later}", file=sys.stderr, flush=True)
    return wanted


def options(chosen: argparse.Namespace) -> tuple[str, ...]:
    """As they make the same run again."""
    given = {"--faults": chosen.faults, "--mtbf": chosen.mtbf}
    return tuple(word for name, value in given.items() if value for word in (name, value))


def _rate(text: str) -> scenario.Rate:
    in_operators = text.isdecimal()
    mean = float(text) if in_operators else scenario.seconds(text, "--mtbf")
    if mean <= 0:
        raise Refusal(f"--mtbf {text}: give more than nothing, such as 2h, or 5000 operators")
    return scenario.Rate(mean, in_operators, most=MOST)


def keep_events(directory: Path, folder: Path) -> None:
    """Copies what the chips reported of themselves into the run's folder, if they did."""
    events = directory / FILE
    try:
        if not events.is_file():
            (folder / FILE).unlink(missing_ok=True)  # of an earlier run in that folder
            return
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(events, folder / FILE)
    except OSError as error:
        print(f"jumar: {FILE} is not kept: {error.strerror}: {folder}", file=sys.stderr, flush=True)
