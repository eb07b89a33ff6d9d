"""What NVIDIA's driver would say of the chips of this machine: for pynvml, nvidia-smi and the like. Imports no torch.

Name, limits and versions are the persona's; memory and processes are those of the chip below. A chip whose heat,
power and load nobody measures is taken to be idle, as torch.cuda takes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from jumar import environment, inventory
from jumar.condition import Ecc
from jumar.cudamap import personas
from jumar.inventory import Chip, NoChips, Process

__all__ = ["Gpu", "NoChips", "Process", "find", "gpus", "persona"]

MIB = 1 << 20


def persona() -> personas.Persona:
    """The GPU that the program believes in: as the face was turned on, or as the environment says."""
    import sys

    face = sys.modules.get("jumar.cuda.face")
    wanted = (
        face.options().persona if face is not None and face.is_on() else os.environ.get(environment.PERSONA)
    )
    return personas.find(wanted or personas.default())


@dataclass(frozen=True)
class Gpu:
    """One chip, spoken of as NVIDIA does."""

    chip: Chip
    persona: personas.Persona

    @property
    def index(self) -> int:
        return self.chip.index

    @property
    def name(self) -> str:
        return self.persona.name

    @property
    def uuid(self) -> str:
        return personas.identity(self.index)

    @property
    def serial(self) -> str:
        """A number of the same length as NVIDIA's, from the identity."""
        return f"{personas.device_uuid(self.index).int % 10**13:013d}"

    @property
    def bus_id(self) -> str:
        return "{:08X}:{:02X}:{:02X}.0".format(*personas.pci_address(self.index))

    @property
    def free_bytes(self) -> int:
        return max(0, self.chip.memory_bytes - self.chip.used_bytes)

    @property
    def temperature_c(self) -> int:
        known = self.chip.temperature_c
        return personas.idle().temperature_c if known is None else known

    @property
    def power_w(self) -> float:
        known = self.chip.power_w
        return self.persona.power_w * personas.idle().power_share if known is None else known

    @property
    def memory_temperature_c(self) -> int | None:
        known = self.chip.condition.hbm_temperature_c
        return None if known is None else round(known)

    @property
    def clock_mhz(self) -> int:
        """At present: a chip that is held back shows it."""
        return round(self.persona.clock_mhz * self.chip.condition.clock_share)

    @property
    def is_held_back(self) -> bool:
        return self.clock_mhz < self.persona.clock_mhz

    @property
    def ecc(self) -> Ecc | None:
        return self.chip.condition.ecc

    @property
    def is_lost(self) -> bool:
        return self.chip.condition.lost

    @property
    def utilization_percent(self) -> int:
        return self.chip.utilization_percent or 0

    def is_named(self, name: str) -> bool:
        """Whether that index, UUID or bus address is this one's."""
        address = self.bus_id.lower()
        return name in (str(self.index), self.uuid) or name.lower() in (address, address[4:], address[9:])


def gpus() -> list[Gpu]:
    """Every one of the machine, whatever is made visible, as the driver has them. NoChips if there is none."""
    own = persona()
    return [Gpu(chip, own) for chip in inventory.chips()]


def find(name: str) -> Gpu | None:
    return next((one for one in gpus() if one.is_named(name)), None)
