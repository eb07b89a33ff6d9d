"""The parts of a plan's page: the decision and why, then what it was weighed against, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jumar.report import amounts, markup, plan_drawings, plan_rules
from jumar.report.axes import colour
from jumar.report.markup import Section

Facts = Mapping[str, Any]
SLIGHT = 0.005  # a swing below this share of the cost is not drawn


def sections(facts: Facts) -> list[Section]:
    """Those parts for which the facts say something."""
    makers = (_decision, _clash, _orders, _compared, _supply, _work, _frontier, _tornado, plan_rules.section)
    return [found for make in makers if (found := make(facts))]


def _decision(facts: Facts) -> Section | None:
    said: Sequence[str] = facts.get("decision") or ()
    if not said:
        return None
    body = f'<p class="headline">{escape(said[0])}</p>{tiles(facts.get("figures") or ())}'
    if said[1:]:
        body += (
            '<h3>Why</h3><ol class="why">' + "".join(f"<li>{escape(one)}</li>" for one in said[1:]) + "</ol>"
        )
    values = [
        (one["name"], markup.number(amounts.dollars(one["value"]), one["value"]), one["meaning"])
        for one in facts.get("values") or ()
    ]
    if values:
        body += "<h3>What it is worth to wait, to hedge, to know</h3>" + markup.table(
            ("", "worth", "what that means"), values
        )
    return Section("decision", "Decision", body)


def tiles(figures: Sequence[Facts]) -> str:
    """A few numbers, large, each with a line that says what it is."""
    held = "".join(
        f'<div class="tile {escape(one.get("kind", ""))}"><span>{escape(one["name"])}</span><b>{escape(one["text"])}</b>'
        f"<span>{escape(one.get('note') or '')}</span></div>"
        for one in figures
    )
    return f'<div class="tiles">{held}</div>' if held else ""


def _clash(facts: Facts) -> Section | None:
    if not facts.get("clash"):
        return None
    lines = "".join(f"<li>{escape(one)}</li>" for one in facts["clash"])
    body = f'<div class="clash"><p>These cannot all hold; at least one of them has to give way.</p><ul>{lines}</ul></div>'
    return Section("clash", "What clashes", body, "clash")


def _orders(facts: Facts) -> Section | None:
    chips = facts.get("chips") or {}
    orders = facts.get("orders") or ()
    moves = facts.get("moves") or ()
    if not orders and not moves:
        return None
    body = ""
    if orders:
        body += markup.table(
            ("order in", "chip", "chips", "cost, all in"),
            [
                (
                    one["month"],
                    chips.get(one["chip"], one["chip"]),
                    markup.number(f"{one['chips']:,.0f}", one["chips"]),
                    _cost(one),
                )
                for one in orders
            ],
            "orders-table",
        )
    if moves:
        body += "<h3>Software to move</h3>" + markup.table(
            ("begin in", "workload", "to"),
            [(one["month"], _workload(facts, one["workload"]), one["platform"]) for one in moves],
            "moves-table",
        )
    return Section("orders", "What to order and to move, when", body, "orders")


def _cost(order: Facts) -> markup.Cell | str:
    cost = order.get("cost")
    return "" if cost is None else markup.number(amounts.dollars(cost), cost)


def _workload(facts: Facts, name: str) -> str:
    return str((facts.get("workloads") or {}).get(name, {}).get("title") or name)


def _compared(facts: Facts) -> Section | None:
    rows = facts.get("compared") or ()
    if not rows:
        return None
    said = "Each tried on the same samples, which none of them was made with: the mean, and nine tenths of all samples."
    listed = [
        (
            one["title"],
            markup.number(amounts.dollars(one["cost"]), one["cost"]),
            markup.unbroken(_between(one["cost_low"], one["cost_high"])),
            markup.number(amounts.dollars(one["missed"]), one["missed"]),
            markup.number(amounts.dollars(one["missed_worst"]), one["missed_worst"]),
            markup.part(one["largest_supplier"]) if one.get("largest_supplier") is not None else "",
        )
        for one in rows
    ]
    headings = (
        "",
        "expected cost",
        "range",
        "of it missed work",
        "that in bad cases",
        "with one supplier",
    )
    return Section(
        "compared", "Against simpler plans", markup.small(said) + markup.table(headings, listed), "compared"
    )


def _between(low: float, high: float) -> str:
    """A range of money with its unit once where both ends have the same."""
    first, last = amounts.dollars(low), amounts.dollars(high)
    digits, _, unit = first.partition(" ")
    return f"{digits if last.endswith(f' {unit}') and unit != 'USD' else first} to {last}"


def _supply(facts: Facts) -> Section | None:
    rows = facts.get("supply") or ()
    if not rows:
        return None
    names = list(facts.get("chips") or {})
    fans = "".join(
        plan_drawings.fan(
            facts["months"],
            one,
            (facts.get("chips") or {}).get(one["chip"], one["chip"]),
            names.index(one["chip"]) if one["chip"] in names else at,
        )
        for at, one in enumerate(rows)
    )
    said = (
        "Chips in service by month: the line is the middle of all samples, the dark band half of them, the pale band nine "
        "tenths. Yield, ramp, delay, stops and failures are in it. Dashed: as promised."
    )
    return Section("supply", "Supply", f'{markup.small(said)}<div class="fans">{fans}</div>')


def _work(facts: Facts) -> Section | None:
    rows = facts.get("assignments") or ()
    if not rows:
        return None
    chips, months = facts.get("chips") or {}, facts["months"]
    names = list(chips) or list(dict.fromkeys(row["chip"] for row in rows))
    groups = []
    for name in dict.fromkeys(row["workload"] for row in rows):
        about = (facts.get("workloads") or {}).get(name, {})
        lanes = [
            (
                chips.get(row["chip"], row["chip"]),
                names.index(row["chip"]) if row["chip"] in names else 0,
                row["chips"],
            )
            for row in rows
            if row["workload"] == name and max(row["chips"], default=0) >= 0.5
        ]
        groups.append((about.get("title") or name, about.get("first") or 0, about.get("deadline"), lanes))
    used = [name for name in names if any(row["chip"] == name for row in rows)]
    legend = "".join(
        f'<li><i class="key" style="background:{colour(names.index(name))}"></i>{escape(str(chips.get(name, name)))}</li>'
        for name in used
    )
    said = (
        "Chips at work on average over all samples; the darker, the more of the workload's most. Shaded: from its first "
        "month to its deadline, which is the dashed line."
    )
    body = f'{markup.small(said)}<ul class="legend">{legend}</ul>{plan_drawings.gantt(months, groups)}{_served(facts)}'
    return Section("work", "Which chips do what, when", body, "assignments")


def _served(facts: Facts) -> str:
    """How much of each workload is done, the least served first."""
    rows = sorted(facts.get("served") or (), key=lambda one: _mean(one["share"]))
    listed = [
        (
            _workload(facts, one["workload"]),
            markup.part(_mean(one["share"])),
            markup.part(one["in_time"]) if one.get("in_time") is not None else "",
        )
        for one in rows
    ]
    if not listed:
        return ""
    return "<h3>How much of it gets done</h3>" + markup.table(
        ("workload", "done, on average", "samples in time"), listed, "served-table"
    )


def _mean(values: Sequence[float | None]) -> float:
    known = [one for one in values if one is not None]
    return sum(known) / len(known) if known else 0.0


def _frontier(facts: Facts) -> Section | None:
    points = facts.get("frontier") or ()
    if not points:
        return None
    said = (
        "Each point is the best plan when missed work counts less (patient) or more (urgent), or when one supplier may get "
        "no more than a limit. The darker, the more of the spending goes to one supplier (the share stands beside it). The "
        "red ring is the plan above. Cost is without what missed work costs."
    )
    drawing = plan_drawings.frontier(points, facts.get("delay_unit") or "delay")
    return Section("frontier", "Cost, delay, dependence", markup.small(said) + drawing, "frontier")


def _tornado(facts: Facts) -> Section | None:
    rows = facts.get("tornado") or ()
    if not rows:
        return None
    said = (
        "What the plan is worth (expected cost, with bad cases of missed work counted more) when one number is at the low "
        "or the high end of its range and the others stay."
    )
    if any(row.get("other_decision") for row in rows):
        said += " ◆: a plan made for that end would spend more than a fifth of the money on other chips."
    base = facts["base_cost"]
    wide = [row for row in rows if _swing(row) >= SLIGHT * abs(base)]
    narrow = [f"{row['name']} ({row['low_text']} to {row['high_text']})" for row in rows if row not in wide]
    body = markup.small(said) + (plan_drawings.tornado(wide, base) if wide else "")
    if narrow:
        told = f"What changes it by less than {SLIGHT:.1%}: {len(narrow)}".replace("%", " %")
        body += f"<details><summary>{told}</summary>{markup.points(narrow)}</details>"
    return Section("tornado", "What it hangs on", body, "sensitivity")


def _swing(row: Facts) -> float:
    ends = (row["low_cost"], row["high_cost"])
    return float(max(ends) - min(ends))
