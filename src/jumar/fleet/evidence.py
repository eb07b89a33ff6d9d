"""What a scenario rests on: every number with what vouches for it, as plain dicts for terminals, pages and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jumar.chips import CONFIDENCES
from jumar.fleet import units
from jumar.fleet.number import ASSUMED, Number
from jumar.fleet.scenario import Scenario

MEANINGS: Mapping[str, str] = CONFIDENCES


def account(scenario: Scenario) -> dict[str, Any]:
    """Numbers by confidence, best vouched for first; those that sources disagree about; what nobody gave."""
    return of_numbers(scenario.numbers().values(), scenario.sources)


def of_numbers(numbers: Iterable[Number], sources: Mapping[str, str]) -> dict[str, Any]:
    """The same of any file's numbers and its documents."""
    rows = _folded([row(number) for number in numbers])
    return {
        "confidences": [
            {
                "confidence": one,
                "meaning": MEANINGS[one],
                "numbers": [r for r in rows if r["confidence"] == one],
            }
            for one in MEANINGS
        ],
        "disputed": [one for one in rows if one["others"]],
        "not_given": sum(not one["given"] for one in rows),
        "count": len(rows),
        "sources": dict(sources),
    }


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The twelve numbers of a year as one row: they share what vouches for them."""
    folded: list[dict[str, Any]] = []
    for one in rows:
        parent, _, last = one["key"].rpartition(".")
        year = folded[-1] if folded and folded[-1]["key"] == parent else None
        if year and last.isdigit():
            year["low"], year["high"] = min(year["low"], one["value"]), max(year["high"], one["value"])
            ends = (units.text(year[end], one["unit"]) for end in ("low", "high"))
            year["text"] = f"{' to '.join(ends)} over the year"
        elif last == "1":
            folded.append({**one, "key": parent, "low": one["value"], "high": one["value"]})
        else:
            folded.append(one)
    return folded


def row(number: Number) -> dict[str, Any]:
    """One number as text, with its range and all that is said about it."""
    ranged = number.uncertain
    return {
        "key": number.key,
        "value": number.value,
        "unit": number.unit,
        "text": units.text(number.value, number.unit),
        "range": f"{units.text(number.low, number.unit)} to {units.text(number.high, number.unit)}"
        if ranged
        else "",
        "low": number.low,
        "high": number.high,
        "confidence": number.confidence,
        "source": number.source or ("assumed" if number.confidence == ASSUMED else ""),
        "note": number.note,
        "given": number.given,
        "others": [
            {
                "text": units.text(one.value, number.unit),
                "value": one.value,
                "confidence": one.confidence,
                "source": one.source,
                "note": one.note,
            }
            for one in number.others
        ],
    }
