"""`jumar scan`: what ties a repository to CUDA."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from jumar.cli.refusal import Refusal
from jumar.port import scanning
from jumar.port.repository import NotARepository, Repository


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repository", nargs="?", default=".", metavar="REPO", help="a folder, or one file")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(chosen: argparse.Namespace) -> int:
    try:
        repository = Repository.at(Path(chosen.repository))
    except NotARepository as error:
        raise Refusal(str(error)) from error
    found = scanning.scan(repository)
    if chosen.json:
        json.dump(
            {
                "findings": [dataclasses.asdict(one) for one in found.findings],
                "troubles": [dataclasses.asdict(one) for one in found.troubles],
            },
            sys.stdout,
            indent=2,
        )
    else:
        for one in found.findings:
            print(f"{one.path}:{one.line}:{one.column} {one.code} {one.what}")
    return 0
