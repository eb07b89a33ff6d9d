"""The NVIDIA GPUs that the CUDA face can answer as, from personas.toml. Imports no torch."""

from __future__ import annotations

import tomllib
import uuid
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("personas.toml")
KIB, MIB = 1 << 10, 1 << 20
ABOUT = ("source", "confidence", "note")  # keys of a record that say where its numbers come from
# Buses that the eight GPUs of a server sit on, and what names one GPU the same in every program.
PCI_BUSES = (0x07, 0x0F, 0x47, 0x4E, 0x87, 0x90, 0xB7, 0xBD)
IDENTITIES = uuid.UUID("5f0f7c0e-6a0d-5d3c-9c1f-1d1a2b3c4d5e")


class BadPersona(ValueError):
    """A record that says too little; the message names it and the remedy."""


class UnknownPersona(LookupError):
    """No GPU goes by this name; the message lists those that do."""


@dataclass(frozen=True)
class Persona:
    """One GPU as programs see it. `key` is its name here, `name` the driver's. `memory_clock_mhz` as nvidia-smi."""

    key: str
    name: str
    aliases: tuple[str, ...]
    capability: tuple[int, int]
    sm_count: int
    l2_mib: int
    clock_mhz: int
    memory_clock_mhz: int
    memory_bus_bits: int
    power_w: int
    threads_per_sm: int
    shared_per_sm_kib: int
    shared_per_block_kib: int

    @property
    def architecture(self) -> str:
        """Such as "sm_80"."""
        return "sm_{}{}".format(*self.capability)

    def names(self) -> tuple[str, ...]:
        return (self.key, self.name, self.name.removeprefix("NVIDIA "), *self.aliases)


@dataclass(frozen=True)
class Toolkit:
    """What a PyTorch for these GPUs is built with. `cudnn` as torch.backends.cudnn.version() gives it."""

    cuda: str
    cudnn: int
    nccl: tuple[int, int, int]
    driver: str
    architectures: tuple[str, ...]


@dataclass(frozen=True)
class Idle:
    """What a board is taken to show while nobody measures it. `power_share`: of its limit."""

    temperature_c: int
    power_share: float


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def all_personas() -> tuple[Persona, ...]:
    """Every GPU, the default first, then in the order of the file."""
    found = [_persona(key, record) for key, record in _file()["gpu"].items()]
    return tuple(sorted(found, key=lambda one: one.key != default()))


@cache
def toolkit() -> Toolkit:
    record = _numbers("toolkit", _file()["toolkit"])
    nccl, architectures = (tuple(record.pop(key)) for key in ("nccl", "architectures"))
    return Toolkit(nccl=nccl, architectures=architectures, **record)


@cache
def idle() -> Idle:
    return Idle(**_numbers("idle", _file()["idle"]))


def default() -> str:
    return str(_file()["default"])


def _persona(key: str, record: dict[str, Any]) -> Persona:
    own = _numbers(f"gpu.{key}", record)
    capability = str(own.pop("capability", ""))
    limits = _file()["capability"].get(capability)
    if limits is None:
        raise BadPersona(f"{FILE.name}: gpu.{key}: capability {capability!r} has no record [capability] here")
    values = own | _numbers(f"capability.{capability}", limits)
    values |= {"key": key, "aliases": tuple(own.get("aliases", ())), "capability": _pair(capability)}
    if missing := {field.name for field in fields(Persona)} ^ values.keys():
        raise BadPersona(f"{FILE.name}: gpu.{key}: {', '.join(sorted(missing))} missing, or not known")
    return Persona(**values)


def _pair(capability: str) -> tuple[int, int]:
    major, _, minor = capability.partition(".")
    return int(major), int(minor)


def _numbers(where: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record without what it says about itself, which must name a known document."""
    if record.get("source") not in _file()["sources"] or not record.get("confidence"):
        raise BadPersona(f"{FILE.name}: {where}: needs a source that is under [sources], and a confidence")
    return {key: value for key, value in record.items() if key not in ABOUT}


def find(name: str) -> Persona:
    """The GPU of that name, in any case, with or without "NVIDIA"; UnknownPersona listing all otherwise."""
    wanted = name.strip().lower().removeprefix("nvidia ")
    for one in all_personas():
        if wanted in (known.lower() for known in one.names()):
            return one
    known = ", ".join(one.key for one in all_personas())
    raise UnknownPersona(f"unknown GPU {name!r}: the CUDA face can answer as {known}")


def identity(index: int) -> str:
    """Of the GPU of that number, as nvidia-smi writes it and CUDA_VISIBLE_DEVICES takes it."""
    return f"GPU-{device_uuid(index)}"


def device_uuid(index: int) -> uuid.UUID:
    """The identity of the chip of that number in the server, the same in every program and tool."""
    return uuid.uuid5(IDENTITIES, str(index))


def pci_address(index: int) -> tuple[int, int, int]:
    """PCI domain, bus and device that the chip of that number appears at."""
    return index // len(PCI_BUSES), PCI_BUSES[index % len(PCI_BUSES)], 0
