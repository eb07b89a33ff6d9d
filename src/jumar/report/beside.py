"""The same step on several chips, as a table and as bars with their ranges. Rows are those of `jumar.runs.comparing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jumar.report import amounts, drawings, lines, markup
from jumar.report.markup import Cell, Section, number

MANY = 1000  # steps: what one costs is a number that nobody can read


def section(rows: Sequence[dict[str, Any]]) -> Section:
    """The first row is the chip that the page is about."""
    body = bars(rows) + table(rows)
    notes = [f"{row['chip']}: {note}" for row in rows for note in row.get("notes", ())]
    body += markup.points(_shared(notes, len(rows)))
    return Section("chips", "Chips side by side", body, "chips")


def bars(rows: Sequence[dict[str, Any]]) -> str:
    return drawings.bars(
        [
            (
                row["chip"],
                row["step_s"],
                row["low_s"],
                row["high_s"],
                f"{amounts.seconds(row['step_s'])} ({amounts.between(row['low_s'], row['high_s'])})"
                + ("" if _fits(row) else ", does not fit"),
                "bad" if not _fits(row) else "here" if row is rows[0] else "",
            )
            for row in rows
            if not row["missing"]
        ],
        "time of a step by chip, with ranges",
    )


def table(rows: Sequence[dict[str, Any]]) -> str:
    words = [row["items"]["word"] for row in rows if row.get("items")]
    headings = (
        "chip",
        "step",
        "range",
        f"{words[0]}/s" if words else "steps/s",
        "of its peak",
        "limited by",
        "memory at the peak",
        "fits",
        "energy",
        f"cost of {MANY:,} steps",
    )
    return markup.table(headings, [_row(row) for row in rows], "chips-table", sortable=True)


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    if row["missing"]:
        return (row["chip"], *(Cell("–", 0.0),) * 8, f"cannot be priced: {row['missing']}")
    pace = row["items_per_second"] or 1 / (row["step_s"] or 1.0)
    held = row["memory"]
    return (
        row["chip"],
        number(amounts.seconds(row["step_s"]), row["step_s"]),
        markup.unbroken(amounts.between(row["low_s"], row["high_s"])),
        number(amounts.count(pace), pace),
        number(amounts.share(row["mfu"]), row["mfu"]) if row["mfu"] else Cell("–", 0.0),
        row["limit"],
        f"{lines.size(held['peak_b'])} of {lines.size(held['capacity_b'])}" if held else "none",
        _verdict(row),
        number(amounts.energy(row["energy_j"]), row["energy_j"]),
        _cost(row["cost"]),
    )


def _fits(row: dict[str, Any]) -> bool:
    return not row["memory"] or bool(row["memory"]["fits"])


def _verdict(row: dict[str, Any]) -> str:
    return ("yes" if _fits(row) else "no") + (", barely" if row["memory"] and row["memory"]["close"] else "")


def _cost(cost: dict[str, Any]) -> str:
    if cost["value"] is None:
        return f"no {cost['missing']} in its file"
    return amounts.money({**cost, "value": MANY * cost["value"]})


def _shared(notes: Sequence[str], rows: int) -> list[str]:
    """Notes with the chips they hold for; what holds for all stands there once without names."""
    chips: dict[str, list[str]] = {}
    for line in notes:
        chip, _, note = line.partition(": ")
        chips.setdefault(note, []).append(chip)
    return [note if len(named) == rows else f"{', '.join(named)}: {note}" for note, named in chips.items()]
