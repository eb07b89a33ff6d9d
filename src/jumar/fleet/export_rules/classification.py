"""What the rules in force on a day say about a chip: one plain dict, from which lines and JSON are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from jumar.chips import Chip, find
from jumar.fleet.export_rules.measures import (
    Figures,
    Measure,
    figures,
    host_link,
    measures,
    planar_hint,
)
from jumar.fleet.export_rules.rules import EFFECTS, QUANTITIES, Rule, read_until, rules
from jumar.fleet.export_rules.verdicts import Line, Verdict, judge, limits, nearest

NOT_ADVICE = "This is arithmetic on published numbers, not legal advice."
AMERICAN = ("NVIDIA", "AMD", "Google")
FIGURE_NAMES = {"tpp": "TPP", "area": "area of logic", "io": "links", "dram": "memory rate"}
FIGURE_UNITS = {"tpp": "", "area": " mm²", "io": " GB/s", "dram": " GB/s"}


def classify(chip: Chip, day: date, datacentre: bool = True) -> dict[str, Any]:
    """The verdict of every rule in force on that day, with the arithmetic, the nearest line and the sources.

    A die that is half of a package is classified as the package, which is what is sold."""
    sold = find(chip.packaged_in) if chip.packaged_in else chip
    found = measures(sold)
    given = figures(found, datacentre)
    in_force = [rule for rule in rules().values() if rule.in_force(day)]
    verdicts = [_about(rule, sold, given) for rule in in_force]
    return {
        "chip": sold.name,
        "asked": chip.name,
        "title": sold.title,
        "as_of": day.isoformat(),
        "summary": _summary(verdicts),
        "effect": _worst(verdicts),
        "measures": _measured(found, given),
        "rules": verdicts,
        "notes": _notes(sold, chip, found, given, day, in_force),
        "not_advice": NOT_ADVICE,
    }


def _about(rule: Rule, chip: Chip, given: Figures) -> dict[str, Any]:
    plain = {
        "key": rule.key,
        "title": rule.title,
        "citation": rule.citation,
        "published": rule.published.isoformat(),
        "begins": rule.begins.isoformat(),
        "ends": rule.ends.isoformat() if rule.ends else None,
        "scope": rule.scope,
        "source": rule.source,
        "confidence": rule.confidence,
        "note": rule.note,
        "aside": rule.aside,
        "named": list(rule.about(chip.name)),
    }
    if rule.aside:
        return {**plain, "verdict": None, "effect": None}
    verdict = judge(rule, given)
    values = given.named()
    return {
        **plain,
        "verdict": verdict.verdict,
        "effect": verdict.effect or None,
        "means": _meaning(verdict),
        "missing": list(verdict.open),
        "possible": list(verdict.possible),
        "limits": [_limits(key, found, values[key], given) for key, found in limits(rule).items()],
        "nearest": _nearest(nearest(rule, given)),
    }


def _limits(quantity: str, found: list[float], value: float | None, given: Figures) -> dict[str, Any]:
    """The limits of one quantity, and how far each is from the chip's value: a share, above 0 if the limit is above
    it. Of a density that is unknown, the area (mm²) up to which a chip of this performance would reach each limit."""
    name, unit = QUANTITIES[quantity]
    rows = [{"limit": limit, "distance": limit / value - 1 if value else None} for limit in found]
    if quantity == "pd" and value is None and given.tpp:
        rows = [{**row, "up_to_area": given.tpp / limit} for row, limit in zip(rows, found, strict=True)]
    return {"quantity": quantity, "name": name, "unit": unit, "value": value, "limits": rows}


def _meaning(verdict: Verdict) -> str:
    if verdict.open:
        unknown = ", ".join(QUANTITIES[quantity][0] for quantity in verdict.open)
        return f"{' or '.join(verdict.possible)}: {unknown} unknown"
    return verdict.means


def _nearest(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    unit = FIGURE_UNITS[line.figure]
    more = "more" if line.change > 0 else "less"
    distance = f"{abs(line.change):.1%}".replace("%", " %")
    text = (
        f"{FIGURE_NAMES[line.figure]} {line.value:,.0f} → {line.limit:,.0f}{unit} ({distance} {more}) "
        f"would make it: {line.verdict}"
    )
    return {
        "figure": line.figure,
        "limit": line.limit,
        "change": line.change,
        "to": line.verdict,
        "text": text,
    }


def _measured(found: Mapping[str, Measure], given: Figures) -> dict[str, Any]:
    """Each figure with its arithmetic and where its inputs come from; performance density with both."""
    plain = {
        key: {
            "value": measure.value,
            "text": measure.text,
            "inputs": [
                {
                    "key": name,
                    "value": one.text(),
                    "source": one.source,
                    "confidence": one.confidence,
                    "note": one.note,
                }
                for name, one in measure.inputs
            ],
        }
        for key, measure in found.items()
    }
    density = given.named()["pd"]
    text = (
        f"{given.tpp:,.0f} / {given.area:,g} mm² = {density:.2f}"
        if density is not None
        else "unknown without TPP and area"
    )
    return {**plain, "pd": {"value": density, "text": text, "inputs": []}}


def _summary(verdicts: list[dict[str, Any]]) -> str:
    """The verdicts in a line."""
    said = [f"{one['verdict']} ({one['key']})" for one in verdicts if one["verdict"]]
    named = [f"named ({one['key']})" for one in verdicts if one["aside"] and one["named"]]
    return "; ".join(said + named) or "no rule was in force"


def _worst(verdicts: list[dict[str, Any]]) -> str | None:
    """The heaviest effect; None if some verdict is open. What the review policy of 2026 says counts instead of the
    presumption that it replaced."""
    effects = {one["key"]: one["effect"] for one in verdicts if one["verdict"]}
    if None in effects.values():
        return None
    if effects.get("2026-01-review") == "case by case":
        effects.pop("2023-10", None)
    order = list(EFFECTS)
    return max(effects.values(), key=order.index, default="free")


def _notes(
    chip: Chip,
    asked: Chip,
    found: Mapping[str, Measure],
    given: Figures,
    day: date,
    in_force: list[Rule],
) -> list[str]:
    notes = [f"{asked.name} is a die of {chip.name}, which is what is sold"] if asked is not chip else []
    if chip.vendor not in AMERICAN:
        notes.append(
            "the limits are for exports from the United States; for a chip made elsewhere they are arithmetic only"
        )
    if unsure := [f"{key}: {', '.join(one.unsure())}" for key, one in found.items() if one.unsure()]:
        notes.append(f"no source vouches for {'; '.join(unsure)}")
    notes += planar_hint(chip)
    notes += _wider_links(chip, given, in_force)
    if not given.datacentre:
        notes.append("taken as neither designed nor marketed for data centres, as you said")
    if day > read_until():
        notes.append(f"the rules are known until {read_until()}; what changed after that day is not in here")
    return notes


def _wider_links(chip: Chip, given: Figures, in_force: list[Rule]) -> list[str]:
    """Makers count links between chips; with the host's link a verdict may be another."""
    more = host_link(chip)
    if given.io is None or not more:
        return []
    wider = replace(given, io=given.io + more)
    changed = [
        f"{rule.key} would be {judge(rule, wider).verdict}"
        for rule in in_force
        if rule.outcomes and judge(rule, wider).verdict != judge(rule, given).verdict
    ]
    if not changed:
        return []
    return [f"with the host's link counted too ({wider.io:,g} GB/s), {'; '.join(changed)}"]
