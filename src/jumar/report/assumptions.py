"""What a result rests on: every number with its source, the least sure first, and sources that contradict each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jumar.chips.profile import CONFIDENCES
from jumar.report import markup
from jumar.report.markup import Cell, Section

# The least sure first: that is where a reader should look.
ORDER = tuple(reversed(CONFIDENCES))


def section(numbers: Sequence[Mapping[str, Any]]) -> Section:
    """Numbers as `fleet.evidence.row` gives them."""
    counted = Counter(number["confidence"] for number in numbers)
    legend = "".join(
        f"<li>{_dot(name)}{escape(name)} {counted[name]}: {escape(CONFIDENCES[name])}</li>"
        for name in ORDER
        if counted[name]
    )
    disputed = [one for one in numbers if any(other["value"] != one["value"] for other in one["others"])]
    body = f'<ul class="legend">{legend}</ul>'
    if disputed:
        body += "<h3>Sources that disagree</h3>" + markup.small(
            "The first of each group is what was computed with."
        )
        body += markup.table(("number", "value", "confidence", "source", "note"), _disputes(disputed))
    body += "<h3>Every number</h3>" + markup.table(
        ("number", "value", "range", "confidence", "source", "note"),
        [_row(one) for one in sorted(numbers, key=_place)],
        "numbers-table",
    )
    return Section("assumptions", "Sources and assumptions", body, "sources")


def _place(number: Mapping[str, Any]) -> int:
    return ORDER.index(number["confidence"]) if number["confidence"] in ORDER else 0


def _disputes(disputed: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
    rows: list[Sequence[Any]] = []
    for number in disputed:
        for at, one in enumerate((number, *number["others"])):
            name = number["key"] if at == 0 else ""
            rows.append((name, one["text"], _sure(one["confidence"]), _source(one), one["note"]))
    return rows


def _row(number: Mapping[str, Any]) -> Sequence[Any]:
    return (
        number["key"],
        Cell(f'<span class="whole">{escape(number["text"])}</span>', html=True),
        number["range"],
        _sure(number["confidence"]),
        _source(number),
        number["note"],
    )


def _source(one: Mapping[str, Any]) -> str:
    if one.get("given") is False:
        return "not in the file: what jumar takes then"
    return str(one["source"] or "none")


def _sure(confidence: str) -> Cell:
    return Cell(f'<span class="whole">{_dot(confidence)}{escape(confidence)}</span>', html=True)


def _dot(confidence: str) -> str:
    return f'<i class="confidence" style="background:var(--{escape(confidence)}, var(--unknown))"></i>'
