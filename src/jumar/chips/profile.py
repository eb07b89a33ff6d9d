"""A chip as the program holds it: numbers with unit, source and confidence. `reading` makes it from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jumar.chips import schema, units

CONFIDENCES = {
    "vendor": "published by the maker",
    "vendor-2nd": "published by the maker, read in a transcription",
    "measured": "measured by somebody who published the measurement",
    "press": "reported by the press, an analyst or a table of a third party",
    "derived": "computed from other numbers; the note says how",
    "recalled": "from memory, no document at hand",
    "assumption": "no source: chosen, the note says why",
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class BadProfile(ValueError):
    """A chip file that says too little: the message names file, key and remedy."""


@dataclass(frozen=True)
class Quantity:
    """One number about a chip, in the unit of the program. `source` is the document itself; `note` says how
    it was read; `date` is there for prices."""

    value: int | float
    unit: str
    source: str
    confidence: str
    note: str = ""
    date: str = ""

    def text(self) -> str:
        return units.text(self.value, self.unit)


@dataclass(frozen=True)
class Chip:
    """One accelerator as a program sees it. `soc` is the name under which torch_npu knows it, empty if it does
    not; `device` says what one is; `packaged_in` names the chip file of the package that a die is half of; `links`
    says what kind each link is (host, chip, die, network)."""

    name: str
    title: str
    vendor: str
    generation: str
    architecture: str
    device: str
    aliases: tuple[str, ...]
    quantities: Mapping[str, Quantity] = field(repr=False)
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    soc: str = ""
    packaged_in: str = ""

    def number(self, key: str, unit: str) -> int | float:
        """The value of `section.key`, which is kept in `unit`; KeyError if it is not in the file."""
        quantity = self.quantities[key]
        if quantity.unit != unit:
            raise BadProfile(
                f"{self.name}: {key} is in {quantity.unit}, not in {unit}: convert it where it is used"
            )
        return quantity.value

    def matrix_cores(self) -> int:
        """The blocks over which a matrix product is spread: cube cores, multiprocessors, compute units."""
        return int(self.number(schema.MATRIX_CORES[self.architecture], "core"))

    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)
