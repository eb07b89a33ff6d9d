"""`jumar plan`: which chips to order when, what to move where, what that rests on, and what it was weighed against."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar.cli import scenario_loading
from jumar.cli.counts import count, positive, seed
from jumar.cli.processes import processes
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.fleet.plan.answer import Asked
    from jumar.fleet.scenario import Scenario

SAMPLES, GAP, SECONDS = 200, 0.01, 120.0
PLANNED, IMPOSSIBLE = 0, 1


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scenario", metavar="SCENARIO.toml", help="as examples/fleet/company.toml, which explains itself"
    )
    parser.add_argument("--check", action="store_true", help="do not plan: say what each number rests on")
    parser.add_argument(
        "--samples", type=count, default=SAMPLES, metavar="N", help=f"futures drawn (default: {SAMPLES})"
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the futures (default: 0)")
    parser.add_argument(
        "--gap", type=_share, default=GAP, metavar="SHARE", help=f"how near to the best (default: {GAP})"
    )
    parser.add_argument(
        "--seconds", type=positive, default=SECONDS, metavar="S",
        help=f"after which the best plan so far is taken (default: {SECONDS:.0f})",
    )  # fmt: skip
    parser.add_argument(
        "--risk",
        type=_share,
        metavar="SHARE",
        help="how much bad cases of missed work count, in place of the file",
    )
    parser.add_argument(
        "--must", metavar="A,B,…", help="workloads that may not be missed in any future, or `all`"
    )
    parser.add_argument(
        "--no-sensitivity",
        action="store_true",
        help="leave out the tornado and the frontier, which take longest",
    )
    parser.add_argument(
        "--engine", choices=("processes", "ray"), default="processes", help="who works (default: processes)"
    )
    parser.add_argument("--workers", type=processes, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the page and its facts there")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep results of the tornado and the frontier in --out, and go on with them",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: give a share between 0 and 1, as in 0.01")
    return value


def execute(chosen: argparse.Namespace) -> int:
    path = Path(chosen.scenario)
    if chosen.check:
        from jumar.cli import scenario_check

        return scenario_check.check(path, chosen.json)
    if chosen.resume and not chosen.out:
        raise Refusal("--resume: of what? Give the folder with --out DIR")
    scenario = scenario_loading.load(path)
    from jumar.report import fleet_page, plan_lines

    facts = _answer(scenario, _asked(scenario, chosen))
    written = _write(chosen, facts) if chosen.out else None
    if chosen.json:
        print(json.dumps(fleet_page.finite(facts), indent=1, ensure_ascii=False))
    else:
        print(plan_lines.text(facts))
        if written:
            print(f"\nthe page is {written}")
    return IMPOSSIBLE if facts.get("clash") else PLANNED


def _asked(scenario: Scenario, chosen: argparse.Namespace) -> Asked:
    import os

    from jumar.fleet.plan.answer import Asked
    from jumar.fleet.plan.planning import Effort

    workers = chosen.workers or len(os.sched_getaffinity(0))
    return Asked(
        samples=chosen.samples,
        seed=chosen.seed,
        effort=Effort(chosen.gap, chosen.seconds, workers),
        must=_must(scenario, chosen.must or ""),
        risk=chosen.risk,
        sensitivity=not chosen.no_sensitivity,
        engine=chosen.engine,
        folder=chosen.out if chosen.resume else None,
    )


def _must(scenario: Scenario, text: str) -> tuple[str, ...]:
    if text == "all":
        return tuple(scenario.workloads)
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        if name not in scenario.workloads:
            raise Refusal(f"--must {name}: no such workload; there are {', '.join(scenario.workloads)}")
    return names


def _answer(scenario: Scenario, asked: Asked) -> dict[str, Any]:
    from jumar.fleet import engine
    from jumar.fleet.plan.answer import answer

    try:
        return answer(scenario, asked, _tell)
    except (engine.EngineMissing, engine.OtherResults, engine.WorkersLost) as error:
        raise Refusal(str(error)) from error
    finally:
        _tell("")


def _tell(words: str) -> None:
    """One line that the next one replaces, for people who wait."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words[:100]}", end="", file=sys.stderr, flush=True)


def _write(chosen: argparse.Namespace, facts: dict[str, Any]) -> Path:
    from jumar.report import fleet_page

    command = ["jumar", "plan", chosen.scenario, "--samples", str(chosen.samples), "--seed", str(chosen.seed)]
    command += ["--gap", f"{chosen.gap:g}"]
    for name in ("risk", "must"):
        if getattr(chosen, name) is not None:
            command += [f"--{name}", str(getattr(chosen, name))]
    command += ["--no-sensitivity"] if chosen.no_sensitivity else []
    try:
        return fleet_page.write_plan(facts, chosen.out, command)
    except OSError as error:
        raise Refusal(
            f"{chosen.out}: cannot be written: {error.strerror}; choose another with --out"
        ) from error
