"""`jumar run --example NAME`: a program of the shelf instead of one's own, dry unless asked otherwise."""

from __future__ import annotations

import argparse
import sys

from jumar.cli.columns import columns
from jumar.cli.refusal import Refusal
from jumar.shelf import EXAMPLES, Example

LIST = "list"
MODULE = "jumar.shelf"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--example",
        metavar="NAME",
        help="a program that ships, in dry mode; `--example list` says which there are",
    )
    parser.add_argument("--full", action="store_true", help="with --example: compute everything")


def listed() -> str:
    """The programs of the shelf, as lines."""
    rows = [("example", "ranks", "what it does")]
    rows += [(one.name, str(one.ranks), one.about) for one in EXAMPLES.values()]
    return "\n".join(
        [
            *columns(rows),
            "",
            "More ranks than one: one of them runs, the others are imagined, and exchanges with them take their time.",
            "All are plain PyTorch: no fused norms, no overlap of tensor-parallel exchanges, layers of the large models",
            "computed twice (--no-recompute). Megatron and MindSpeed are about twice as fast in large training.",
            "`jumar run --example gpt2 -- --help` says what a program takes.",
        ]
    )


def choose(chosen: argparse.Namespace) -> None:
    """Makes the command line what it would be for the program itself."""
    if chosen.example is None:
        if chosen.full:
            raise Refusal(
                "--full: goes with --example; other programs compute everything unless --dry is given"
            )
        return
    example = _found(chosen.example)
    words = chosen.program[1:] if chosen.program[:1] == ["--"] else chosen.program
    chosen.program = [sys.executable, "-m", MODULE, example.name, *words]
    chosen.dry = not chosen.full
    if example.ranks > 1 and not chosen.ranks:
        if chosen.full:
            raise Refusal(
                f"--full: {example.name} is one rank of {example.ranks}, which can be imagined in a dry run only"
            )
        chosen.ranks = example.ranks


def _found(name: str) -> Example:
    if name not in EXAMPLES:
        raise Refusal(f"--example {name}: there is none of that name; there are {', '.join(EXAMPLES)}")
    return EXAMPLES[name]
