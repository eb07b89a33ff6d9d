"""Export rules on the page of a plan: what the scenario assumes, and what their arithmetic says of its chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumar.report import amounts, markup
from jumar.report.markup import Section


def section(facts: Mapping[str, Any]) -> Section | None:
    """From what `export_rules.in_scenario` returns; nothing if the scenario has neither rules nor known chips."""
    found = facts.get("export_rules") or {}
    assumed = [
        (
            one["title"],
            ", ".join(one["chips"]),
            one["effect"] + (f" {amounts.share(one['share'])}" if one["effect"] == "surcharge" else ""),
            f"{one['begin']} to {one['end']}" if one["end"] else f"from {one['begin']}",
            markup.part(one["probability"]),
            one["source"] or "assumed",
        )
        for one in found.get("assumed") or ()
    ]
    classified = [
        (
            one["chip"],
            "unknown" if one["tpp"] is None else markup.number(f"{one['tpp']:,.0f}", one["tpp"]),
            "unknown" if one["density"] is None else markup.number(f"{one['density']:.2f}", one["density"]),
            *one["summaries"],
            one["nearest"],
        )
        for one in found.get("classified") or ()
    ]
    if not assumed and not classified:
        return None
    body = ""
    if assumed:
        headings = ("rule", "chips", "what it does", "when", "probability", "source")
        body += "<h3>In this scenario</h3>" + markup.table(headings, assumed)
    if classified:
        days = [f"under the rules of {day}" for day in found["days"]]
        body += "<h3>By the arithmetic of the rules</h3>"
        body += markup.small(
            "From published numbers; not legal advice. “jumar chips classify” shows all of it."
        )
        body += markup.table(("chip", "TPP", "density", *days, "nearest line"), classified)
    return Section("rules", "Export rules", body, "rules")
