"""Where the metrics' values come from: a function of one chip each, or of all of them. None: not known, so not given."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jumar import __version__
from jumar.condition import LEVELS
from jumar.report.monitoring.readings import MIB, MOST_CODES, Reading

Labels = Mapping[str, str]
Value = float | None

# XIDs, NVIDIA's numbers for what befalls a GPU: row of a double-bit error, link error, off the bus.
XID_DOUBLE_BIT, XID_LINK, XID_LOST = 48, 74, 79


def _xid(one: Reading) -> float:
    how = one.condition
    if how.lost:
        return XID_LOST
    if how.ecc and how.ecc.double:
        return XID_DOUBLE_BIT
    return 0 if how.link_up else XID_LINK


def _share(one: Reading) -> Value:
    return None if one.load_percent is None else one.load_percent / 100


def _code(at: int) -> Callable[[Reading], Value]:
    return lambda one: one.faults[at].number if at < len(one.faults) else None


def _ecc(name: str) -> Callable[[Reading], Value]:
    return lambda one: None if one.condition.ecc is None else float(getattr(one.condition.ecc, name))


def _level(one: Reading) -> float:
    return float(LEVELS.index(one.health)) if one.health in LEVELS else -1.0


def _energy(one: Reading) -> Value:
    """Where no power is followed, none is added up."""
    return None if one.condition.power_w is None else one.condition.energy_j


def _energy_mj(one: Reading) -> Value:
    joules = _energy(one)
    return None if joules is None else joules * 1000


OF_CHIP: dict[str, Callable[[Reading], Value]] = {
    "one": lambda one: 1,
    "zero": lambda one: 0,
    "clock": lambda one: one.clock_mhz,
    "temperature": lambda one: one.temperature_c,
    "hbm_temperature": lambda one: one.hbm_temperature_c,
    "power": lambda one: one.power_w,
    "energy": _energy,
    "energy_mj": _energy_mj,
    "inlet": lambda one: one.condition.inlet_c,
    "load": lambda one: one.load_percent,
    "load_share": _share,
    "memory_total": lambda one: one.total_mib,
    "memory_used": lambda one: one.used_mib,
    "memory_free": lambda one: max(0, one.chip.memory_bytes - one.chip.used_bytes) // MIB,
    "memory_percent": lambda one: one.used_percent,
    "healthy": lambda one: float(one.condition.well),
    "level": _level,
    "lost": lambda one: float(one.condition.lost),
    "link": lambda one: float(one.condition.link_up and one.reachable),
    "xid": _xid,
    "process_count": lambda one: len(one.chip.processes),
    "ecc_single": _ecc("single"),
    "ecc_double": _ecc("double"),
    "ecc_isolated_single": _ecc("isolated_single"),
    "ecc_isolated_double": _ecc("isolated_double"),
    "clock_share": lambda one: one.condition.clock_share if one.reachable else None,
    "slow": lambda one: one.condition.slow,
    "virtual": lambda one: one.condition.virtual_s,
    "operators": lambda one: one.condition.operators,
    **{f"code_{at}": _code(at) for at in range(MOST_CODES)},
}
OF_ALL: dict[str, Callable[[list[Reading]], float]] = {
    "cards": lambda found: len({one.card for one in found}),
    "chips": lambda found: len(found),
    "healthy_chips": lambda found: sum(one.condition.well for one in found),
    "unhealthy_chips": lambda found: sum(not one.condition.well for one in found),
    "unknown_chips": lambda found: 0,
}
# With labels of their own: a name for each, and what each chip gives.
LABELLED: dict[str, tuple[tuple[str, ...], Callable[[Reading], list[tuple[Labels, float]]]]] = {
    "name": (("name",), lambda one: [({"name": one.model_name}, 1)]),
    "serial": (("serial_number",), lambda one: [({"serial_number": one.serial}, 1)]),
    "process_memory": (
        ("process_id", "container_id"),
        lambda one: [
            ({"process_id": str(process.pid), "container_id": ""}, process.used_bytes / MIB)
            for process in one.chip.processes
        ],
    ),
    "fault": (
        ("code", "kind"),
        lambda one: [
            ({"code": fault.code, "kind": fault.kind}, fault.virtual_s or 0.0) for fault in one.faults
        ],
    ),
}
VERSION = {"exporterVersion": f"jumar {__version__}"}
OF_EXPORTER = ("version",)


def known() -> set[str]:
    """Every name that a row may use."""
    return {*OF_CHIP, *OF_ALL, *LABELLED, *OF_EXPORTER, *OF_GPU}


# What the CUDA face gives instead: its clocks are those of the GPU that programs believe in.
OF_GPU = ("memory_clock",)
