"""A scenario for a terminal: what it asks, how many chips that would be, and what each number rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumar.fleet import demand, supply, units
from jumar.fleet.scenario import TRAINING, Scenario, Workload

WIDE = 46  # of a key


def text(scenario: Scenario, facts: Mapping[str, Any], name: str, everything: bool = True) -> str:
    """All there is to say, as lines. `facts` is `fleet.evidence.account(scenario)`."""
    parts = [
        _head(scenario, name),
        _demand(scenario),
        _supply(scenario),
        _rules(scenario),
        _counts(facts),
        _disputed(facts),
    ]
    if everything:
        parts += [_numbers(one) for one in facts["confidences"]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(scenario: Scenario, name: str) -> list[str]:
    last = scenario.month(scenario.months - 1)
    return [
        f"{name}: {scenario.title}",
        f"  {scenario.start} to {last}, {scenario.months} months; {len(scenario.chips)} kinds of chips, "
        f"{len(scenario.workloads)} workloads, {len(scenario.sites)} sites; everything fits together",
    ]


def _demand(scenario: Scenario) -> list[str]:
    """One row a workload: what is asked, and how many chips of each kind its peak would keep busy."""
    rows = [["", "asked", *scenario.chips]]
    for work in scenario.workloads.values():
        rows.append(
            [work.name, _asked(scenario, work), *(_busy(scenario, work, chip) for chip in scenario.chips)]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["chips that demand would keep busy at its peak, if they were all of one kind"]
    for row in rows:
        words = (cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True))
        numbers = (cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        lines.append(f"  {'  '.join((*words, *numbers))}")
    return lines


def _busy(scenario: Scenario, work: Workload, chip: str) -> str:
    if chip in work.too_slow:
        return "too slow"
    return f"{demand.most_chips(scenario, work, chip):,.0f}" if chip in work.throughput else "–"


def _asked(scenario: Scenario, work: Workload) -> str:
    if work.kind == TRAINING and work.amount is not None and work.deadline is not None:
        return f"{units.text(work.amount.value, work.unit)} by {scenario.month(work.deadline)}"
    first, last = (units.text(one, f"{work.unit}/s") for one in demand.course(scenario, work))
    return f"{first} to {last}"


def _supply(scenario: Scenario) -> list[str]:
    """What there is, and what could be had: the middle and the 5 % and 95 % quantiles of futures."""
    outlook = supply.outlook(scenario)
    lines = ["chips in stock, and what comes until the end of all that may be ordered"]
    for chip in scenario.chips.values():
        said = [f"{chip.stock.value:,.0f} in stock"] if chip.stock.value else []
        if chip.name in outlook:
            found = outlook[chip.name]
            said.append(
                f"{found.middle:,.0f} ({found.low:,.0f} to {found.high:,.0f}) of {found.ordered:,.0f} "
                f"at {units.text(chip.price.value, 'USD/chip')}"
            )
        lines.append(f"  {chip.name:<22}{'; '.join(said)}")
    return lines


def _rules(scenario: Scenario) -> list[str]:
    """Rules by date, then what nobody has announced."""
    lines = []
    for rule in sorted(scenario.rules, key=lambda one: one.begin):
        until = f"to {scenario.month(rule.end - 1)}" if rule.end is not None else "on"
        chance = f", {rule.probability.value:.0%} probable" if rule.probability.value < 1 else ""
        what = f"from {scenario.month(rule.begin)} {until}{chance}"
        lines.append(f"  {rule.name:<22}{what}: {rule.title}  {rule.source or 'assumed'}")
    for one in scenario.hazards:
        stops = units.text(one.stops.value, one.stops.unit).replace(" 1/year", " a year")
        lines.append(
            f"  {one.name:<22}{stops} expected, {one.lasting.value:g} months each: {', '.join(one.chips)}"
        )
    return ["rules that stop or tax what is ordered", *lines] if lines else []


def _counts(facts: Mapping[str, Any]) -> list[str]:
    lines = [f"what the {facts['count']} numbers rest on"]
    for one in facts["confidences"]:
        count = len(one["numbers"])
        missing = sum(not number["given"] for number in one["numbers"])
        own = f", {missing} of them not in the file" if missing else ""
        if count:
            lines.append(f"  {one['confidence']:<12}{count:>5}  {one['meaning']}{own}")
    return lines


def _disputed(facts: Mapping[str, Any]) -> list[str]:
    if not facts["disputed"]:
        return []
    lines = ["where sources disagree; the first is what is computed with"]
    for one in facts["disputed"]:
        lines.append(f"  {one['key']}")
        said = [one, *one["others"]]
        lines += [
            f"    {other['text']:<24}{other['confidence']:<12}{other['source']}{_note(other)}"
            for other in said
        ]
    return lines


def _numbers(one: Mapping[str, Any]) -> list[str]:
    given = [number for number in one["numbers"] if number["given"]]
    if not one["numbers"]:
        return []
    lines = [f"{one['confidence']}: {one['meaning']}", *(_number(number) for number in given)]
    if left := [number for number in one["numbers"] if not number["given"]]:
        lines += ["  not in the file, taken so", *(_number(number) for number in left)]
    return lines


def _number(one: Mapping[str, Any]) -> str:
    span = f" ({one['range']})" if one["range"] else ""
    source = "" if one["source"] == "assumed" else f"  {one['source']}"
    return f"  {one['key']:<{WIDE}} {one['text']}{span}{source}{_note(one) if one['given'] else ''}"


def _note(one: Mapping[str, Any]) -> str:
    return f"  [{one['note']}]" if one["note"] else ""
