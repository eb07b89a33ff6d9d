"""The pieces of HTML that the page is made of: sections, tables, shares as bars, legends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from jumar.report import amounts


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what is shown, what it sorts by, and whether it is already HTML."""

    shown: str
    value: float | None = None
    html: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page; `short` stands in the navigation."""

    key: str
    title: str
    body: str
    short: str = ""


def laid_out(sections: Sequence[Section]) -> dict[str, str]:
    """What templates call `navigation` and `sections`."""
    return {
        "navigation": "".join(
            f'<a href="#{one.key}">{escape(one.short or one.title.lower())}</a>' for one in sections
        ),
        "sections": "".join(
            f'<section id="{one.key}" aria-labelledby="{one.key}-title">'
            f'<h2 id="{one.key}-title">{escape(one.title)}</h2>{one.body}</section>'
            for one in sections
        ),
    }


def number(shown: str, value: float) -> Cell:
    return Cell(shown, value)


def whole(value: int) -> Cell:
    return Cell(f"{value:,}", value)


def part(value: float) -> Cell:
    """A share of the whole as a bar and in words."""
    width = min(100.0, max(0.0, 100 * value))
    bar = f'<span class="share" aria-hidden="true"><i style="width:{width:.1f}%"></i></span>'
    return Cell(f'<span class="whole">{bar}{amounts.share(value)}</span>', value, html=True)


def keyed(name: str, group: str) -> Cell:
    """A name behind the colour of its class."""
    return Cell(
        f'<span class="keyed"><i class="key" style="background:var(--{group})"></i>{escape(name)}</span>',
        html=True,
    )


def unbroken(text: str) -> Cell:
    """Text that stays on one line."""
    return Cell(f'<span class="whole">{escape(text)}</span>', html=True)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], key: str = "", sortable: bool = False
) -> str:
    """A table; columns of numbers stand to the right. Long ones show 15 rows and a button for the rest."""
    held = [[_cell(one) for one in row] for row in rows]
    if not held:
        return '<p class="none">none</p>'
    numeric = [
        all(row[at].value is not None and not row[at].html for row in held) for at in range(len(headings))
    ]
    head = "".join(
        f'<th scope="col"{_right(right)}>{_heading(name, sortable)}</th>'
        for name, right in zip(headings, numeric, strict=True)
    )
    body = "".join(f"<tr>{_row(row, numeric)}</tr>" for row in held)
    long = key and len(held) > 16
    classes = " ".join(name for name, wanted in (("sortable", sortable), ("long", long)) if wanted)
    more = f'<button type="button" data-more="{key}">show all {len(held)}</button>' if long else ""
    return (
        f'<div class="scroll"><table{_attribute("id", key)}{_attribute("class", classes)}><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}"
    )


def _attribute(name: str, value: str) -> str:
    return f' {name}="{value}"' if value else ""


def _heading(name: str, sortable: bool) -> str:
    return f'<button type="button">{escape(name)}</button>' if sortable else escape(name)


def _cell(value: Any) -> Cell:
    if isinstance(value, Cell):
        return value
    return whole(value) if isinstance(value, int) else Cell(str(value))


def _row(row: Sequence[Cell], numeric: Sequence[bool]) -> str:
    return "".join(
        f"<td{_right(right)}{_sorts(cell)}>{cell.shown if cell.html else escape(cell.shown)}</td>"
        for cell, right in zip(row, numeric, strict=True)
    )


def _right(wanted: bool) -> str:
    return ' class="number"' if wanted else ""


def _sorts(cell: Cell) -> str:
    return "" if cell.value is None else f' data-value="{cell.value:.9g}"'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, one pair a line."""
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows
    )
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def stack(parts: Sequence[tuple[str, str, float]], label: str) -> str:
    """Shares of a whole beside each other, with a legend. Parts: (name, colour's name, value)."""
    total = sum(value for *_, value in parts) or 1.0
    held = [one for one in parts if one[2] > 0]
    said = ", ".join(f"{name} {amounts.share(value / total)}" for name, _, value in held)
    bars = "".join(
        f'<i style="width:{100 * value / total:.2f}%;background:var(--{colour})" title="{escape(name)}"></i>'
        for name, colour, value in held
    )
    legend = "".join(
        f'<li><i class="key" style="background:var(--{colour})"></i>{escape(name)} {amounts.share(value / total)}</li>'
        for name, colour, value in held
    )
    return (
        f'<div class="stack" role="img" aria-label="{escape(label)}: {escape(said)}">{bars}</div>'
        f'<ul class="legend">{legend}</ul>'
    )


def small(text: str) -> str:
    return f'<p class="small">{escape(text)}</p>'


def points(texts: Iterable[str]) -> str:
    """Small print, one point a line."""
    lines = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="points">{lines}</ul>' if lines else ""


def data(key: str, value: Any) -> str:
    """Data for a script of the page. What would end the element early is written in another way."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{key}">{text}</script>'
