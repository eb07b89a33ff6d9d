"""`jumar run`: makes a server, runs the program on it, sums up. Exit code and signals are the program's."""

from __future__ import annotations

import argparse
import dataclasses
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from jumar import environment
from jumar.cli import commands, example, planned_faults, servers, serving, summing, tracing
from jumar.cli.refusal import Refusal

USAGE = "jumar run [options] [--] COMMAND [ARGUMENT …]"
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT)


@dataclass(frozen=True)
class Outcome:
    """How the program ended: `code` as subprocess gives it, negative for a signal."""

    code: int
    wall_s: float


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = USAGE
    serving.arguments(parser)
    parser.add_argument(
        "--out", metavar="DIR", help="where the report goes (default: jumar-runs/<time>-<name>)"
    )
    parser.add_argument(
        "--real", action="store_true", help="use this machine's own chips and CANN instead of virtual ones"
    )
    example.arguments(parser)
    tracing.arguments(parser)
    planned_faults.arguments(parser)
    parser.add_argument("--keep", action="store_true", help="keep the server's directory afterwards")
    parser.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="COMMAND", help="any command, or a Python script"
    )


def execute(chosen: argparse.Namespace) -> int:
    if chosen.example == example.LIST:
        print(example.listed())
        return 0
    example.choose(chosen)
    command = resolve(chosen.program, chosen.face)
    plan = dataclasses.replace(serving.plan(chosen), more=planned_faults.options(chosen))
    wanted = tracing.wish(chosen) if plan.chip else None
    armed = planned_faults.wish(chosen, plan)
    folder = summing.folder(chosen.out, command)
    kept = tracing.begin(wanted, folder, plan.profile)
    try:
        directory = serving.make_server(plan, kept, armed)
    except Refusal:
        tracing.forget(kept, folder)
        raise
    try:
        servers.own(directory)
        say(f"{plan.title()}: {' '.join(command)}")
        outcome = watch(command, environment.applied(plan.environment(directory)))
        planned_faults.keep_events(directory, folder)
        summing.sum_up(
            plan, directory, command, outcome.code, outcome.wall_s, folder, wanted if kept else None
        )
    finally:
        if chosen.keep:
            servers.disown(directory)
            say(f"the server's directory is kept: {directory}")
        else:
            serving.remove_server(directory)
    if outcome.code < 0:
        die_of(-outcome.code)
    return outcome.code


def say(text: str) -> None:
    print(f"jumar: {text}", file=sys.stderr, flush=True)


def resolve(program: list[str], face: str) -> list[str]:
    """The command as it will be started. A Python script that is named alone runs with this Python."""
    program = program[1:] if program[:1] == ["--"] else program
    if not program:
        raise Refusal("no command given: name what to run, as in `jumar run train.py --steps 10`")
    first, rest = program[0], program[1:]
    if first.startswith("-"):
        raise Refusal(
            f"unknown option {first}: `jumar run --help` shows what there is; a command comes after `--`"
        )
    if first in commands.MODULES and face == "cuda":
        return [sys.executable, "-m", commands.MODULES[first], *rest]
    if first.endswith(".py") and Path(first).is_file():
        return [sys.executable, first, *rest]
    search = environment.for_real(Path(), environment.Wishes())["PATH"]
    found = shutil.which(first, path=search)
    if found is None and first in commands.VENDOR_MODULES:
        return [sys.executable, "-m", commands.VENDOR_MODULES[first], *rest]
    if found is None:
        raise Refusal(f"{first}: no such command or script; check the name and the current directory")
    return [found, *rest]


def watch(command: list[str], variables: dict[str, str]) -> Outcome:
    """Runs the program to its end, handing on signals that are sent to us alone."""
    started = time.monotonic()
    try:
        child = subprocess.Popen(command, env=variables)
    except OSError as error:
        raise Refusal(
            f"{command[0]} cannot be started: {error.strerror}; check that it is an executable"
        ) from error
    with signals_to(child):
        code = child.wait()
    return Outcome(code, time.monotonic() - started)


@contextmanager
def signals_to(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """The terminal sends Ctrl-C to the program itself, so we only wait; others are handed on."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in FORWARDED}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def die_of(number: int) -> NoReturn:
    """Ends as the program ended, so that a shell sees the same; without a second core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
