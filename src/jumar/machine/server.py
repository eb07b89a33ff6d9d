"""Creates a virtual server and reads what happened on it: the command line's view of the native core."""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jumar.chips import Chip
from jumar.machine import libraries

MOST_CHIPS = 64
# Tensors of at most so many elements are computed in a dry run: indices, token ids, counters, losses, flags.
DRY_LIMIT_ELEMENTS = 16384
# Events that a process keeps unless more are asked for: 256 MB, some thousand steps of a GPT-2.
MOST_EVENTS = 4_000_000


class ServerError(RuntimeError):
    """The core refused; the message is its own."""


@dataclass(frozen=True)
class Settings:
    """What a server is made of; the names are those that the core reads. Sizes in bytes."""

    soc_name: str
    memory_bytes: int
    cube_cores: int
    vector_cores: int
    l2_bytes: int
    chips: int
    dry: int
    dry_limit_elements: int
    seed: int
    python: str
    chip: str
    trace: str = ""
    trace_events: int = 0
    host_call_ns: int = 0
    host_measured: int = 0
    host_factor: float = 1.0
    imagined: int = 0
    cooling: str = ""
    inlet_c: float | None = None

    def lines(self) -> str:
        optional = {"imagined": 0, "cooling": "", "inlet_c": None}
        said = asdict(self).items()
        return "".join(f"{key}={value}\n" for key, value in said if optional.get(key, key) != value)


@dataclass(frozen=True)
class Host:
    """How the host's time is counted: `call_s` for each call, None: as the chip's parameters say; or, `measured`, as long
    as it takes on this machine, times `factor`."""

    call_s: float | None = None
    measured: bool = False
    factor: float = 1.0


@dataclass(frozen=True)
class Heat:
    """How the chips are cooled (see physics/heat.toml), and the temperature of what cools them; None: as usual."""

    inlet_c: float | None = None
    cooling: str = ""


@dataclass(frozen=True)
class Tracing:
    """Where each process leaves its trace, and how many events it may keep."""

    folder: Path
    profile: str = ""  # name or file of the chip that prices it; empty: the server's own
    events: int = MOST_EVENTS
    host: Host = Host()
    heat: Heat = Heat()


def settings(
    chip: Chip,
    devices: int,
    dry: bool,
    seed: int | None,
    tracing: Tracing | None = None,
    imagined: bool = False,
) -> Settings:
    """The settings of a server of so many of these chips."""
    host = tracing.host if tracing else Host()
    heat = tracing.heat if tracing else Heat()
    return Settings(
        soc_name=chip.soc,
        memory_bytes=int(chip.number("memory.size", "B")),
        cube_cores=int(chip.number("core.cube", "core")),
        vector_cores=int(chip.number("core.vector", "core")),
        l2_bytes=int(chip.number("cache.l2", "B")),
        chips=devices,
        dry=int(dry),
        dry_limit_elements=DRY_LIMIT_ELEMENTS,
        seed=seed or 0,
        python=sys.executable,
        chip=(tracing.profile if tracing else "") or chip.name,
        trace=str(tracing.folder.resolve()) if tracing else "",
        trace_events=tracing.events if tracing else 0,
        host_call_ns=max(1, round(1e9 * host.call_s)) if host.call_s is not None else 0,
        host_measured=int(host.measured),
        host_factor=host.factor,
        imagined=int(imagined),
        cooling=heat.cooling,
        inlet_c=heat.inlet_c,
    )


def create(directory: Path, wanted: Settings) -> None:
    """Makes the server in that directory, which must exist. ServerError if the core cannot."""
    if core().jumar_server_create(str(directory).encode(), wanted.lines().encode()) != 0:
        raise ServerError(reason())


def report(directory: Path) -> dict[str, Any]:
    """What the server knows: chips with peak memory, operators with counts, unsupported calls, copies."""
    text = core().jumar_server_report(str(directory).encode())
    if text is None:
        raise ServerError(reason())
    facts: dict[str, Any] = json.loads(text)
    return facts


def reason() -> str:
    """Why the core refused last."""
    return str((core().jumar_last_error() or b"no reason given").decode(errors="replace"))


@cache
def core() -> ctypes.CDLL:
    """The native core, with the types of what this room calls."""
    loaded = libraries.load_core()
    loaded.jumar_server_create.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    loaded.jumar_server_create.restype = ctypes.c_int
    loaded.jumar_server_report.argtypes = [ctypes.c_char_p]
    loaded.jumar_server_report.restype = ctypes.c_char_p
    loaded.jumar_last_error.restype = ctypes.c_char_p
    return loaded
