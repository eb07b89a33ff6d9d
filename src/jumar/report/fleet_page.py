"""Writes what a plan or a simulated cluster says as JSON and as one HTML page that needs nothing else."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from jumar import __version__
from jumar.report import assumptions, markup, plan_page, simulation_page
from jumar.report.markup import Section

ASSETS = Path(__file__).with_name("assets")
PAGE, FACTS = "report.html", "facts.json"


def write_plan(facts: Mapping[str, Any], folder: Path, command: Sequence[str]) -> Path:
    """Writes `facts.json` and `report.html` into the folder; returns the page's path."""
    return _write(facts, folder, render_plan(facts, command))


def write_simulation(facts: Mapping[str, Any], folder: Path, command: Sequence[str]) -> Path:
    """The same for what `fleet.simulation.summary.summarise` returns."""
    return _write(facts, folder, render_simulation(facts, command))


def render_plan(facts: Mapping[str, Any], command: Sequence[str]) -> str:
    return _page(facts, plan_page.sections(facts), command)


def render_simulation(facts: Mapping[str, Any], command: Sequence[str]) -> str:
    return _page(facts, simulation_page.sections(facts), command)


def _write(facts: Mapping[str, Any], folder: Path, page: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(finite(facts), indent=2, ensure_ascii=False)
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")
    place = folder / PAGE
    place.write_text(page, encoding="utf-8")
    return place


def finite(value: Any) -> Any:
    """The same with null for what is no number: JSON has no word for it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, (list, tuple)) else value


def _page(facts: Mapping[str, Any], parts: list[Section], command: Sequence[str]) -> str:
    title = facts.get("title") or facts.get("name") or "A fleet"
    sections = [*parts, *_story(facts), *_notes(facts), *_numbers(facts), _repeating(command)]
    return Template((ASSETS / "fleet.html").read_text(encoding="utf-8")).substitute(
        title=escape(str(title)),
        subtitle=escape(f"{datetime.now():%Y-%m-%d %H:%M}, jumar {__version__}"),
        style=(ASSETS / "page.css").read_text(encoding="utf-8").rstrip(),
        script=(ASSETS / "page.js").read_text(encoding="utf-8").rstrip(),
        first=sections[0].key,
        footer="Predictions from the numbers under “Sources and assumptions”; ranges are of samples, not promises.",
        **markup.laid_out(sections),
    )


def _story(facts: Mapping[str, Any]) -> list[Section]:
    story = str(facts.get("story") or "").strip()
    body = "".join(f"<p>{escape(' '.join(one.split()))}</p>" for one in story.split("\n\n"))
    return [Section("story", "The question", body, "question")] if story else []


def _notes(facts: Mapping[str, Any]) -> list[Section]:
    notes = facts.get("notes") or ()
    return [Section("notes", "How it was computed", markup.points(notes), "method")] if notes else []


def _numbers(facts: Mapping[str, Any]) -> list[Section]:
    return [assumptions.section(facts["numbers"])] if facts.get("numbers") else []


def _repeating(command: Sequence[str]) -> Section:
    said = escape(shlex.join(command))
    body = f'<pre id="again">{said}</pre><button type="button" data-copies="again">copy</button>'
    return Section("repeat", "The command that repeats this", body, "repeat")
