"""What export rules mean for a scenario: those that it assumes, and what the arithmetic says of its chips."""

from __future__ import annotations

from datetime import date
from typing import Any

from jumar.chips import Chip
from jumar.fleet.export_rules.classification import classify
from jumar.fleet.export_rules.rules import read_until
from jumar.fleet.number import Month
from jumar.fleet.scenario import ChipOption, ExportRule, Scenario


def plain(scenario: Scenario) -> dict[str, Any]:
    """`assumed`: the rules that the scenario draws from, by month. `classified`: each chip with a profile under the
    rules of the scenario's first month and of its last (or of the last day that the sources know)."""
    last = min(_first_day(scenario.month(scenario.months - 1)), read_until())
    days = list(dict.fromkeys((_first_day(scenario.start), last)))
    return {
        "days": [day.isoformat() for day in days],
        "assumed": [_assumed(rule, scenario) for rule in scenario.rules],
        "classified": [
            _classified(option, option.profile, days)
            for option in scenario.chips.values()
            if option.profile is not None
        ],
    }


def _first_day(month: Month) -> date:
    return date.fromisoformat(f"{month}-01")


def _assumed(rule: ExportRule, scenario: Scenario) -> dict[str, Any]:
    return {
        "title": rule.title,
        "jurisdiction": rule.jurisdiction,
        "chips": [scenario.chips[name].title for name in rule.chips],
        "effect": rule.effect,
        "share": rule.share.value,
        "begin": str(scenario.month(rule.begin)),
        "end": None if rule.end is None else str(scenario.month(rule.end)),
        "probability": rule.probability.value,
        "source": rule.source,
    }


def _classified(option: ChipOption, profile: Chip, days: list[date]) -> dict[str, Any]:
    found = [classify(profile, day) for day in days]
    nearest = [rule["nearest"] for rule in found[-1]["rules"] if rule["verdict"] and rule["nearest"]]
    line = min(nearest, key=lambda one: abs(one["change"]), default=None)
    return {
        "chip": option.title,
        "profile": profile.name,
        "tpp": found[-1]["measures"]["tpp"]["value"],
        "density": found[-1]["measures"]["pd"]["value"],
        "summaries": [one["summary"] for one in found],
        "nearest": line["text"] if line else "",
    }
