"""Tells a server's core of faults, one after the other."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jumar.machine import libraries, server
from jumar.machine.faults.catalogue import Kind


class InjectionError(RuntimeError):
    """The core refused; the message is its own."""


@dataclass(frozen=True)
class Injection:
    """One fault of one chip. It strikes when the chip has been given `after_operators` more operators, or at `at_s` of
    its own virtual time; with neither, at once. `count` 0: again and again. Without `lasting_…` it lasts until it is
    repaired, with `every_…` so long after its end it strikes again."""

    kind: Kind
    chip: int
    after_operators: int | None = None
    at_s: float | None = None
    count: int = 1
    lasting_operators: int | None = None
    lasting_s: float | None = None
    every_operators: int | None = None
    every_s: float | None = None
    amount: float | None = None
    seed: int = 0

    @property
    def needs_clock(self) -> bool:
        """Whether it is told in the chip's time, which passes on a server with a trace alone."""
        return any(span is not None for span in (self.at_s, self.lasting_s, self.every_s))

    def lines(self) -> str:
        """As the core reads it."""
        kind = self.kind
        amount = kind.amount if self.amount is None else self.amount
        lasting = self.lasting_operators
        if lasting is None and self.lasting_s is None:
            lasting = kind.lasting_operators or None
        said: dict[str, str | int | None] = {
            "chip": self.chip,
            "kind": kind.name,
            "effect": kind.effect,
            "error": kind.error_code or None,
            "text": kind.text(),
            "fault_code": kind.code or None,
            "level": kind.level or None,
            "health": kind.health,
            "amount": f"{amount:g}",
            "seed": self.seed,
            "after_operators": self.after_operators,
            "at_virtual_ns": _ns(self.at_s),
            "count": self.count,
            "lasting_operators": lasting,
            "lasting_ns": _ns(self.lasting_s),
            "every_operators": self.every_operators,
            "every_ns": _ns(self.every_s),
        }
        if kind.counter:
            said[kind.counter] = round(amount) if kind.effect == "ecc" else 1
        return "".join(f"{key}={value}\n" for key, value in said.items() if value is not None)


def inject(directory: Path, wanted: Iterable[Injection]) -> int:
    """Arms them; how many there were. InjectionError if the core refuses one; those before it stay."""
    count = 0
    for count, one in enumerate(wanted, 1):  # noqa: B007
        if _core().jumar_server_inject(str(directory).encode(), one.lines().encode()) != 0:
            raise InjectionError(f"{one.kind.name} on chip {one.chip}: {server.reason()}")
    return count


def clear(directory: Path, chip: int | None = None) -> None:
    """Ends what troubles that chip, as a reset or another chip in its place does. None: every chip's, and what is armed
    is taken back."""
    if _core().jumar_server_clear(str(directory).encode(), -1 if chip is None else chip) != 0:
        raise InjectionError(server.reason())


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


@cache
def _core() -> ctypes.CDLL:
    core = server.core()
    try:
        core.jumar_server_inject.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        core.jumar_server_clear.argtypes = [ctypes.c_char_p, ctypes.c_int]
    except AttributeError as error:
        raise InjectionError(f"the native core is older than this package: {libraries.REMEDY}") from error
    return core
