"""`jumar doctor --target ascend [REPO]`: what fits together there, here or as asked, and what of a repository does not."""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import asdict
from pathlib import Path

from jumar.cli.refusal import Refusal
from jumar.port import target
from jumar.port.repository import NotARepository, Repository

ASKED = ("torch", "torch_npu", "cann", "driver", "python", "architecture")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", choices=target.TARGETS, help="what fits together for these chips")
    parser.add_argument(
        "repository", nargs="?", type=Path, metavar="REPO", help="with --target: also its dependencies"
    )
    for name in ASKED:
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            metavar="VERSION",
            help=f"with --target: not this machine's {name}, but this",
        )


def execute(chosen: argparse.Namespace) -> int:
    """Exit code 1 if something does not fit."""
    asked = {name: getattr(chosen, name) for name in ASKED if getattr(chosen, name)}
    # Once a version of one's own is asked about, what happens to be installed here says nothing about the other.
    if {"torch", "torch_npu"} & asked.keys():
        asked = {"torch": None, "torch_npu": None, **asked}
    rows = target.check(dataclasses.replace(target.here(), **_completed(asked)))
    dependencies: list[target.Dependency] = []
    if chosen.repository is not None:
        try:
            dependencies, more = target.of_repository(Repository.at(chosen.repository))
        except NotARepository as error:
            raise Refusal(str(error)) from error
        rows += more
    if chosen.json:
        facts = {"rows": [asdict(row) for row in rows], "dependencies": [asdict(one) for one in dependencies]}
        print(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(rows)))
    return int(any(row.state == "bad" for row in rows))


def _completed(asked: dict[str, str | None]) -> dict[str, str | None]:
    """With the half of the pair that was not named."""
    torch, adapter = asked.get("torch"), asked.get("torch_npu")
    if torch and not adapter and (fitting := target.choices(f"=={torch}", cann=asked.get("cann"))):
        return {**asked, "torch_npu": fitting[0].torch_npu}
    if adapter and not torch:
        pair = next((one for one in target.choices() if one.torch_npu == adapter), None)
        return {**asked, "torch": pair.torch if pair else None}
    return asked


def lines(rows: list[target.Row]) -> list[str]:
    """A table, with the sources numbered below it."""
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    told = []
    for row in rows:
        remedy = f" → {row.remedy}" if row.remedy else ""
        mark = f" [{sources.index(row.source) + 1}]" if row.source else ""
        told.append(f"{row.state:<5}{row.subject:<25}{row.seen}{mark}{remedy}")
    return [
        *told,
        *(
            f"\n[{number}] {source}" if number == 1 else f"[{number}] {source}"
            for number, source in enumerate(sources, 1)
        ),
    ]
