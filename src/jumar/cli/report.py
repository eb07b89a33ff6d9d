"""`jumar report`: what a stored run would take on a chip and on others, as one page, as a trace, as the vendor's tables."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import chips, report
from jumar.cli import heating
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.runs.format import Run
    from jumar.runs.heating import Surroundings
    from jumar.runs.priced import Priced

# What a run is set beside where nobody says.
OTHERS = ("910C", "H100-SXM-80GB", "H20-SXM-96GB")
PAGE = "report.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", nargs="?", default="last", help="a run: its folder, its id, or last (default)"
    )
    parser.add_argument(
        "--chips",
        metavar="A,B,…",
        help="the chip that the report is about, then those it is set beside (default: the run's own, and "
        f"{', '.join(OTHERS)})",
    )
    parser.add_argument("--out", metavar="FILE.html", help=f"where the page goes (default: RUN/{PAGE})")
    parser.add_argument("--trace", metavar="FILE.json", help="also write a trace for Perfetto")
    heating.arguments(parser)
    parser.add_argument(
        "--csv", metavar="DIR", help="also write the tables of the vendor's profiler: kernel_details.csv, …"
    )


def execute(chosen: argparse.Namespace) -> int:
    from jumar.runs import directory

    try:
        folder = directory.find(chosen.run)
        run = directory.read(folder)
    except directory.BadRun as error:
        raise Refusal(str(error)) from error
    where = heating.surroundings(chosen, run.facts)
    priced, account = priced_on(run, _chips(chosen.chips, run), where, folder)
    page = Path(chosen.out) if chosen.out else folder / PAGE
    try:
        page.write_text(report.render(_facts(folder, run, priced), account), encoding="utf-8")
        written = [str(page), *_exported(run, priced, chosen.trace, chosen.csv)]
    except OSError as error:
        raise Refusal(
            f"{error.filename}: cannot be written: {error.strerror}; choose another place"
        ) from error
    for line in report.predicted(account):
        print(line)
    for path in written:
        print(path)
    return 0


def priced_on(
    run: Run, wanted: Sequence[chips.Chip], where: Surroundings, folder: Path
) -> tuple[Priced, dict[str, Any]]:
    """The run on the first of these chips, and its account with the others beside it. `where`: how it is cooled there;
    `folder`: its own, where its events lie."""
    from jumar.runs import account, comparing, pricing
    from jumar.runs.priced import Options

    ready = pricing.prepare(run)
    try:
        priced = pricing.price_run(ready, wanted[0])
    except KeyError as error:
        raise Refusal(str(error.args[0])) from error
    rows = [comparing.row(ready, chip, Options(), None) for chip in wanted[1:]]
    return priced, account.account(run, priced, rows, account.heat_of(run, priced, where, folder))


def beside(own: chips.Chip) -> list[chips.Chip]:
    """A chip and those that it is set beside where nobody says."""
    others = [chips.find(name) for name in OTHERS]
    return [own, *(one for one in others if own.name not in (*one.names(), one.soc))]


def _chips(given: str | None, run: Run) -> list[chips.Chip]:
    try:
        if given is not None:
            named = [chips.find(name) for name in given.split(",") if name.strip()]
            if not named:
                raise Refusal("--chips: name at least one, as in --chips h100,910b2")
            return named
        return beside(chips.find(str(run.facts.get("chip") or chips.DEFAULT)))
    except (chips.UnknownChip, chips.BadProfile) as error:
        raise Refusal(str(error)) from error


def _facts(folder: Path, run: Run, priced: Priced) -> dict[str, Any]:
    """What was counted while the program ran, which lies beside the trace; without it what the trace knows."""
    try:
        found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return {**report.facts_of_run(run.facts, priced.chip), **found}


def _exported(run: Run, priced: Priced, trace: str | None, tables: str | None) -> list[str]:
    from jumar.report import chrome_trace, vendor_tables

    found = []
    if trace:
        chrome_trace.write(run, priced, Path(trace))
        found.append(trace)
    if tables:
        found += [str(path) for path in vendor_tables.write(run, priced, Path(tables))]
    return found
