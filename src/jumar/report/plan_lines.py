"""A plan for a terminal: the decision first, then why, what it was weighed against, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jumar.report import amounts

Facts = Mapping[str, Any]
WIDEST = 8  # assumptions that are shown


def text(facts: Facts) -> str:
    if facts.get("clash"):
        return "\n".join(_clash(facts))
    parts = [
        _decision(facts),
        _compared(facts),
        _worth(facts),
        _served(facts),
        _tornado(facts),
        _notes(facts),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _clash(facts: Facts) -> list[str]:
    return [f"{facts['title']}: no plan is possible", *(f"  - {one}" for one in facts["clash"])]


def _decision(facts: Facts) -> list[str]:
    first, *why = facts["decision"]
    return [f"{facts['title']}: {first}", *(f"  - {one}" for one in why)]


def _compared(facts: Facts) -> list[str]:
    headings = ["against simpler plans", "expected cost", "nine tenths between", "", "missed", "in bad cases"]
    rows = [
        [
            one["title"],
            *(
                amounts.dollars(one[key])
                for key in ("cost", "cost_low", "cost_high", "missed", "missed_worst")
            ),
        ]
        for one in facts["compared"]
    ]
    return table([headings, *rows])


def _worth(facts: Facts) -> list[str]:
    rows = [["worth", "", ""]]
    rows += [[one["name"], amounts.dollars(one["value"]), one["meaning"]] for one in facts["values"]]
    return table(rows)


def _served(facts: Facts) -> list[str]:
    """Workloads of which something is missed."""
    rows = [["least served", "of the work done", "in time"]]
    for one in facts.get("served") or ():
        shares = [share for share in one["share"] if share is not None]
        mean = sum(shares) / len(shares) if shares else 1.0
        in_time = one.get("in_time")
        if mean < 0.995 or (in_time is not None and in_time < 0.995):
            title = facts["workloads"][one["workload"]]["title"]
            rows.append(
                [
                    title,
                    f"{100 * mean:.0f} %",
                    "" if in_time is None else f"in {100 * in_time:.0f} % of futures",
                ]
            )
    return table(rows) if len(rows) > 1 else []


def _tornado(facts: Facts) -> list[str]:
    shown = list(facts.get("tornado") or ())[:WIDEST]
    if not shown:
        return []
    rows = [["what the cost depends on most", "low", "costs", "high", "costs", "other orders"]]
    for one in shown:
        low, high = (amounts.dollars(one[key]) for key in ("low_cost", "high_cost"))
        rows.append(
            [
                one["name"],
                one["low_text"],
                low,
                one["high_text"],
                high,
                "yes" if one["other_decision"] else "",
            ]
        )
    return table(rows)


def _notes(facts: Facts) -> list[str]:
    return [f"- {one}" for one in facts.get("notes") or ()]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right of their width; the last as it is."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(widths[at]) if at in (0, last) else cell.rjust(widths[at])
            for at, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]
