"""`jumar inject`: makes a chip of a running virtual server fail, get hot or get slow, now or later, and well again."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from jumar.cli import servers
from jumar.cli.columns import columns
from jumar.cli.refusal import Refusal
from jumar.machine import faults, server
from jumar.machine.faults import catalogue, scenario, schedule

USAGE = "jumar inject KIND --chip N [options] | --scenario FILE | --clear [--chip N] | --list"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = USAGE
    parser.add_argument("kind", nargs="?", metavar="KIND", help="which fault; `--list` shows all")
    parser.add_argument("--chip", type=int, metavar="N", help="which chip (default: the only one)")
    parser.add_argument(
        "--server", metavar="NAME", help="name or directory of the server (default: the only one)"
    )
    parser.add_argument(
        "--after", type=int, metavar="OPERATORS", help="when the chip has been given so many more"
    )
    parser.add_argument(
        "--at", metavar="TIME", help="at that time of the chip's clock, as in 40s; needs a trace"
    )
    parser.add_argument("--count", type=int, default=1, metavar="N", help="how often; 0: again and again")
    parser.add_argument(
        "--lasting", metavar="SPAN", help="operators, or a time such as 5s (default: until repaired)"
    )
    parser.add_argument("--every", metavar="SPAN", help="with --count: from its end until it strikes again")
    parser.add_argument(
        "--amount", type=float, help="degrees, factor, flipped bits (default: as the list says)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="for what is drawn at random")
    parser.add_argument("--scenario", metavar="FILE", help="all faults of a TOML file")
    parser.add_argument(
        "--clear",
        action="store_true",
        help="end what troubles a chip; without --chip of all, and of what waits",
    )
    parser.add_argument("--list", action="store_true", help="list the kinds of faults")
    parser.add_argument("--json", action="store_true", help="with --list: print JSON")


def execute(chosen: argparse.Namespace) -> int:
    if chosen.list:
        print(_as_json() if chosen.json else listed())
        return 0
    if sum((bool(chosen.kind), bool(chosen.scenario), chosen.clear)) != 1:
        raise Refusal("say what happens: a KIND, --scenario FILE or --clear; `--list` shows the kinds")
    if chosen.kind:
        _check_kind(chosen.kind)  # before any server is looked for
    directory = servers.find(chosen.server)
    try:
        devices = len(server.report(directory)["chips"])
        if chosen.clear:
            print(_clear(directory, chosen.chip, devices))
        else:
            wanted = _wanted(chosen, devices)
            faults.inject(directory, wanted)
            print(schedule.text(wanted))
    except (server.ServerError, faults.InjectionError, scenario.BadScenario) as error:
        raise Refusal(str(error)) from error
    return 0


def _check_kind(name: str) -> None:
    try:
        catalogue.find(name)
    except catalogue.UnknownKind as error:
        raise Refusal(str(error)) from error


def _wanted(chosen: argparse.Namespace, devices: int) -> list[faults.Injection]:
    if chosen.scenario:
        return faults.drawn(faults.read(Path(chosen.scenario)), devices)
    options = {
        "after": chosen.after,
        "at": chosen.at,
        "lasting": _span(chosen.lasting),
        "every": _span(chosen.every),
        "amount": chosen.amount,
    }
    entry = {name: value for name, value in options.items() if value is not None}
    entry |= {"kind": chosen.kind, "chip": _chip(chosen.chip, devices), "seed": chosen.seed}
    return [scenario.fault(entry | {"count": chosen.count}, chosen.kind)]


def _chip(chip: int | None, devices: int) -> int:
    if chip is None and devices > 1:
        raise Refusal(f"the server has {devices} chips; say which: --chip 0 … {devices - 1}")
    if chip is not None and not 0 <= chip < devices:
        raise Refusal(f"--chip {chip}: the server has {devices} chip{'s' * (devices > 1)}, counted from 0")
    return chip or 0


def _span(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isdecimal() else text


def _clear(directory: Path, chip: int | None, devices: int) -> str:
    faults.clear(directory, None if chip is None else _chip(chip, devices))
    return "all chips are well, nothing waits" if chip is None else f"chip {chip} is well"


def listed() -> str:
    """The kinds as lines."""
    rows = [("kind", "fault code", "health", "what the program meets", "well again by", "what happens")]
    for kind in faults.kinds().values():
        met = kind.raises or kind.signal or catalogue.EFFECTS[kind.effect]
        rows.append((kind.name, kind.code or "-", kind.health, met, kind.recovery, kind.words))
    return "\n".join(columns(rows))


def _as_json() -> str:
    derived = {
        kind.name: {"level": kind.level, "error_code": kind.error_code or None}
        for kind in faults.kinds().values()
    }
    return json.dumps([asdict(kind) | derived[kind.name] for kind in faults.kinds().values()], indent=1)
