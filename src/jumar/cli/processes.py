"""How many processes a command may use, as the command line says it."""

from __future__ import annotations

import argparse


def processes(text: str) -> int:
    """A whole number of at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; write 1 or more")
    return int(text)
