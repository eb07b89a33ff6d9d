"""The pages of `npu-smi info -t TYPE`: each type is a function that gives the rows of one chip, or a text for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from jumar.report.monitoring import boards
from jumar.report.monitoring.readings import MIB, Reading

UNKNOWN = "NA"
NAME_WIDTH, ECC_NAME_WIDTH = 30, 40

Row = tuple[str, object]  # a name and what stands behind the colon; None: not known


@dataclass(frozen=True)
class Page:
    """`card`: rows of the card itself, shown when no chip is named. `bare`: one named chip goes without its numbers.
    `number_first`: the chip's number stands before its rows."""

    rows: Callable[[Reading], list[Row]]
    card: Callable[[Reading], list[Row]] | None = None
    width: int = NAME_WIDTH
    bare: bool = False
    number_first: bool = False


PAGES: dict[str, Page] = {}


def _page(
    name: str,
    card: Callable[[Reading], list[Row]] | None = None,
    width: int = NAME_WIDTH,
    bare: bool = False,
    number_first: bool = False,
) -> Callable[[Callable[[Reading], list[Row]]], Callable[[Reading], list[Row]]]:
    def add(rows: Callable[[Reading], list[Row]]) -> Callable[[Reading], list[Row]]:
        PAGES[name] = Page(rows, card, width, bare, number_first)
        return rows

    return add


def text(name: str, chips: list[Reading], alone: bool) -> str:
    """One page about the chips of one card; `alone`: one of them was named."""
    page, first = PAGES[name], chips[0]
    if alone:
        own = page.rows(first)
        if page.bare:
            return _lines(own, page.width)
        number: list[Row] = [("Chip ID", first.on_card)]
        rows = [*number, *own] if page.number_first else [*own, *number]
        return _lines([("NPU ID", first.card), *rows], page.width)
    if page.card:
        rows = [("NPU ID", first.card), *page.card(first), ("Chip Count", first.board.chips)]
        return _lines(rows, page.width)
    text = _lines([("NPU ID", first.card), ("Chip Count", first.board.chips)], page.width)
    for one in chips:
        number = [("Chip ID", one.on_card)]
        rows = [*number, *page.rows(one)] if page.number_first else [*page.rows(one), *number]
        text += "\n" + _lines(rows, page.width)
    return text


def _lines(rows: Iterable[Row], width: int) -> str:
    """A row without a name is a line of its own."""
    return "".join(
        f"\t{name:<{width}} : {UNKNOWN if value is None else value}\n" if name else f"\t{value}\n"
        for name, value in rows
    )


