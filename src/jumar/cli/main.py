"""The parser of the command line, and the table from command to module."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from jumar import __version__
from jumar.cli.refusal import Refusal
from jumar.environment import FACES, FLOAT64_POLICIES

DESCRIPTION = "Runs PyTorch programs written for Ascend NPUs or CUDA on virtual Ascend chips."
RUN_USAGE = "jumar run [options] [--] COMMAND [ARGUMENT …]"
CHIPS_ACTIONS = ("list", "show", "compare", "new")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and what shows more."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows what it takes\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    chosen = parser().parse_args(spelled_out(sys.argv[1:] if arguments is None else arguments))
    try:
        module = importlib.import_module(f"jumar.cli.{chosen.command}")
        return int(module.execute(chosen))
    except Refusal as refusal:
        print(f"jumar {chosen.command}: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has seen enough
        return 0
    except KeyboardInterrupt:
        return 130


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """`jumar chips NAME` is short for `jumar chips show NAME`, `jumar chips` for `jumar chips list`."""
    words = list(arguments)
    if words[:1] != ["chips"] or {"-h", "--help"} & set(words[1:2]):
        return words
    first = next((word for word in words[1:] if not word.startswith("-")), None)
    if first in CHIPS_ACTIONS:
        return words
    return ["chips", "show" if first else "list", *words[1:]]


def parser() -> Parser:
    top = Parser(prog="jumar", description=DESCRIPTION, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"jumar {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    _run(
        commands.add_parser(
            "run", help="run a command on a virtual server", usage=RUN_USAGE, allow_abbrev=False
        )
    )
    _env(
        commands.add_parser("env", help="print exports for a shell, or stop that server", allow_abbrev=False)
    )
    doctor = commands.add_parser("doctor", help="say what is installed, what fits what, what is patched")
    doctor.add_argument(
        "--patches", action="store_true", help="list every CUDA name and what becomes of it in a run"
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    _chips(commands.add_parser("chips", help="list, show and compare chips", allow_abbrev=False))
    return top


def _server_options(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--chip",
        type=_presentable,
        default="910B2",
        help="which chip, or the file of one; see `jumar chips` (default: 910B2)",
    )
    one.add_argument(
        "--devices", type=int, default=1, metavar="N", help="how many of them, 1 to 64 (default: 1)"
    )
    one.add_argument(
        "--dry",
        action="store_true",
        help="compute small tensors only; large ones take neither time nor memory",
    )
    one.add_argument("--seed", type=int, metavar="S", help="seed random, numpy and torch with it")
    one.add_argument(
        "--face",
        choices=FACES,
        default="cuda",
        help="what a CUDA program sees: CUDA devices (default), the vendor's transfer_to_npu, or nothing",
    )
    one.add_argument("--as", dest="persona", metavar="GPU", help="the GPU it believes in (default: A100)")
    one.add_argument(
        "--float64",
        choices=FLOAT64_POLICIES,
        help="double precision: as on the chip (default), an error, on the CPU, or as float32",
    )


def _run(run: argparse.ArgumentParser) -> None:
    _server_options(run)
    run.add_argument("--out", metavar="DIR", help="where the report goes (default: jumar-runs/<time>-<name>)")
    run.add_argument(
        "--real", action="store_true", help="use this machine's own chips and CANN instead of virtual ones"
    )
    run.add_argument("--keep", action="store_true", help="keep the server's directory afterwards")
    run.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="COMMAND", help="any command, or a Python script"
    )


def _env(env: argparse.ArgumentParser) -> None:
    _server_options(env)
    env.add_argument("--stop", action="store_true", help="end the server of this shell")
    env.epilog = 'Use it as: eval "$(jumar env --chip 910B2)" … eval "$(jumar env --stop)"'


def _presentable(name: str) -> object:
    from jumar.cli import chips

    return chips.presentable(name)


def _chips(chips: argparse.ArgumentParser) -> None:
    name = "a chip's name, or its file (mine.toml)"
    actions = chips.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all chips that ship (also without an action)")
    show = actions.add_parser(
        "show", help="every number of a chip, with its source (also `jumar chips NAME`)"
    )
    show.add_argument("names", nargs="+", metavar="NAME", help=name)
    compare = actions.add_parser("compare", help="chips side by side, as a table and as a page with drawings")
    compare.add_argument("names", nargs="+", metavar="NAME", help=f"{name}; ratios are to the first")
    compare.add_argument("--out", metavar="FILE.html", help="write the page with rooflines and bars")
    new = actions.add_parser("new", help="begin the file of a chip of one's own")
    new.add_argument("name", metavar="NAME", help="how the new chip is called")
    new.add_argument(
        "--from", dest="base", required=True, metavar="CHIP", help="whose numbers it begins with"
    )
    new.add_argument("--out", metavar="FILE.toml", help="where it is written (default: NAME.toml)")
    for action in (listing, show, compare, new):
        action.add_argument("--json", action="store_true", help="print JSON")
