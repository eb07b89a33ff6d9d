"""`jumar runs`: what was recorded: lists, shows, deletes and compares runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import chips
from jumar.cli.columns import columns
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.runs.format import Run

ACTIONS = ("list", "show", "delete", "compare")
MOST_CHANGES = 15


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    named = "a run's folder or id, or `last`"
    listing = actions.add_parser(
        "list", help="all runs under jumar-runs, the newest first (also without an action)"
    )
    show = actions.add_parser("show", help="what a run holds (also `jumar runs RUN`)")
    show.add_argument("run", metavar="RUN", help=named)
    delete = actions.add_parser("delete", help="remove runs with everything in their folders")
    delete.add_argument("runs", nargs="+", metavar="RUN", help=named)
    compare = actions.add_parser("compare", help="what changed from one run to another")
    compare.add_argument("first", metavar="A", help=named)
    compare.add_argument("second", metavar="B", help=named)
    compare.add_argument("--chip", metavar="CHIP", help="price both on it (default: the chip of A)")
    for action in (listing, show, compare, delete):
        action.add_argument("--json", action="store_true", help="print JSON")


def spelled_out(words: list[str]) -> list[str]:
    """`jumar runs RUN` is short for `jumar runs show RUN`, `jumar runs` for `jumar runs list`."""
    if {"-h", "--help"} & set(words[:1]):
        return words
    first = next((word for word in words if not word.startswith("-")), None)
    if first in ACTIONS:
        return words
    return ["show" if first else "list", *words]


def execute(chosen: argparse.Namespace) -> int:
    from jumar.runs.directory import BadRun

    act: dict[str, Callable[[argparse.Namespace], None]] = {
        "list": _list,
        "show": _show,
        "delete": _delete,
        "compare": _compare,
    }
    try:
        act[chosen.action](chosen)
    except (BadRun, chips.UnknownChip, chips.BadProfile) as error:
        raise Refusal(str(error)) from error
    return 0


def _list(chosen: argparse.Namespace) -> None:
    from jumar.report import amounts
    from jumar.runs import directory

    found = directory.listed()
    if chosen.json:
        _print_json([{"path": str(one.path), "fault": one.fault or None, **one.facts} for one in found])
        return
    if not found:
        print(f"no runs under {directory.FOLDER}; `jumar run train.py` makes one")
        return
    rows = [("run", "when", "chip", "steps", "events", "host time", "command")]
    for one in found:
        facts = one.facts
        if one.fault:
            rows.append((one.path.name, "", "", "", "", "", one.fault))
            continue
        rows.append(
            (
                one.path.name,
                str(facts.get("when", ""))[:16],
                _chips_of(facts),
                f"{facts.get('steps') or 0:,}",
                f"{facts.get('rows', {}).get('events', 0):,}",
                amounts.seconds(float(facts.get("wall_s") or 0)),
                _command(facts)[:60],
            )
        )
    print("\n".join(columns(rows)))


def _chips_of(facts: Any) -> str:
    return f"{facts.get('devices', 1)} × {facts.get('chip', '?')}" + (", dry" if facts.get("dry") else "")


def _command(facts: Any) -> str:
    words = facts.get("command") or []
    return " ".join(Path(word).name if "/" in word else word for word in words)


def _read(name: str) -> tuple[Path, Run]:
    from jumar.runs import directory

    path = directory.find(name)
    return path, directory.read(path)


def _show(chosen: argparse.Namespace) -> None:
    from jumar.report import lines
    from jumar.runs.contents import contents

    path, run = _read(chosen.run)
    facts, held = run.facts, contents(path, run)
    if chosen.json:
        _print_json({"path": str(path), **facts, "contents": held})
        return
    peaks = [f"chip {chip} {lines.size(size)}" for chip, size in held["peak_b"].items()]
    rows = [
        ("run", str(path)),
        ("command", " ".join(facts.get("command") or [])),
        ("when", str(facts.get("when", ""))),
        ("chip", _chips_of(facts)),
        ("processes", str(len(facts.get("processes") or []))),
        ("ended", "not by itself" if facts.get("exit_code") is None else f"exit code {facts['exit_code']}"),
        ("steps", f"{facts.get('steps') or 0:,}"),
        ("events", f"{held['events']:,}: {_counts(held['types'])}"),
        ("kinds", f"{held['kinds']:,} of operators; work known by {_counts(held['sources'])}"),
        ("peak memory", ", ".join(peaks) or "none"),
        ("on disk", lines.size(held["disk_b"])),
        *(("cut", text) for text in facts.get("cut") or ()),
    ]
    print("\n".join(columns(rows)))
    print(f"\n`jumar price {path.name}` says what it would take on other chips.")


def _counts(found: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in found.items()) or "nothing"


def _delete(chosen: argparse.Namespace) -> None:
    from jumar.runs import directory

    paths = [directory.find(name) for name in chosen.runs]
    for path in dict.fromkeys(paths):
        directory.delete(path)
    if chosen.json:
        _print_json([str(path) for path in paths])
    else:
        print("\n".join(f"deleted {path}" for path in dict.fromkeys(paths)))


def _compare(chosen: argparse.Namespace) -> None:
    from jumar.report import price_lines
    from jumar.runs import comparing
    from jumar.runs.pricing import price_run

    (first_path, first), (second_path, second) = _read(chosen.first), _read(chosen.second)
    chip = chips.find(chosen.chip or str(first.facts.get("chip") or chips.DEFAULT))
    try:
        sides = [comparing.plain(price_run(run, chip)) for run in (first, second)]
    except KeyError as error:
        raise Refusal(str(error.args[0])) from error
    facts = {"chip": chip.name, "runs": [str(first_path), str(second_path)], **comparing.difference(*sides)}
    if chosen.json:
        _print_json(facts)
        return
    print(f"A {first_path.name}\nB {second_path.name}\nboth on {chip.name}\n")
    print("\n".join(columns(price_lines.difference(facts))))
    if changes := price_lines.changes(facts, MOST_CHANGES):
        print("\n" + "\n".join(columns(changes)))
    else:
        print("\nevery operator takes the same time in both")


def _print_json(facts: Any) -> None:
    print(json.dumps(facts, indent=2, ensure_ascii=False))