def _whole(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"


def _tenths(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


@_page("temp")
def _temperature(one: Reading) -> list[Row]:
    return [("NPU Temperature (C)", _whole(one.temperature_c))]


@_page("power")
def _power(one: Reading) -> list[Row]:
    return [("NPU Real-time Power(W)", _tenths(one.power_w))]


@_page("health", bare=True)
def _health(one: Reading) -> list[Row]:
    faults = one.faults
    return [
        ("Health Status", one.health),
        ("Error Code", " ".join(fault.code for fault in faults) or None),
        ("Error Information", "; ".join(fault.kind for fault in faults) or None),
    ]


@_page("memory")
def _memory(one: Reading) -> list[Row]:
    return [
        ("DDR Capacity(MB)", 0),
        ("DDR Clock Speed(MHz)", 0),
        ("HBM Capacity(MB)", one.total_mib),
        ("HBM Clock Speed(MHz)", one.board.hbm_clock_mhz),
        ("HBM Temperature(C)", _whole(one.hbm_temperature_c)),
        ("HBM Manufacturer ID", None),
    ]


@_page("usages")
def _usages(one: Reading) -> list[Row]:
    """The load of the cube and vector units apart, of the CPUs and of the memory's lines is not followed."""
    return [
        ("DDR Capacity(MB)", 0),
        ("DDR Usage Rate(%)", 0),
        ("DDR Hugepages Total(page)", 0),
        ("DDR Hugepages Usage Rate(%)", 0),
        ("HBM Capacity(MB)", one.total_mib),
        ("HBM Usage Rate(%)", one.used_percent),
        ("Aicore Usage Rate(%)", one.load_percent),
        ("Aivector Usage Rate(%)", None),
        ("Aicpu Usage Rate(%)", None),
        ("Ctrlcpu Usage Rate(%)", None),
        ("DDR Bandwidth Usage Rate(%)", 0),
        ("HBM Bandwidth Usage Rate(%)", None),
        ("NPU Utilization(%)", one.load_percent),
        ("Aicube Usage Rate(%)", None),
    ]


@_page("common", number_first=True)
def _common(one: Reading) -> list[Row]:
    return [
        ("Memory Usage Rate(%)", 0),
        ("HBM Usage Rate(%)", one.used_percent),
        ("Aicore Usage Rate(%)", one.load_percent),
        ("Aicore Freq(MHZ)", one.rated_mhz),
        ("Aicore curFreq(MHZ)", one.clock_mhz),
        ("Aicore Count", one.cores),
        ("Temperature(C)", _whole(one.temperature_c)),
        ("NPU Real-time Power(W)", _tenths(one.power_w)),
    ]


@_page("ecc", width=ECC_NAME_WIDTH)
def _ecc(one: Reading) -> list[Row]:
    found = one.condition.ecc
    zero: list[Row] = [(f"DDR {name}", 0) for name in ECC_COUNTS]
    values: tuple[int | None, ...] = (None,) * len(ECC_COUNTS)
    if found is not None:  # the server's life is the chip's: what it counts now is all that there ever was
        now = (found.single, found.double)
        values = (*now, *now, found.isolated_single, found.isolated_double)
    return zero + [(f"HBM {name}", value) for name, value in zip(ECC_COUNTS, values, strict=True)]


ECC_COUNTS = ("Single Bit Error Count", "Double Bit Error Count", "Single Bit Aggregate Total Err Cnt",
              "Double Bit Aggregate Total Err Cnt", "Single Bit Isolated Pages Count",
              "Double Bit Isolated Pages Count")  # fmt: skip


@_page("ecc-enable")
def _ecc_enable(one: Reading) -> list[Row]:
    return [("HBM ECC-Enable Status", "True")]


def _card(one: Reading) -> list[Row]:
    kit = boards.driver()
    return [
        ("Product Name", None),
        ("Model", None),
        ("Manufacturer", "Huawei"),
        ("Serial Number", one.serial),
        ("Software Version", kit.version),
        ("Firmware Version", kit.firmware),
        ("Compatibility", "OK"),
        ("Board ID", None),
        ("PCB ID", None),
        ("BOM ID", None),
        ("PCIe Bus Info", one.bus_id),
        ("Slot ID", one.card),
        ("Class ID", None),
        ("PCI Vendor ID", kit.vendor),
        ("PCI Device ID", one.board.device or None),
        ("Subsystem Vendor ID", kit.vendor),
        ("Subsystem Device ID", None),
    ]


@_page("board", card=_card, number_first=True)
def _board(one: Reading) -> list[Row]:
    return [
        ("Chip Type", "Ascend"),
        ("Chip Name", one.name),
        ("Chip Version", "V1"),
        ("Board ID", None),
        ("PCB ID", None),
        ("BOM ID", None),
        ("VDie ID", " ".join(one.identity)),
        ("NDie ID", None),
        ("Chip Position ID", one.on_card),
        ("PCIe Bus Info", one.bus_id),
        ("Firmware Version", boards.driver().firmware),
    ]


@_page("product")
def _product(one: Reading) -> list[Row]:
    return [("Product Type", None)]


@_page("proc-mem")
def _process_memory(one: Reading) -> list[Row]:
    if not one.chip.processes:
        return [("", "No process in device.")]
    return [
        (
            "",
            f"Process id:{process.pid:<8}Process name:{process.name.rpartition('/')[2][:15]:<18} "
            f"Process memory(MB):{process.used_bytes // MIB}",
        )
        for process in one.chip.processes
    ]


def topology(chips: list[Reading]) -> str:
    """`-t topo`: how chips reach each other, and which of this machine's CPUs are near. They are all as near."""
    names = [f"NPU{one.index}" for one in chips]
    near = _ranges(sorted(os.sched_getaffinity(0)))
    lines = ["\t   " + "".join(f"{name:<11}" for name in names) + "CPU Affinity"]
    for name, one in zip(names, chips, strict=True):
        cells = [_way(one, other) for other in chips]
        lines.append(f"{name:<11}" + "".join(f"{cell:<11}" for cell in cells) + near)
    used = [(word, meaning) for word, meaning in WAYS if any(word in line.split() for line in lines)]
    legend = ["", "Legend:", "", *(f"  {word:<8} = {meaning}" for word, meaning in used)]
    return "\n".join(lines + legend) + "\n"


WAYS = (
    ("X", "Self"),
    ("SYS", "over PCIe and between the sockets of the host"),
    ("SIO", "the two dies of one package"),
    ("HCCS", "a direct HCCS link"),
    ("HCCS_SW", "HCCS through a switch"),
    ("UB", "Unified Bus"),
)


def _way(one: Reading, other: Reading) -> str:
    if one.index == other.index:
        return "X"
    return one.board.die if one.card == other.card else one.board.link


def _ranges(numbers: list[int]) -> str:
    """Such as "0-3,6"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
