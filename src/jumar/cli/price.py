"""`jumar price`: what a recorded run would take on other chips, as a table and as a page with a chart."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import chips
from jumar.cli import heating
from jumar.cli.columns import columns
from jumar.cli.counts import positive
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.runs.priced import Options

USUAL = "910b2,910c,a100,h100,h20"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's folder or id, or `last`; `jumar runs` lists them")
    parser.add_argument(
        "--chips",
        default=USUAL,
        metavar="A,B,…",
        help=f"chips by name, or files of one's own (default: {USUAL})",
    )
    parser.add_argument(
        "--items-per-step",
        type=positive,
        metavar="N",
        help="tokens or samples of a step, all chips together (default: recognised)",
    )
    parser.add_argument("--steps-total", type=positive, metavar="N", help="steps of the whole training")
    parser.add_argument(
        "--host",
        metavar="HOW",
        help="the host: `default` (fitted to hosts of the chip's family), `measured` (as in the run), or µs a call",
    )
    parser.add_argument(
        "--host-factor", type=positive, default=1.0, metavar="X", help="times the measured host (default: 1)"
    )
    terms = parser.add_argument_group("money: chips are bought, where their files have a price")
    terms.add_argument(
        "--rented", action="store_true", help="rented by the hour instead, where there is such a price"
    )
    terms.add_argument("--years", type=positive, default=4.0, help="over which a chip is paid (default: 4)")
    terms.add_argument(
        "--kwh", type=positive, default=0.10, metavar="PRICE", help="of a kilowatt-hour (default: 0.10)"
    )
    heat = parser.add_argument_group(
        "heat: with either of these also power, temperature and what they cost in time"
    )
    heating.arguments(heat)
    parser.add_argument("--operators", action="store_true", help="also the operators that take longest")
    parser.add_argument("--out", metavar="FILE.html", help="write the page with the chart")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(chosen: argparse.Namespace) -> int:
    from jumar.runs import comparing, directory

    try:
        wanted = [chips.find(name) for name in chosen.chips.split(",") if name]
        run = directory.read(directory.find(chosen.run))
    except (chips.UnknownChip, chips.BadProfile, directory.BadRun) as error:
        raise Refusal(str(error)) from error
    if not wanted:
        raise Refusal("--chips: name at least one, as in --chips 910b2,h100")
    where = heating.surroundings(chosen, run.facts) if heating.asked(chosen) else None
    facts = comparing.side_by_side(run, wanted, options(chosen), chosen.steps_total, where)
    if chosen.out:
        _write(Path(chosen.out), facts)
    if chosen.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _print(facts, chosen)
    return 0 if any(row["missing"] is None for row in facts["rows"]) else 1


def options(chosen: argparse.Namespace) -> Options:
    from jumar.runs import cost
    from jumar.runs.priced import Options

    host: str | float | None = chosen.host
    if host not in (None, "default", "measured"):
        try:
            host = positive(str(host)) * 1e-6
        except argparse.ArgumentTypeError as error:
            raise Refusal(f"--host {chosen.host}: give `default`, `measured`, or µs a call") from error
    terms = cost.Terms(rented=chosen.rented, years=chosen.years, kwh=chosen.kwh)
    return Options(host=host, host_factor=chosen.host_factor, items=chosen.items_per_step, terms=terms)


def _print(facts: dict[str, Any], chosen: argparse.Namespace) -> None:
    from jumar.report import price_lines

    command = " ".join(facts["run"]["command"] or [])
    print(
        f"{facts['run']['id'] or chosen.run}: {command}; {facts['events']:,} events, recorded on {facts['run']['chip']}\n"
    )
    priced = [row for row in facts["rows"] if not row["missing"]]
    print(
        "\n".join(columns([price_lines.headings(facts), *(price_lines.cells(facts, row) for row in priced)]))
    )
    if any(row.get("heat") for row in priced):
        print("\n" + "\n".join(columns([price_lines.HEAT, *map(price_lines.heat, priced)])))
    for row in facts["rows"]:
        if row["missing"]:
            print(f"{row['chip']}: cannot be priced: {row['missing']}")
        elif chosen.operators:
            print(f"\n{row['chip']}")
            print("\n".join(columns(price_lines.operators(row))))
    print("\n" + "\n".join(f"- {note}" for note in price_lines.notes(facts)))
    if chosen.out:
        print(f"\ndrawn in {chosen.out}")


def _write(path: Path, facts: dict[str, Any]) -> None:
    from jumar.report import price_page

    try:
        path.write_text(price_page.render(facts), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{path}: cannot be written: {error.strerror}; choose another with --out") from error
