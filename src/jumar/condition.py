"""How a chip is: heat, power, clock, health, errors of its memory, faults that it has met. Imports nothing heavy.

Of a virtual chip it comes from the server's report, of a real one from what the vendor's tool prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WELL = "OK"
LOST = "Critical"  # what a chip that nobody can reach any more counts as
LEVELS = (WELL, "Warning", "Alarm", LOST)  # from well to lost


@dataclass(frozen=True)
class Ecc:
    """Errors of the memory: corrected (one bit), not corrected (two bits), and the pages taken out of use."""

    single: int = 0
    double: int = 0
    isolated_single: int = 0
    isolated_double: int = 0


@dataclass(frozen=True)
class Fault:
    """One that struck: `code` as the vendor numbers it (hexadecimal digits), `kind` as people call it."""

    code: str
    kind: str
    virtual_s: float | None = None

    @property
    def number(self) -> int:
        return int(self.code, 16) if self.code else 0


@dataclass(frozen=True)
class Condition:
    """None where nobody measures or counts it: heat without a trace, a real chip's ECC. `clock_share`, `slow`: 1 is full."""

    temperature_c: float | None = None
    hbm_temperature_c: float | None = None
    inlet_c: float | None = None
    power_w: float | None = None
    clock_share: float = 1.0
    slow: float = 1.0
    health: str = WELL
    lost: bool = False
    link_up: bool = True
    operators: int = 0
    virtual_s: float = 0.0
    energy_j: float | None = None
    ecc: Ecc | None = None
    faults: tuple[Fault, ...] = field(default=())

    @property
    def well(self) -> bool:
        return self.health == WELL and not self.lost

    @property
    def shown_health(self) -> str:
        """The word that a tool shows: a lost chip is as bad as can be, whatever was reported before."""
        return LOST if self.lost else self.health


UNKNOWN = Condition()
PLAIN = ("temperature_c", "hbm_temperature_c", "inlet_c", "power_w", "clock_share", "slow", "health", "lost", "link_up",
         "operators", "virtual_s", "energy_j")  # fmt: skip


def of_report(told: Mapping[str, Any] | None) -> Condition:
    """From `condition` of one chip in the server's report; what is not said there is not known."""
    if not told:
        return UNKNOWN
    plain = {name: told[name] for name in PLAIN if name in told}
    counts = told.get("ecc")
    ecc = Ecc(**{name: int(count) for name, count in counts.items()}) if counts else None
    faults = tuple(
        Fault(str(one.get("code", "")), str(one.get("kind", "")), one.get("virtual_s"))
        for one in told.get("faults") or ()
    )
    return Condition(**plain, ecc=ecc, faults=faults)
