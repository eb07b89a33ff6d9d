"""A run on several chips as one HTML page with bars and their ranges, which needs nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from jumar import __version__
from jumar.report import amounts, drawings, markup, price_lines
from jumar.report.markup import Section

ASSETS = Path(__file__).with_name("assets")


def render(facts: dict[str, Any]) -> str:
    """The page of what `comparing.side_by_side` returns."""
    priced = [row for row in facts["rows"] if not row["missing"]]
    sections = [
        Section("step", "Time of a step", _bars(priced)),
        Section("parts", "What it is made of", _parts(priced)),
        Section("table", "In numbers", _table(facts)),
        *_heat(priced),
        Section("notes", "What this rests on", "".join(map(markup.small, price_lines.notes(facts)))),
    ]
    sections += [Section(f"chip{at}", row["chip"], _operators(row)) for at, row in enumerate(priced)]
    command = " ".join(facts["run"]["command"] or ["a run"])
    return Template((ASSETS / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{command} on {len(facts['rows'])} chips"),
        command=escape(command),
        when=escape(str(facts["run"]["when"] or "")),
        version=escape(__version__),
        source=escape(f"recorded on {facts['run']['chip']}"),
        clock="Times are predictions; bars have the range of the fit.",
        style=(ASSETS / "page.css").read_text(encoding="utf-8"),
        script=(ASSETS / "page.js").read_text(encoding="utf-8"),
        data="",
        **markup.laid_out(sections),
    )


def _heat(rows: list[dict[str, Any]]) -> list[Section]:
    """What heat makes of an hour, where it was asked for."""
    hot = [price_lines.heat(row) for row in rows if row.get("heat")]
    return [Section("heat", "Heat", markup.table(price_lines.HEAT, hot))] if hot else []


def _bars(rows: list[dict[str, Any]]) -> str:
    bars = [
        (
            row["chip"],
            row["step_s"],
            row["low_s"],
            row["high_s"],
            amounts.seconds(row["step_s"]) + ("" if _fits(row) else ", does not fit"),
            "" if _fits(row) else "bad",
        )
        for row in rows
    ]
    return drawings.bars(bars, "time of a step by chip, with ranges")


def _fits(row: dict[str, Any]) -> bool:
    return row["memory"] is None or bool(row["memory"]["fits"])


def _parts(rows: list[dict[str, Any]]) -> str:
    names = ("matrix", "vector", "memory", "launch")
    headings = ("chip", *names, "links", "copies", "host", "other stages", "limited by")
    return markup.table(
        headings,
        [
            (
                row["chip"],
                *(_share(row["units"][name], row) for name in names),
                *(
                    _share(row["parts"].get(name, 0.0), row)
                    for name in ("communication", "copies", "host", "bubble")
                ),
                row["limit"],
            )
            for row in rows
        ],
        "parts-table",
    )


def _share(seconds: float, row: dict[str, Any]) -> markup.Cell:
    share = seconds / (row["step_s"] or 1.0)
    return markup.number(amounts.share(share), share)


def _cell(text: str) -> str | markup.Cell:
    """A number with its unit stays on one line; the table is not sorted by it."""
    return markup.number(text, 0.0) if text[:1].isdigit() and len(text) < 16 else text


def _table(facts: dict[str, Any]) -> str:
    """All but what limits, which stands in the table before."""
    rows = [[_cell(text) for text in price_lines.cells(facts, row)[:-1]] for row in facts["rows"]]
    return markup.table(price_lines.headings(facts)[:-1], rows, "price-table")


def _operators(row: dict[str, Any]) -> str:
    heading, *listed = price_lines.operators(row)
    return markup.table(heading, listed, f"operators-{row['chip']}")
