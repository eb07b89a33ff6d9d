"""What can be read of one chip, in the units that the vendor's tools use: MiB, percent, MHz, °C, W."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from jumar import inventory
from jumar.condition import Condition, Fault
from jumar.report.monitoring import boards

MIB = 1 << 20
VDIE_WORDS, WORD_DIGITS = 5, 8  # the identity of a die: five groups of eight digits
MOST_CODES = 10  # fault codes that the tools show at once


@dataclass(frozen=True)
class Reading:
    """One chip on its board. What is None is not known: nothing measures it, or the chip is lost."""

    chip: inventory.Chip
    board: boards.Board

    @property
    def condition(self) -> Condition:
        return self.chip.condition

    @property
    def index(self) -> int:
        return self.chip.index

    @property
    def card(self) -> int:
        return self.index // self.board.chips

    @property
    def on_card(self) -> int:
        """Which chip of its card."""
        return self.index % self.board.chips

    @property
    def bus_id(self) -> str:
        return self.board.bus_id(self.index)

    @property
    def name(self) -> str:
        """Such as "910B2"; one of a 910C goes by the family's name, as there."""
        short = self.chip.name.removeprefix("Ascend")
        return "Ascend910" if short.startswith("910_") else short

    @property
    def model_name(self) -> str:
        """As the vendor's exporter puts name, type and version together."""
        return f"{self.name}-Ascend-V1"

    @property
    def health(self) -> str:
        return self.condition.shown_health

    @property
    def reachable(self) -> bool:
        return not self.condition.lost

    @property
    def temperature_c(self) -> float | None:
        return self.condition.temperature_c if self.reachable else None

    @property
    def hbm_temperature_c(self) -> float | None:
        return self.condition.hbm_temperature_c if self.reachable else None

    @property
    def power_w(self) -> float | None:
        return self.condition.power_w if self.reachable else None

    @property
    def load_percent(self) -> int | None:
        return (self.chip.utilization_percent or 0) if self.reachable else None

    @property
    def rated_mhz(self) -> int | None:
        profile = boards.profile_of(self.chip.name)
        return round(profile.number("clock.rated", "Hz") / 1e6) if profile else None

    @property
    def clock_mhz(self) -> int | None:
        if self.rated_mhz is None or not self.reachable:
            return None
        return round(self.rated_mhz * self.condition.clock_share)

    @property
    def cores(self) -> int | None:
        profile = boards.profile_of(self.chip.name)
        return profile.matrix_cores() if profile else None

    @property
    def total_mib(self) -> int:
        return self.chip.memory_bytes // MIB

    @property
    def used_mib(self) -> int:
        return self.chip.used_bytes // MIB

    @property
    def used_percent(self) -> int:
        return round(100 * self.chip.used_bytes / self.chip.memory_bytes) if self.chip.memory_bytes else 0

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those with a code of the vendor's, each code once, the latest first."""
        found = {one.code: one for one in self.condition.faults if one.code}
        return tuple(reversed(found.values()))[:MOST_CODES]

    @property
    def identity(self) -> tuple[str, ...]:
        """Made-up, and the same in every run: the groups of the die's number."""
        digits = hashlib.sha256(f"{self.chip.name} {self.index}".encode()).hexdigest().upper()
        return tuple(digits[at * WORD_DIGITS : (at + 1) * WORD_DIGITS] for at in range(VDIE_WORDS))

    @property
    def serial(self) -> str:
        """Made-up likewise: what names the card."""
        return f"JUMAR{self.identity[0]}"


def of_chips(found: list[inventory.Chip]) -> list[Reading]:
    """Every chip on its board."""
    return [Reading(one, boards.board(one.name)) for one in found]
