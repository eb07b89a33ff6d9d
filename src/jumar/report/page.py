"""Writes a run's facts as JSON and as one HTML page that needs nothing else."""

from __future__ import annotations

import json
import math
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from jumar.report import lines

WIDTH, HEIGHT, MARGIN = 720, 220, 40


def write(facts: dict[str, Any], folder: Path) -> Path:
    """Writes `summary.json` and `report.html` into the folder; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(
        json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = folder / "report.html"
    page.write_text(render(facts), encoding="utf-8")
    return page


def render(facts: dict[str, Any]) -> str:
    template = Template(Path(__file__).with_name("template.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(f"{facts['chip']['name']}: {' '.join(facts['command'])}"),
        command=escape(" ".join(facts["command"])),
        when=escape(facts["when"]),
        version=escape(facts["jumar"]),
        source=escape(facts["chip"]["source"]),
        rows="".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in lines.rows(facts)
        ),
        losses=curve([(float(step), value) for step, value in facts["losses"] if math.isfinite(value)]),
        memory=table(
            ("chip", "peak", "of"),
            [
                [f"npu:{number}", lines.size(peak), lines.size(total)]
                for number, peak, total in facts["memory"]
                if peak
            ],
        ),
        operators=table(("operator", "run", "skipped"), facts["operators"]),
        cuda=table(
            ("what became of it", "CUDA name", "times", "first line"),
            facts["cuda"]["rows"] if facts["cuda"] else [],
        ),
        unsupported=table(("call without a body", "times"), facts["unsupported"]),
        fallbacks=table(("operator", "times"), facts["fallbacks"]),
    )


def table(headings: tuple[str, ...], rows: list[list[Any]]) -> str:
    if not rows:
        return "<p>none</p>"
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in headings)}</tr>{cells}</table>"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def curve(points: list[tuple[float, float]]) -> str:
    """A line of (step, loss) as SVG, with the extremes written at the axes."""
    if len(points) < 2:
        return "<p>no losses to draw</p>"
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def place(step: float, loss: float) -> str:
        x = MARGIN + (step - left) / ((right - left) or 1) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN + (low - loss) / ((high - low) or 1) * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    labels = (
        (MARGIN, MARGIN - 8, f"{high:.4g}", "start"),
        (MARGIN, HEIGHT - MARGIN - 6, f"{low:.4g}", "start"),
        (MARGIN, HEIGHT - 14, f"step {left:.0f}", "start"),
        (WIDTH - MARGIN, HEIGHT - 14, f"step {right:.0f}", "end"),
    )
    texts = "".join(f'<text x="{x}" y="{y}" text-anchor="{at}">{label}</text>' for x, y, label, at in labels)
    line = " ".join(place(*point) for point in points)
    axis = f"M{MARGIN} {MARGIN}V{HEIGHT - MARGIN}H{WIDTH - MARGIN}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="loss by step">'
        f'<path class="axis" d="{axis}"/><polyline points="{line}"/>{texts}</svg>'
    )
