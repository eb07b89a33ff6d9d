"""The table of commands. Each is a module beside this one with `arguments(parser)` and `execute(chosen) -> exit code`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from jumar import __version__
from jumar.cli.refusal import Refusal

DESCRIPTION = "Runs PyTorch programs written for Ascend NPUs or CUDA on virtual Ascend chips, and says what it would take."
COMMANDS = {
    "run": "run a command on a virtual server",
    "env": "print exports for a shell, or stop that server",
    "price": "say what a recorded run would take on other chips",
    "runs": "list, show, delete and compare recorded runs",
    "doctor": "say what is installed, what fits what, what is patched",
    "chips": "list, show and compare chips",
    "inject": "make a chip of a running server fail, get hot or get slow, now or later",
    "events": "print what befell the chips of a server: faults, throttling, resets",
    "exporter": "tell Prometheus of the chips of a server, under the vendor's and NVIDIA's names",
    "top": "show the chips of a server in the terminal, live",
    "report": "say in one page what a run would take on a chip, and where the time goes",
    "scan": "say what ties a repository to CUDA",
    "port": "change a repository so that it runs on CUDA, Ascend or neither",
    "verify": "run a program as it is and ported, and compare what they compute",
    "plan": "say which chips to order when, what to move where, and why",
    "simulate": "say how a cluster of many chips behaves over months, and which checkpoints and spares suit it",
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and what shows more."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows what it takes\n")


class CommandParser(Parser):
    """Asks the command's module for its arguments when the command was chosen, so that `jumar --help` is instant."""

    command: str | None = None

    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        if self.command is not None:
            command, self.command = self.command, None
            _module(command).arguments(self)
        return super().parse_known_args(*given, **named)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    chosen = parser().parse_args(spelled_out(sys.argv[1:] if arguments is None else arguments))
    try:
        return int(_module(chosen.command).execute(chosen))
    except Refusal as refusal:
        print(f"jumar {chosen.command}: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has seen enough
        return 0
    except KeyboardInterrupt:
        return 130


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """With the action that the command's module fills in where one was left out."""
    words = list(arguments)
    if words and words[0] in COMMANDS and hasattr(module := _module(words[0]), "spelled_out"):
        return [words[0], *module.spelled_out(words[1:])]
    return words


def parser() -> Parser:
    top = Parser(prog="jumar", description=DESCRIPTION, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"jumar {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, allow_abbrev=False).command = name
    return top


def _module(command: str) -> Any:
    return importlib.import_module(f"jumar.cli.{command.replace('-', '_')}")
