"""Gathers what a run left, prints the summary and writes the report files."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from jumar import chips, report
from jumar.cli import heating, tracing
from jumar.cli.refusal import Refusal
from jumar.cli.serving import Plan
from jumar.machine import server

FOLDER = "jumar-runs"


def sum_up(
    plan: Plan,
    directory: Path,
    command: list[str],
    code: int,
    wall_s: float,
    folder: Path,
    wish: tracing.Wish | None,
) -> None:
    """Prints the summary on stderr, with a last line that says where the report is; keeps the run if it was traced."""
    facts = report.facts(
        chip=plan.chip,
        devices=plan.devices,
        dry=plan.dry,
        command=command,
        code=code,
        wall_s=wall_s,
        server=_server_facts(directory) if plan.chip else {},
        programs=_left(directory, "program"),
        faces=_left(directory, "face"),
    )
    facts["again"] = ["jumar", "run", *_options(plan, wish), "--", *command]
    kept = wish is not None and tracing.keep(
        folder / tracing.RAW,
        folder,
        {**tracing.run_facts(facts, folder, plan.profile, wish), **_told(plan, directory)},
    )
    account = _priced(folder, plan) if kept and plan.chip else None
    print("\n" + report.text(facts, account), file=sys.stderr)
    try:
        where = str(report.write(facts, folder, account))
    except OSError as error:
        where = f"not written ({error.strerror}: {folder}); choose another place with --out DIR"
    print(f"  {'report':<17} {where}", file=sys.stderr, flush=True)


def _options(plan: Plan, wish: tracing.Wish | None) -> list[str]:
    """The options that make the same run again."""
    if plan.chip is None:
        return ["--real"]
    wishes, host = plan.wishes, wish.host if wish else None
    asked = {
        "--chip": plan.profile,
        "--devices": plan.devices if plan.devices != 1 else None,
        "--seed": wishes.seed,
        "--face": wishes.face if wishes.face != "cuda" else None,
        "--as": wishes.persona,
        "--float64": wishes.float64,
        "--ranks": wishes.ranks or None,
        "--rank": wishes.rank or None,
        "--host": _host(host) if host else None,
        "--cooling": wish.heat.cooling or None if wish else None,
        "--inlet": f"{wish.heat.inlet_c:g}C" if wish and wish.heat.inlet_c is not None else None,
    }
    given = [word for name, value in asked.items() if value is not None for word in (name, str(value))]
    return [*given, *plan.more, *(["--dry"] if plan.dry else []), *([] if wish else ["--no-trace"])]


def _host(host: server.Host) -> str | None:
    """As `--host` takes it."""
    if host.measured:
        return "measured" if host.factor == 1 else f"measured*{host.factor:g}"
    return None if host.call_s is None else f"{host.call_s * 1e6:g}"


def _told(plan: Plan, directory: Path) -> dict[str, Any]:
    """What only the program knew: items of a step, members of its groups where other ranks are imagined."""
    told: dict[str, Any] = {"ranks": plan.wishes.ranks or None, "communicators": {}}
    for one in _left(directory, "items"):
        told["items"] = one
    for one in _left(directory, "groups"):
        told["communicators"] |= one["members"]
    return told


def _priced(folder: Path, plan: Plan) -> dict[str, Any] | None:
    """What a step would take on the run's chip and beside it on others; None, with the reason, if it cannot be said."""
    from jumar.cli.report import beside, priced_on
    from jumar.runs import directory

    try:
        run = directory.read(folder)
        where = heating.kept_or(None, None, run.facts)
        return priced_on(run, beside(chips.find(plan.profile)), where, folder)[1] if len(run.events) else None
    except (directory.BadRun, Refusal) as error:
        print(f"jumar: no times are predicted: {error}", file=sys.stderr)
        return None


def folder(out: str | None, command: list[str]) -> Path:
    """Where the run goes: what was asked for, or a folder that is not there yet."""
    return Path(out) if out else _fresh(Path(FOLDER) / f"{time.strftime('%Y%m%d-%H%M%S')}-{_name(command)}")


def _server_facts(directory: Path) -> dict[str, Any] | None:
    try:
        return server.report(directory)
    except (server.ServerError, ImportError, ValueError) as error:
        print(f"jumar: the server's counters cannot be read: {error}", file=sys.stderr)
        return None


def _left(directory: Path, kind: str) -> list[dict[str, Any]]:
    """What the processes of the run left beside the server."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(directory.glob(f"{kind}-*.json"))]


def _fresh(folder: Path) -> Path:
    """That folder, or with a number if another run of the same second has it."""
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{folder.name.split('~')[0]}~{number}")
    return folder


def _name(command: list[str]) -> str:
    """A word for the folder: the script's name if there is one, else the command's."""
    if "jumar.shelf" in command[1:-1]:
        return command[command.index("jumar.shelf") + 1]
    scripts = [part for part in command if part.endswith(".py")]
    stem = Path(scripts[0] if scripts else command[0]).stem
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in stem)[:40] or "run"
