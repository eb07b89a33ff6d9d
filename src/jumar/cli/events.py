"""`jumar events`: what befell the chips of a server, as JSON lines: faults, recoveries, throttling, resets."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from jumar.cli import servers
from jumar.cli.refusal import Refusal

FILE = "events.jsonl"
PAUSE_S = 0.2


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", "-f", action="store_true", help="go on printing until the server ends")
    parser.add_argument(
        "--server",
        metavar="NAME",
        help="name or directory of the server, or folder of a run (default: the only server)",
    )


def execute(chosen: argparse.Namespace) -> int:
    for line in lines(place(chosen.server), chosen.follow):
        sys.stdout.write(line)
        sys.stdout.flush()
    return 0


def place(wanted: str | None) -> Path:
    """The file with the events: a run's folder has a copy of its server's."""
    if wanted and (Path(wanted) / FILE).is_file():
        return Path(wanted) / FILE
    try:
        return servers.find(wanted) / FILE
    except Refusal as refusal:
        if wanted and Path(wanted).is_dir():
            raise Refusal(
                f"{wanted}: no {FILE} is there, so nothing befell the chips, or it is no run"
            ) from refusal
        raise


def lines(file: Path, follow: bool) -> Iterator[str]:
    """Whole lines only. No file: nothing has happened yet. Following ends when the server's directory is removed."""
    read, rest = 0, ""
    while True:
        if file.is_file():
            with file.open(encoding="utf-8") as opened:
                opened.seek(read)
                rest += opened.read()
                read = opened.tell()
            *whole, rest = rest.split("\n")
            yield from (line + "\n" for line in whole if line)
        if not follow or not file.parent.is_dir():
            return
        time.sleep(PAUSE_S)
