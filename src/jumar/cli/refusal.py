"""How the command line says no: one line with the remedy, exit code 2."""

from __future__ import annotations


class Refusal(Exception):
    """Something the person can put right. The message is one line: what is wrong, then what to do."""
