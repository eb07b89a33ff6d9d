"""The card that a chip sits on, as the vendor's tools name its parts: from boards.toml, by the chip's generation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from jumar import chips

FILE = Path(__file__).with_name("boards.toml")
OTHER = "other"


class BadBoard(ValueError):
    """A record that cannot be read; the message names it and the remedy."""


@dataclass(frozen=True)
class Board:
    """`chips` on one card. None and "": nothing published says it."""

    chips: int
    link: str
    buses: tuple[str, ...]
    die: str = ""
    hbm_clock_mhz: int | None = None
    device: str = ""

    def bus_id(self, index: int) -> str:
        """Address of the chip of that number on the PCI bus."""
        domain, place = divmod(index, len(self.buses))
        return f"{domain:04X}:{self.buses[place]}:00.0"


@dataclass(frozen=True)
class Driver:
    """What the tools give as versions, and the vendor's PCI number."""

    version: str
    firmware: str
    vendor: str


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def driver() -> Driver:
    return Driver(**{field.name: str(_file()[field.name]) for field in fields(Driver)})


@cache
def board(soc: str) -> Board:
    """The board of the chips with that name."""
    profile = profile_of(soc)
    generation = profile.generation if profile else ""
    record = dict(_file().get(generation, _file()[OTHER]))
    known = {field.name for field in fields(Board)}
    if unknown := record.keys() - known:
        raise BadBoard(f"{FILE.name}: {generation}: {', '.join(sorted(unknown))} is not known; remove it")
    return Board(**{**record, "buses": tuple(record["buses"])})


@cache
def profile_of(soc: str) -> chips.Chip | None:
    """The chip's own profile; None where the name is nobody's."""
    try:
        return chips.find(soc)
    except chips.UnknownChip:
        return None
