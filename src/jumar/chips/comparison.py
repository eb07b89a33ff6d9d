"""Chips side by side: one plain dict that the table, the page and the JSON are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from jumar.chips import schema
from jumar.chips.profile import CONFIDENCES, Chip, Quantity


def plain(chip: Chip) -> dict[str, Any]:
    """Everything that the file says, as JSON takes it."""
    numbers = {key: asdict(quantity) for key, quantity in chip.quantities.items()}
    names = ("name", "title", "vendor", "generation", "architecture", "device", "soc", "packaged_in")
    texts = {name: getattr(chip, name) for name in names}
    return {**texts, "aliases": list(chip.aliases), "links": dict(chip.links), "quantities": numbers}


def compare(chips: Sequence[Chip]) -> dict[str, Any]:
    """Every number that one of the chips has, with the ratio to the first chip; no ratio between units that
    differ (dollars and yuan) or where the first has none."""
    rules = schema.rules().values()
    return {
        "chips": [{**plain(chip), "matrix_cores": chip.matrix_cores()} for chip in chips],
        "confidences": CONFIDENCES,
        "rows": [_row(rule, chips) for rule in rules if any(rule.key in chip.quantities for chip in chips)],
    }


def _row(rule: schema.Rule, chips: Sequence[Chip]) -> dict[str, Any]:
    quantities = [chip.quantities.get(rule.key) for chip in chips]
    return {
        "key": rule.key,
        "meaning": rule.meaning,
        "cells": [_cell(quantity, quantities[0]) for quantity in quantities],
    }


def _cell(quantity: Quantity | None, first: Quantity | None) -> dict[str, Any] | None:
    if quantity is None:
        return None
    return {**asdict(quantity), "text": quantity.text(), "ratio": _ratio(quantity, first)}


def _ratio(quantity: Quantity, first: Quantity | None) -> float | None:
    """Only where it means something: not for temperatures, nor against a number that is absent or 0."""
    if first is None or first.value == 0 or quantity.unit != first.unit or quantity.unit in ("°C", "nm"):
        return None
    return quantity.value / first.value
