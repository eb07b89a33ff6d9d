"""A priced run as lines for a terminal: a row a chip, what limits it, and what is assumed."""

from __future__ import annotations

from typing import Any

from jumar.report import amounts, heat_section, lines

MOST_OPERATORS = 12
HEAT = ("chip", "cooling", "power of a chip", "hottest die", "hottest memory", "an hour of this")


def headings(facts: dict[str, Any]) -> tuple[str, ...]:
    words = [row["items"]["word"] for row in facts["rows"] if row.get("items")]
    training = ("whole training", "its cost") if facts["steps_total"] else ()
    pace = f"{words[0]}/s" if words else "steps/s"
    return (
        "chip",
        "step",
        "range",
        pace,
        "MFU",
        "peak memory",
        "energy",
        "cost a step",
        *training,
        "limited by",
    )


def cells(facts: dict[str, Any], row: dict[str, Any]) -> tuple[str, ...]:
    """One chip; of one that cannot be priced the number that it lacks."""
    empty = len(headings(facts)) - 2
    if row["missing"]:
        return (row["chip"], f"cannot be priced: {row['missing']}", *[""] * empty)
    training = _training(row["training"]) if row["training"] else ()
    return (
        row["chip"] + (f" × {row['chips']}" if row["chips"] > 1 else ""),
        amounts.seconds(row["step_s"]),
        amounts.between(row["low_s"], row["high_s"]),
        pace(row),
        amounts.share(row["mfu"]) if row["mfu"] is not None else "–",
        memory(row["memory"]),
        amounts.energy(row["energy_j"]),
        money(row["cost"]),
        *training,
        row["limit"],
    )


def heat(row: dict[str, Any]) -> tuple[str, ...]:
    """What heat makes of an hour on one chip; columns are HEAT."""
    one = row["heat"]
    return (
        row["chip"],
        f"{one['cooling']} at {one['inlet_c']:.0f} °C",
        f"{one['power_w']:.0f} W",
        f"{one['die_c']:.0f} °C",
        f"{one['stack_c']:.0f} °C",
        heat_section.hour(one),
    )


def _training(training: dict[str, Any]) -> tuple[str, str]:
    days = training["days"]
    return (
        f"{days:.3g} days" if days >= 2 else amounts.seconds(training["seconds"]),
        money(training["cost"]),
    )


def pace(row: dict[str, Any]) -> str:
    per_second = row["items_per_second"] or (1 / row["step_s"] if row["step_s"] else None)
    return amounts.count(per_second) if per_second else "–"


def memory(held: dict[str, Any] | None) -> str:
    if held is None:
        return "–"
    how = "close" if held["close"] else "fits" if held["fits"] else "DOES NOT FIT"
    return f"{lines.size(held['peak_b'])} of {lines.size(held['capacity_b'])}, {how}"


def money(cost: dict[str, Any]) -> str:
    """The amount, or which number is missing."""
    if cost["value"] is None:
        return f"no {cost['missing']}"
    return f"{amounts.digits(cost['value'])} {cost['currency']}"


def notes(facts: dict[str, Any]) -> list[str]:
    """What holds for all chips first, then what holds for some, each said once."""
    said: dict[str, list[str]] = {}
    priced = [row for row in facts["rows"] if not row["missing"]]
    for row in priced:
        told = [*row["notes"]]
        if row["items"]:
            told.append(
                f"{row['items']['per_step']:,.0f} {row['items']['word']} a step: {row['items']['source']}"
            )
        if row["cost"]["value"] is not None:
            told.append(f"cost: {row['cost']['note']}")
        if row["memory"] and not (row["memory"]["fits"] and not row["memory"]["close"]):
            holders = list(row["memory"]["holders"].items())[:4]
            told.append(
                "memory at the peak: " + ", ".join(f"{name} {lines.size(size)}" for name, size in holders)
            )
        told.append(f"energy: {row['energy_note']}")
        for note in told:
            said.setdefault(note, []).append(row["chip"])
    everywhere = [note for note, chips in said.items() if len(chips) == len(priced)]
    some = [f"{', '.join(chips)}: {note}" for note, chips in said.items() if len(chips) < len(priced)]
    return everywhere + some


def operators(row: dict[str, Any]) -> list[tuple[str, ...]]:
    """The operators that take longest on one chip; unknown ones are there in any case."""
    listed = row["operators"]
    whole = sum(one["seconds"] for one in listed) or 1.0
    shown = [one for at, one in enumerate(listed) if at < MOST_OPERATORS or one["source"] == "assumed"]
    return [
        ("operator", "count", "time", "share", "work known by", "runs as"),
        *(
            (
                one["operator"],
                f"{one['count']:,}",
                amounts.seconds(one["seconds"]),
                amounts.share(one["seconds"] / whole),
                one["source"],
                one["becomes"] or ("" if one["seconds"] else "part of another kernel"),
            )
            for one in shown
        ),
    ]


def difference(facts: dict[str, Any]) -> list[tuple[str, ...]]:
    """Two runs on one chip: the step, what it is made of, memory."""
    before, after = facts["step_s"]
    rows: list[tuple[str, ...]] = [
        ("", "A", "B", "B to A"),
        ("step", amounts.seconds(before), amounts.seconds(after), _ratio(before, after)),
    ]
    paces = facts["items_per_second"]
    if all(paces):
        rows.append(("items/s", *map(amounts.count, paces), _ratio(*paces)))
    for name, (first, second) in facts["parts"].items():
        if first or second:
            rows.append((f"  {name}", amounts.seconds(first), amounts.seconds(second), _ratio(first, second)))
    peaks = facts["peak_b"]
    if all(peaks):
        rows.append(("peak memory", *map(lines.size, peaks), _ratio(*peaks)))
    return [*rows, ("limited by", *facts["limit"], "")]


def changes(facts: dict[str, Any], most: int) -> list[tuple[str, ...]]:
    """The operators whose time changed most."""
    changed = [one for one in facts["operators"] if one["seconds"][0] != one["seconds"][1]]
    if not changed:
        return []
    rows: list[tuple[str, ...]] = [("operator", "count A", "count B", "time A", "time B", "B − A")]
    for one in changed[:most]:
        before, after = one["seconds"]
        more = "+" if after > before else "−"
        rows.append(
            (
                one["operator"],
                *(f"{count:,}" for count in one["count"]),
                amounts.seconds(before),
                amounts.seconds(after),
                f"{more}{amounts.seconds(abs(after - before))}",
            )
        )
    return rows


def _ratio(before: float, after: float) -> str:
    return f"×{after / before:.3g}" if before else ""
