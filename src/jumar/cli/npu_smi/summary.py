"""The table of `npu-smi info`, and the lists of `info -l` and `info -m`."""

from __future__ import annotations

from jumar.inventory import Process
from jumar.report.monitoring import boards
from jumar.report.monitoring.readings import MIB, Reading

UNKNOWN = "NA"
WIDTH = 96
COLUMNS = (27, 15, 52)  # of the chips' table, between the bars
PROCESS_COLUMNS = (27, 15, 26, 25)
MAPPED_WIDTH = 30


def info(chips: list[Reading]) -> str:
    """Two lines for each chip, then what runs on it."""
    version = boards.driver().version
    rule = _rule("=", COLUMNS)
    lines = [
        f"+{'-' * WIDTH}+",
        f"| {f'npu-smi {version}':<33}{f'Version: {version}':<62}|",
        _rule("-", COLUMNS),
        "| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|",
        _second_header(chips),
        rule,
    ]
    for at, one in enumerate(chips):
        goes_on = at + 1 < len(chips) and chips[at + 1].card == one.card
        lines += [*_chip(one, chips), f"+{'-' * WIDTH}+" if goes_on else rule]
    lines += [
        _rule("-", COLUMNS),
        "| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |",
        rule,
    ]
    for card in dict.fromkeys(one.card for one in chips):
        lines += [*_processes([one for one in chips if one.card == card]), rule]
    return "\n".join(lines) + "\n"


def _second_header(chips: list[Reading]) -> str:
    several = any(one.board.chips > 1 for one in chips)
    first = "Chip  Phy-ID" if several else "Chip"
    return f"| {first:<26}| Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |"


def _chip(one: Reading, chips: list[Reading]) -> list[str]:
    heat = UNKNOWN if one.temperature_c is None else f"{one.temperature_c:.0f}"
    above = (f"{one.card:<6}{one.name}", one.health, f"{_power(one, chips):<12}{heat:<18}{'0':<5}/ 0")
    number = f"{one.on_card:<6}{one.index}" if one.board.chips > 1 else str(one.on_card)
    load = UNKNOWN if one.load_percent is None else str(one.load_percent)
    below = (number, one.bus_id, f"{load:<12}{'0':<5}{'/ 0':<13}{one.used_mib:<5}/ {one.total_mib}")
    return [_row(above), _row(below)]


def _power(one: Reading, chips: list[Reading]) -> str:
    """Of the whole card; a dash on its other chips."""
    if one.on_card:
        return "-"
    known = [other.power_w for other in chips if other.card == one.card and other.power_w is not None]
    return f"{sum(known):.1f}" if known else UNKNOWN


def _processes(card: list[Reading]) -> list[str]:
    rows = [(one, process) for one in card for process in one.chip.processes]
    if not rows:
        return [f"| {f'No running processes found in NPU {card[0].card}':<95}|"]
    return [
        _row(
            (f"{one.card:<8}{one.on_card}", str(process.pid), _name(process), str(process.used_bytes // MIB)),
            PROCESS_COLUMNS,
        )
        for one, process in rows
    ]


def _name(process: Process) -> str:
    """What the driver knows a program by: the kernel's name for it, of at most fifteen letters."""
    return process.name.rpartition("/")[2][:15]


def _row(cells: tuple[str, ...], widths: tuple[int, ...] = COLUMNS) -> str:
    return "|" + "|".join(f" {cell:<{width - 1}}" for cell, width in zip(cells, widths, strict=True)) + "|"


def _rule(stroke: str, widths: tuple[int, ...]) -> str:
    return "+" + "+".join(stroke * width for width in widths) + "+"


def listing(chips: list[Reading]) -> str:
    """`info -l`: the cards, and how many chips are on each."""
    cards = {one.card: one.board.chips for one in chips}
    lines = [f"\t{'Total Count':<30} : {len(cards)}", ""]
    for card, count in cards.items():
        lines += [f"\t{'NPU ID':<30} : {card}", f"\t{'Chip Count':<30} : {count}", ""]
    return "\n".join(lines)


def mapping(chips: list[Reading]) -> str:
    """`info -m`: which chip of which card a program knows by which number. Each card has a controller of its own."""
    several = any(one.board.chips > 1 for one in chips)
    physical = ["Chip Phy-ID"] if several else []
    rows = [["NPU ID", "Chip ID", "Chip Logic ID", *physical, "Chip Name"]]
    for at, one in enumerate(chips):
        same = [str(one.index)] if several else []
        name = one.name if one.name.startswith("Ascend") else f"Ascend {one.name}"
        rows.append([str(one.card), str(one.on_card), str(one.index), *same, name])
        if at + 1 == len(chips) or chips[at + 1].card != one.card:
            rows.append([str(one.card), str(one.board.chips), "-", *("-" for _ in physical), "Mcu"])
    lines = ["\t" + " ".join(f"{cell:<{MAPPED_WIDTH}}" for cell in row) for row in rows]
    return "\n".join(lines) + "\n"
