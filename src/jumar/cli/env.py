"""`jumar env`: makes a server that outlives the command and prints exports for a shell; `--stop` ends it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from jumar import environment
from jumar.cli import servers, serving
from jumar.cli.refusal import Refusal

STATE = "state"


def arguments(parser: argparse.ArgumentParser) -> None:
    serving.arguments(parser)
    parser.add_argument("--stop", action="store_true", help="end the server of this shell")
    parser.epilog = 'Use it as: eval "$(jumar env --chip 910B2)" … eval "$(jumar env --stop)"'


def execute(chosen: argparse.Namespace) -> int:
    return stop() if chosen.stop else start(chosen)


def start(chosen: argparse.Namespace) -> int:
    plan = serving.plan(chosen)
    directory = serving.make_server(plan)
    for name, value in plan.environment(directory).items():
        print(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    print(f"jumar: {plan.title()} at {directory}", file=sys.stderr)
    if sys.stdout.isatty():
        print('jumar: these lines are for a shell: eval "$(jumar env)"', file=sys.stderr)
    return 0


def stop() -> int:
    place = os.environ.get(environment.SERVER)
    if not place:
        raise Refusal(f"{environment.SERVER} is not set, so there is no server to stop in this shell")
    directory = Path(place)
    if (directory / STATE).is_file() and directory.name.startswith(servers.PREFIX):
        serving.remove_server(directory)
    elif directory.exists():
        raise Refusal(f"{directory} was not made by `jumar env`: remove it by hand if you are sure")
    for name in (*environment.VARIABLES, *environment.KERNELS_ON_THE_HOST):
        print(f"unset {name}")
    return 0
