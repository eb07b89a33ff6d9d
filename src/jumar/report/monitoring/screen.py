"""What `jumar top` shows: chips, processes and events as tables of rich. Words say what colours say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jumar.report.monitoring.readings import MIB, Reading

BAR = 10
COLOURS = {"OK": "green", "Warning": "yellow", "Alarm": "red", "Critical": "bold red"}
HOT_C, WARM_C = 95.0, 85.0  # as the dashboard's
FULL = 0.999
UNKNOWN = "-"


@dataclass(frozen=True)
class State:
    """One moment. `chosen`: index of the chip that keys are for; None: there are no keys. `note`: what was just done."""

    server: str
    chips: Sequence[Reading]
    events: Sequence[dict[str, Any]] = ()
    chosen: int | None = None
    note: str = ""
    keys: Sequence[tuple[str, str]] = field(default=())


def draw(state: State) -> RenderableType:
    parts: list[RenderableType] = [_title(state), _chips(state)]
    if any(one.chip.processes for one in state.chips):
        parts.append(_processes(state.chips))
    if state.events:
        parts.append(_events(state.events))
    if state.keys:
        parts.append(Text("  ".join(f"[{key}] {what}" for key, what in state.keys), style="dim"))
    if state.note:
        parts.append(Text(state.note, style="bold"))
    return Group(*parts)


def _title(state: State) -> Text:
    chips = state.chips
    power = [one.power_w for one in chips if one.power_w is not None]
    words = [f"jumar {state.server}", f"{len(chips)} × {chips[0].name}" if chips else "no chips"]
    if power:
        words.append(f"{sum(power):.0f} W")
    if chips and (latest := max(one.condition.virtual_s for one in chips)):
        words.append(f"{latest:.2f} s on the virtual clock")
    ill = sum(not one.condition.well for one in chips)
    words.append(f"{ill} not well" if ill else "all well")
    return Text("   ".join(words), style="bold")


def _chips(state: State) -> Table:
    table = _table("NPU", "Health", "Temp", "HBM", "Power", "Clock", "Load", "Memory", "Procs", "Faults")
    for one in state.chips:
        mark = ">" if one.index == state.chosen else " "
        table.add_row(
            f"{mark}{one.index}",
            Text(one.health, style=COLOURS.get(one.health, "")),
            _heat(one.temperature_c),
            _heat(one.hbm_temperature_c),
            UNKNOWN if one.power_w is None else f"{one.power_w:.0f} W",
            _clock(one),
            UNKNOWN if one.load_percent is None else f"{_bar(one.load_percent)} {one.load_percent:>3} %",
            f"{_bar(one.used_percent)} {one.used_mib / 1024:.1f} of {one.total_mib / 1024:.0f} GiB",
            str(len(one.chip.processes)),
            _faults(one),
        )
    return table


def _heat(value: float | None) -> Text:
    if value is None:
        return Text(UNKNOWN)
    style = "red" if value >= HOT_C else "yellow" if value >= WARM_C else ""
    return Text(f"{value:.0f} °C", style=style)


def _clock(one: Reading) -> Text:
    if one.clock_mhz is None:
        return Text(UNKNOWN)
    reduced = one.condition.clock_share < FULL
    return Text(f"{one.clock_mhz} MHz{' ↓' if reduced else ''}", style="yellow" if reduced else "")


def _faults(one: Reading) -> Text:
    words = ["lost"] if one.condition.lost else []
    words += [] if one.condition.link_up else ["link down"]
    words += [f"{one.condition.slow:.2g}× slow"] if one.condition.slow > 1 / FULL else []
    words += [f"{fault.kind} {fault.code}" for fault in one.faults[:2]]
    return Text(", ".join(words), style="red")


def _bar(percent: float) -> str:
    filled = round(BAR * min(100.0, max(0.0, percent)) / 100)
    return "#" * filled + "." * (BAR - filled)


def _processes(chips: Sequence[Reading]) -> Table:
    table = _table("NPU", "Process", "Memory", "Program")
    for one in chips:
        for process in one.chip.processes:
            table.add_row(str(one.index), str(process.pid), f"{process.used_bytes // MIB} MiB", process.name)
    return table


def _events(events: Sequence[dict[str, Any]]) -> Table:
    table = _table("Time", "NPU", "Event", "Kind", "What")
    for one in events:
        when = str(one.get("time", ""))[11:19]
        words = (when, one.get("chip", ""), one.get("event", ""), one.get("kind", ""), one.get("text", ""))
        table.add_row(*(str(word) for word in words))
    return table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, expand=False)
    for head in heads:
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    return table
