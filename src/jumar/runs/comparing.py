"""One run on several chips, or two runs on one: as plain dicts that tables, pages and JSON are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from jumar.chips import Chip
from jumar.runs import cost, heating
from jumar.runs.format import Run
from jumar.runs.heating import Surroundings
from jumar.runs.pricing import Options, Prepared, Priced, prepare, price_run

DAY_S = 86400.0


def side_by_side(
    run: Run | Prepared,
    chips: Sequence[Chip],
    options: Options,
    steps_total: float | None,
    where: Surroundings | None = None,
) -> dict[str, Any]:
    """The run on each chip. A chip whose file lacks a number that is needed has a row that names it. `where`: also what
    heat makes of an hour of it there."""
    ready = run if isinstance(run, Prepared) else prepare(run)
    facts = ready.run.facts
    return {
        "run": {
            name: facts.get(name) for name in ("id", "command", "chip", "devices", "dry", "when", "items")
        },
        "events": len(ready.run.events),
        "steps_total": steps_total,
        "rows": [row(ready, chip, options, steps_total, where) for chip in chips],
    }


def row(
    ready: Prepared,
    chip: Chip,
    options: Options,
    steps_total: float | None,
    where: Surroundings | None = None,
) -> dict[str, Any]:
    """The run on one chip as a plain dict."""
    about = {"chip": chip.name, "title": chip.title}
    try:
        priced = price_run(ready, chip, options)
    except KeyError as error:
        return {**about, "missing": str(error.args[0])}
    found = {**about, "missing": None, **plain(priced, steps_total)}
    return {**found, "heat": _heat(ready.run, priced, where)} if where else found


def _heat(run: Run, priced: Priced, where: Surroundings) -> dict[str, Any]:
    load = heating.load_of(run, priced, heating.draw(run, priced))
    return heating.summary(priced.chip, load, where)


def plain(priced: Priced, steps_total: float | None = None) -> dict[str, Any]:
    """What there is to say about a priced run, in seconds, bytes, joules and the currency of the chip's price."""
    fullest = max(priced.memory, key=lambda one: one.peak_b, default=None)
    return {
        "chips": priced.chips,
        "step_s": priced.step_s,
        "low_s": priced.step_low_s,
        "high_s": priced.step_high_s,
        "parts": dict(priced.parts),
        "units": dict(priced.units),
        "limit": priced.limit_name,
        "items": asdict(priced.items) if priced.items else None,
        "items_per_second": priced.per_second,
        "operations": priced.operations,
        "mfu": priced.mfu,
        "memory": _memory(fullest) if fullest else None,
        "energy_j": priced.energy_j,
        "energy_note": priced.energy_note,
        "cost": asdict(priced.cost),
        "training": _training(priced, steps_total) if steps_total else None,
        "notes": list(priced.notes),
        "operators": operators(priced),
    }


def _memory(one: Any) -> dict[str, Any]:
    named = ("chip", "peak_b", "capacity_b", "fits", "close")
    return {**{name: getattr(one, name) for name in named}, "holders": dict(one.holders)}


def _training(priced: Priced, steps_total: float) -> dict[str, Any]:
    seconds = priced.step_s * steps_total
    return {
        "seconds": seconds,
        "days": seconds / DAY_S,
        "energy_j": priced.energy_j * steps_total,
        "cost": asdict(cost.of_time(priced.hour, seconds, priced.chips)),
    }


def operators(priced: Priced) -> list[dict[str, Any]]:
    """Kinds of operators of the typical step summed up by name, those that take longest first."""
    found: dict[str, dict[str, Any]] = {}
    size = len(priced.names)
    spent = np.bincount(priced.step_kinds, priced.step_seconds, minlength=size)
    for number, count in enumerate(np.bincount(priced.step_kinds, minlength=size).tolist()):
        if not count:
            continue
        one = found.setdefault(
            priced.names[number],
            {
                "operator": priced.names[number],
                "becomes": priced.kinds.becomes[number],
                "source": priced.kinds.source[number],
                "count": 0,
                "seconds": 0.0,
            },
        )
        one["count"] += count
        one["seconds"] += float(spent[number])
        if priced.kinds.source[number] == "assumed":
            one["source"] = "assumed"
    return sorted(found.values(), key=lambda one: (-one["seconds"], one["operator"]))


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """What changed from one run to another on the same chip: the step, its parts, and operators by how much they differ."""
    before = {one["operator"]: one for one in first["operators"]}
    after = {one["operator"]: one for one in second["operators"]}
    rows = [_changed(name, before.get(name), after.get(name)) for name in {**before, **after}]
    rows.sort(key=lambda one: (-abs(one["seconds"][1] - one["seconds"][0]), one["operator"]))
    return {
        "step_s": (first["step_s"], second["step_s"]),
        "items_per_second": (first["items_per_second"], second["items_per_second"]),
        "peak_b": tuple(one["memory"]["peak_b"] if one["memory"] else None for one in (first, second)),
        "parts": {name: (value, second["parts"].get(name, 0.0)) for name, value in first["parts"].items()},
        "limit": (first["limit"], second["limit"]),
        "operators": rows,
    }


def _changed(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Any]:
    sides = (before, after)
    return {
        "operator": name,
        "count": tuple(one["count"] if one else 0 for one in sides),
        "seconds": tuple(one["seconds"] if one else 0.0 for one in sides),
    }
