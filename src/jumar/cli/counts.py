"""Numbers as the command line takes them."""

from __future__ import annotations

import argparse
import math

LARGEST_SEED = 2**63 - 1


def count(text: str) -> int:
    """A whole number of at least one."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r}: write a whole number, 1 or more")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0 on."""
    if not (text.isascii() and text.isdecimal()) or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"{text!r}: write a whole number, 0 or more")
    return int(text)


def positive(text: str) -> float:
    """A number greater than 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: give a number greater than 0")
    return value
