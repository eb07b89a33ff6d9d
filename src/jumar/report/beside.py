"""The same step on several chips, as a table and as bars with their ranges."""

from __future__ import annotations

from typing import Any

from jumar.report import amounts, drawings, lines, markup
from jumar.report.headline import MANY
from jumar.report.markup import Cell, Section, number


def section(account: dict[str, Any]) -> Section:
    rows = account["beside"]
    body = drawings.bars(
        [
            (
                row["name"],
                row["seconds"],
                row["low"],
                row["high"],
                f"{amounts.seconds(row['seconds'])} ({amounts.between(row['low'], row['high'])})"
                + ("" if row["fits"] else ", does not fit"),
                ("here" if row["here"] else "") if row["fits"] else "bad",
            )
            for row in rows
        ],
        "time of a step by chip, with ranges",
    )
    body += markup.table(
        (
            "chip",
            "step",
            "range",
            _items(rows),
            "of its peak",
            "limited by",
            "memory at the peak",
            "fits",
            "energy",
            f"cost of {MANY:,} steps",
        ),
        [_row(row) for row in rows],
        "chips-table",
        sortable=True,
    )
    notes = list(dict.fromkeys(note for row in rows for note in row["notes"]))
    return Section("chips", "Chips side by side", body + "".join(map(markup.small, notes)), "chips")


def _items(rows: list[dict[str, Any]]) -> str:
    words = [row["items"]["word"] for row in rows if row["items"]]
    return f"{words[0]}/s" if words else "steps/s"


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    pace = row["items"]["per_second"] if row["items"] else 1 / (row["seconds"] or 1.0)
    return (
        row["name"],
        number(amounts.seconds(row["seconds"]), row["seconds"]),
        amounts.between(row["low"], row["high"]),
        number(amounts.count(pace), pace),
        number(amounts.share(row["mfu"]), row["mfu"]) if row["mfu"] else Cell("–", 0.0),
        row["limit"],
        f"{lines.size(row['peak_b'])} of {lines.size(row['capacity_b'])}",
        "yes" if row["fits"] else "no",
        number(amounts.energy(row["energy_j"]), row["energy_j"]),
        amounts.money(row["cost"] and {**row["cost"], "value": MANY * row["cost"]["value"]}),
    )
