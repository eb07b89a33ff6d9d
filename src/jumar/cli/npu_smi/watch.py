"""`npu-smi info watch`: one line for each chip, again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from jumar.report.monitoring.readings import Reading

PAUSE_S = 1.0
WIDTH = 12
UNKNOWN = "NA"


@dataclass(frozen=True)
class Column:
    """`letter` chooses it, as in `-s pta`."""

    letter: str
    head: str
    value: Callable[[Reading], str | None]


def _nobody(one: Reading) -> str | None:
    return None


COLUMNS = (
    Column("p", "Pwr(W)", lambda one: None if one.power_w is None else f"{one.power_w:.1f}"),
    Column("t", "Temp(C)", lambda one: None if one.temperature_c is None else f"{one.temperature_c:.0f}"),
    Column("a", "AI Core(%)", lambda one: None if one.load_percent is None else str(one.load_percent)),
    Column("i", "AI Cpu(%)", _nobody),
    Column("c", "Ctrl Cpu(%)", _nobody),
    Column("m", "Memory(%)", lambda one: str(one.used_percent)),
    Column("b", "Memory BW(%)", _nobody),
    Column("u", "AI Cube(%)", _nobody),
)
LETTERS = "".join(column.letter for column in COLUMNS)
USUAL = "ptaicmb"


def watch(read: Callable[[], list[Reading]], letters: str, pause_s: float) -> None:
    """Prints until it is stopped, or `read` raises for there is no server any more."""
    chosen = [column for column in COLUMNS if column.letter in letters]
    heads = ["NpuID(Idx)", "ChipId(Idx)", *(column.head for column in chosen)]
    print(_line(heads), flush=True)
    while True:
        for one in read():
            values = [column.value(one) or UNKNOWN for column in chosen]
            print(_line([str(one.card), str(one.on_card), *values]))
        sys.stdout.flush()
        time.sleep(pause_s)


def _line(cells: list[str]) -> str:
    return "".join(f"{cell:<{WIDTH}}" for cell in cells)
