"""`--query-gpu` and `--query-compute-apps`: each field is a row, a value that nobody knows is [N/A]."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jumar.cuda.driver import MIB, Gpu, Process
from jumar.cudamap import personas

UNKNOWN = "[N/A]"


class UnknownField(LookupError):
    """No such field; the argument is its name."""


@dataclass(frozen=True)
class Column:
    """`name` stands in the header, with the unit; `value` gives None for what is not known."""

    name: str
    value: Callable[[Any], Any]
    unit: str = ""


def _now() -> str:
    return datetime.datetime.now().strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda row: value


def _table(rows: Iterable[tuple[str, str, Callable[[Any], Any]]]) -> dict[str, Column]:
    """From "name other-name", unit, value to a column by each name; the first stands in the header."""
    found = {}
    for names, unit, value in rows:
        for name in names.split():
            found[name] = Column(names.split()[0], value, unit)
    return found


_clock: Callable[[Gpu], Any] = lambda gpu: gpu.clock_mhz  # noqa: E731
_full_clock: Callable[[Gpu], Any] = lambda gpu: gpu.persona.clock_mhz  # noqa: E731
_memory_clock: Callable[[Gpu], Any] = lambda gpu: gpu.persona.memory_clock_mhz  # noqa: E731
_power: Callable[[Gpu], Any] = lambda gpu: f"{gpu.power_w:.2f}"  # noqa: E731
_limit: Callable[[Gpu], Any] = lambda gpu: f"{gpu.persona.power_w:.2f}"  # noqa: E731
_none = _constant(None)
THERMAL_SLOWDOWN = 0x20  # NVML's bit for a clock that software reduces because of heat


def _reasons(gpu: Gpu) -> str:
    return f"0x{THERMAL_SLOWDOWN if gpu.is_held_back else 0:016x}"


def _held_back(gpu: Gpu) -> str:
    return "Active" if gpu.is_held_back else "Not Active"


def _ecc_mode(gpu: Gpu) -> str | None:
    return "Enabled" if gpu.ecc else None


def _corrected(gpu: Gpu) -> int | None:
    return gpu.ecc.single if gpu.ecc else None


def _uncorrected(gpu: Gpu) -> int | None:
    return gpu.ecc.double if gpu.ecc else None


GPU = _table(
    (
        ("timestamp", "", lambda gpu: _now()),
        ("driver_version", "", lambda gpu: personas.toolkit().driver),
        ("count", "", lambda gpu: gpu),  # the number of rows: filled in by gpu_rows
        ("name gpu_name", "", lambda gpu: gpu.name),
        ("serial gpu_serial", "", lambda gpu: gpu.serial),
        ("uuid gpu_uuid", "", lambda gpu: gpu.uuid),
        ("index", "", lambda gpu: gpu.index),
        ("pci.bus_id gpu_bus_id", "", lambda gpu: gpu.bus_id),
        ("pci.domain", "", lambda gpu: f"0x{personas.pci_address(gpu.index)[0]:04X}"),
        ("pci.bus", "", lambda gpu: f"0x{personas.pci_address(gpu.index)[1]:02X}"),
        ("pci.device", "", lambda gpu: f"0x{personas.pci_address(gpu.index)[2]:02X}"),
        ("pci.device_id pci.sub_device_id vbios_version", "", _none),
        ("pcie.link.gen.current pcie.link.gen.gpucurrent", "", _none),
        ("pcie.link.gen.max pcie.link.width.current pcie.link.width.max", "", _none),
        ("compute_cap", "", lambda gpu: "{}.{}".format(*gpu.persona.capability)),
        ("compute_mode", "", _constant("Default")),
        ("persistence_mode", "", _constant("Enabled")),
        ("display_active", "", _constant("Disabled")),
        ("display_mode", "", _constant("Disabled")),
        ("display_attached", "", _constant("No")),
        ("accounting.mode", "", _constant("Disabled")),
        ("mig.mode.current", "", _constant("Disabled")),
        ("mig.mode.pending", "", _constant("Disabled")),
        ("fan.speed", "%", _none),
        ("pstate", "", _constant("P0")),
        ("memory.total", "MiB", lambda gpu: gpu.chip.memory_bytes // MIB),
        ("memory.reserved", "MiB", _constant(0)),
        ("memory.used", "MiB", lambda gpu: gpu.chip.used_bytes // MIB),
        ("memory.free", "MiB", lambda gpu: gpu.free_bytes // MIB),
        ("utilization.gpu", "%", lambda gpu: gpu.utilization_percent),
        ("utilization.memory", "%", _constant(0)),
        ("utilization.encoder", "%", _constant(0)),
        ("utilization.decoder", "%", _constant(0)),
        ("temperature.gpu", "", lambda gpu: gpu.temperature_c),
        ("temperature.gpu.tlimit", "", _none),
        ("temperature.memory", "", lambda gpu: gpu.memory_temperature_c),
        ("power.management", "", _constant("Enabled")),
        ("power.draw power.draw.instant", "W", _power),
        ("power.draw.average", "W", _power),
        ("power.limit", "W", _limit),
        ("enforced.power.limit", "W", _limit),
        ("power.default_limit", "W", _limit),
        ("power.max_limit", "W", _limit),
        ("power.min_limit", "W", _none),
        ("clocks.current.graphics clocks.gr", "MHz", _clock),
        ("clocks.current.sm clocks.sm", "MHz", _clock),
        ("clocks.current.memory clocks.mem", "MHz", _memory_clock),
        ("clocks.current.video clocks.video", "MHz", _none),
        ("clocks.max.graphics clocks.max.gr", "MHz", _full_clock),
        ("clocks.max.sm", "MHz", _full_clock),
        ("clocks.max.memory clocks.max.mem", "MHz", _memory_clock),
        ("clocks_throttle_reasons.active clocks_event_reasons.active", "", _reasons),
        (
            "clocks_throttle_reasons.sw_thermal_slowdown clocks_event_reasons.sw_thermal_slowdown",
            "",
            _held_back,
        ),
        ("ecc.mode.current", "", _ecc_mode),
        ("ecc.mode.pending", "", _ecc_mode),
        ("ecc.errors.corrected.volatile.total", "", _corrected),
        ("ecc.errors.uncorrected.volatile.total", "", _uncorrected),
        ("ecc.errors.corrected.aggregate.total", "", _corrected),
        ("ecc.errors.uncorrected.aggregate.total", "", _uncorrected),
        ("encoder.stats.sessionCount", "", _none),
    )
)

APPS = _table(
    (
        ("timestamp", "", lambda row: _now()),
        ("gpu_name", "", lambda row: row[0].name),
        ("gpu_bus_id", "", lambda row: row[0].bus_id),
        ("gpu_serial", "", lambda row: row[0].serial),
        ("gpu_uuid", "", lambda row: row[0].uuid),
        ("pid", "", lambda row: row[1].pid),
        ("process_name name", "", lambda row: row[1].name),
        ("used_gpu_memory used_memory", "MiB", lambda row: row[1].used_bytes // MIB),
    )
)


def columns(table: dict[str, Column], fields: str) -> list[Column]:
    """The columns of a list of fields; UnknownField for one that there is not."""
    found = []
    for name in (part.strip() for part in fields.split(",")):
        if name not in table:
            raise UnknownField(name)
        found.append(table[name])
    return found


def gpu_rows(gpus: list[Gpu]) -> list[Gpu]:
    return gpus


def app_rows(gpus: list[Gpu]) -> list[tuple[Gpu, Process]]:
    return [(gpu, process) for gpu in gpus for process in gpu.chip.processes]


def csv(wanted: list[Column], rows: list[Any], header: bool, units: bool) -> str:
    """The header names units even where the values go without."""
    lines = [[f"{one.name} [{one.unit}]" if one.unit else one.name for one in wanted]] if header else []
    lines += [[_text(one, row, len(rows), units) for one in wanted] for row in rows]
    return "".join(", ".join(line) + "\n" for line in lines)


def _text(one: Column, row: Any, count: int, units: bool) -> str:
    value = count if one.name == "count" else one.value(row)
    if value is None:
        return UNKNOWN
    return f"{value} {one.unit}" if one.unit and units else str(value)
