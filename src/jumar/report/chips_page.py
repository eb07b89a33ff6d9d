"""Draws a comparison: one HTML page with rooflines, bars and every number, which needs nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from jumar.report import roofline

COLOURS = ("#1f6feb", "#d1620f", "#1a8a4c", "#8f3fb4", "#c0304a", "#2b8a9d", "#7d6b0d", "#58616a")
# Numbers drawn as bars: key and what to call it.
BARS = (
    ("peak.matrix.bf16", "bf16 matrix peak"),
    ("memory.bandwidth", "memory bandwidth"),
    ("memory.size", "memory"),
    ("cache.l2", "L2 cache"),
    ("link.chip.bandwidth", "links to other chips, one direction"),
    ("link.network.bandwidth", "network, per chip and direction"),
    ("cost.launch", "least time of an operator"),
    ("power.limit", "power limit"),
    ("price.chip", "price"),
)
BAR_WIDTH, BAR_HEIGHT, LABEL_WIDTH, VALUE_WIDTH = 300, 18, 130, 150
UNSURE = ("recalled", "assumption")
ROUNDING = 1e-9


def render(facts: dict[str, Any]) -> str:
    """The page of what `comparison.compare` returns."""
    chips = facts["chips"]
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(chips))]
    sources = _sources(facts)
    template = Template(Path(__file__).with_name("chips_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(" · ".join(chip["name"] for chip in chips)),
        chips="".join(_heading(chip, colour) for chip, colour in zip(chips, colours, strict=True)),
        overlay=roofline.overlay(chips, colours),
        rooflines="".join(
            roofline.single(chip, chips, colour) for chip, colour in zip(chips, colours, strict=True)
        ),
        bars="".join(_bars(facts, key, name, colours) for key, name in BARS),
        confidences="".join(
            f'<span><i class="dot {name}"></i>{name}: {escape(meaning)}</span>'
            for name, meaning in facts["confidences"].items()
        ),
        head="".join(f"<th>{escape(chip['name'])}</th>" for chip in chips),
        rows=_rows(facts, sources),
        sources="".join(f"<li>{escape(source)}</li>" for source in sources),
    )


def _heading(chip: dict[str, Any], colour: str) -> str:
    runs = f"torch_npu knows it as {chip['soc']}" if chip["soc"] else "priced, not run"
    return (
        f'<tr><th><i class="key" style="background:{colour}"></i>{escape(chip["name"])}</th>'
        f"<td>{escape(chip['title'])}; {escape(chip['device'])}; {escape(runs)}</td></tr>"
    )


def _sources(facts: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(cell["source"] for row in facts["rows"] for cell in row["cells"] if cell))


def _bars(facts: dict[str, Any], key: str, name: str, colours: list[str]) -> str:
    """Bars of one number over the chips; lighter and dashed where nothing vouches for it."""
    row = next((row for row in facts["rows"] if row["key"] == key), None)
    if row is None:
        return ""
    units = {cell["unit"] for cell in row["cells"] if cell}
    longest = {
        unit: max(cell["value"] for cell in row["cells"] if cell and cell["unit"] == unit) for unit in units
    }
    lines = [
        _bar(number, chip["name"], cell, colour, longest)
        for number, (chip, cell, colour) in enumerate(zip(facts["chips"], row["cells"], colours, strict=True))
    ]
    width, height = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH, BAR_HEIGHT * len(lines) + 4
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name)}">{"".join(lines)}</svg></figure>'
    )


def _bar(number: int, name: str, cell: dict[str, Any] | None, colour: str, longest: dict[str, float]) -> str:
    y = number * BAR_HEIGHT + 2
    label = f'<text x="{LABEL_WIDTH - 6}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
    if cell is None:
        return f'{label}<text class="none" x="{LABEL_WIDTH}" y="{y + 12}">not in the file</text>'
    width = max(2.0, BAR_WIDTH * cell["value"] / longest[cell["unit"]])
    unsure = ' class="unsure"' if cell["confidence"] in UNSURE else ""
    value = cell["text"] + (f" ({cell['date']})" if cell["date"] else "")
    ratio = (
        f" ×{cell['ratio']:.3g}" if cell["ratio"] is not None and abs(cell["ratio"] - 1) > ROUNDING else ""
    )
    return (
        f'{label}<rect{unsure} x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT - 5}" '
        f'fill="{colour}" stroke="{colour}"><title>{escape(_origin(cell))}</title></rect>'
        f'<text x="{LABEL_WIDTH + width + 5:.1f}" y="{y + 12}">{escape(value)}{ratio}</text>'
    )


def _rows(facts: dict[str, Any], sources: list[str]) -> str:
    parts, section = [], ""
    span = len(facts["chips"]) + 1
    for row in facts["rows"]:
        if row["key"].rpartition(".")[0] != section:
            section = row["key"].rpartition(".")[0]
            parts.append(
                f'<tr class="section"><th colspan="{span}">{escape(section)}{_links(facts, section)}</th></tr>'
            )
        cells = "".join(_cell(cell, sources) for cell in row["cells"])
        name = row["key"].rpartition(".")[2]
        parts.append(f'<tr><th title="{escape(row["meaning"])}">{escape(name)}</th>{cells}</tr>')
    return "".join(parts)


def _links(facts: dict[str, Any], section: str) -> str:
    """What kind of link it is on each chip, behind the name of the section."""
    end = section.removeprefix("link.")
    kinds = [f"{chip['name']}: {chip['links'][end]}" for chip in facts["chips"] if end in chip["links"]]
    return f'<span class="small"> {escape("; ".join(kinds))}</span>' if section.startswith("link.") else ""


def _cell(cell: dict[str, Any] | None, sources: list[str]) -> str:
    if cell is None:
        return '<td class="none">–</td>'
    ratio = (
        f" ×{cell['ratio']:.3g}" if cell["ratio"] is not None and abs(cell["ratio"] - 1) > ROUNDING else ""
    )
    number = sources.index(cell["source"]) + 1
    return (
        f'<td title="{escape(_origin(cell))}"><i class="dot {cell["confidence"]}"></i>{escape(cell["text"])}'
        f'<span class="small">{ratio} [{number}]</span></td>'
    )


def _origin(cell: dict[str, Any]) -> str:
    parts = [f"{cell['confidence']}: {cell['source']}", cell["note"], cell["date"]]
    return "; ".join(part for part in parts if part)
