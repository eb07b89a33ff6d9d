"""What the prediction rests on: numbers of the chip, efficiencies, counted work, each with its confidence."""

from __future__ import annotations

from typing import Any

from jumar.chips import CONFIDENCES
from jumar.report import amounts, markup
from jumar.report.markup import Cell, Section, keyed, number, part

ORIGINS = {
    "fitted": "fitted to published measurements",
    "measured": "measured",
    "assumption": "assumed: no measurement tells it",
}
WORK = {"rule": "rule", "derived": "derived", "assumed": "assumed", "none": "none"}


def section(account: dict[str, Any]) -> Section:
    rests = account["rests"]
    body = "".join(
        [
            "<h3>Numbers of the chip</h3>",
            markup.stack(_by(rests["numbers"], CONFIDENCES), "time by confidence in the chip's numbers"),
            _numbers(rests["numbers"]),
            f"<h3>Efficiencies of its family ({rests['family']})</h3>",
            markup.stack(_by(rests["efficiencies"], ORIGINS), "time by origin of the efficiencies"),
            _efficiencies(rests["efficiencies"]),
            "<h3>How the work was counted</h3>",
            markup.stack(
                [(row["meaning"], row["name"], row["seconds"]) for row in rests["work"]],
                "time by how work was counted",
            ),
            _guessed(rests["work"]),
        ]
    )
    return Section("trust", "Assumptions and sources", body, "assumptions")


def _by(rows: list[dict[str, Any]], meanings: Any) -> list[tuple[str, str, float]]:
    sums = {key: sum(row["seconds"] for row in rows if row["confidence"] == key) for key in meanings}
    return [(key, key, value) for key, value in sums.items()]


def _numbers(rows: list[dict[str, Any]]) -> str:
    total = sum(row["seconds"] for row in rows) or 1.0
    return markup.table(
        ("number", "value", "time that rests on it", "confidence", "source"),
        [
            (
                row["name"],
                row["value"],
                part(row["seconds"] / total),
                keyed(row["confidence"], row["confidence"]),
                Cell(f"{row['source']}; {row['note']}" if row["note"] else row["source"]),
            )
            for row in rows
        ],
    )


def _efficiencies(rows: list[dict[str, Any]]) -> str:
    total = sum(row["seconds"] for row in rows) or 1.0
    return markup.table(
        ("efficiency", "value", "time that rests on it", "origin", "note"),
        [
            (
                row["name"],
                number(amounts.digits(row["value"]), row["value"]),
                part(row["seconds"] / total),
                keyed(row["confidence"], row["confidence"]),
                row["note"],
            )
            for row in rows
        ],
    )


def _guessed(rows: list[dict[str, Any]]) -> str:
    named = [
        f"{row['meaning']}: {', '.join(row['operators'])}"
        for row in rows
        if row["operators"] and row["name"] != "derived"
    ]
    return markup.points(named)
