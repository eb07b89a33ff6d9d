"""What a rule says about a chip's figures, in three values: a missing number leaves a verdict open, never guessed.
And how near the line it is: the least change of one figure that would lead to another verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jumar.fleet.export_rules.measures import Figures
from jumar.fleet.export_rules.rules import Condition, Outcome, Rule, rules

STEP = 1e-9  # relative: on either side of a limit
OPEN = "open"


@dataclass(frozen=True)
class Verdict:
    """What a rule says. `open` names the figures that are missing, `possible` what it may come to then."""

    verdict: str
    effect: str
    means: str
    open: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """The nearest other verdict: `figure` would have to go from `value` to `limit`, by `change` (a share)."""

    figure: str
    value: float
    limit: float
    change: float
    verdict: str


def judge(rule: Rule, figures: Figures) -> Verdict:
    """The verdict of a rule with outcomes."""
    needed = judge(rules()[rule.needs], figures) if rule.needs else None
    if needed and not needed.open and needed.verdict not in rule.needed_verdicts:
        return Verdict(
            rule.otherwise, "free", f"{rules()[rule.needs].citation} comes first: {needed.verdict}"
        )
    missing = list(needed.open) if needed else []
    possible = [rule.otherwise] if missing else []
    values = figures.named()
    for outcome in rule.outcomes:
        state, lacking = _held(outcome, values)
        if state is None:
            missing += lacking
            possible.append(outcome.verdict)
        if state is True:
            if not missing:
                return Verdict(outcome.verdict, outcome.effect, outcome.means)
            possible.append(outcome.verdict)
            break
    else:
        if not missing:
            return Verdict(rule.otherwise, "free", "none of its cases holds")
        possible.append(rule.otherwise)
    return Verdict(OPEN, "", "", tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(possible)))


def _held(outcome: Outcome, values: dict[str, float | None]) -> tuple[bool | None, list[str]]:
    """Whether one of the cases holds: yes, no, or None and what is missing to tell."""
    lacking: list[str] = []
    for case in outcome.cases:
        states = [(one.quantity, _state(one, values)) for one in case]
        if all(state is True for _, state in states):
            return True, []
        if not any(state is False for _, state in states):
            lacking += [quantity for quantity, state in states if state is None]
    return (None, lacking) if lacking else (False, [])


def _state(condition: Condition, values: dict[str, float | None]) -> bool | None:
    value = values[condition.quantity]
    return None if value is None else condition.holds(value)


def limits(rule: Rule) -> dict[str, list[float]]:
    """Quantity -> its limits in a rule, from the lowest; whether something is above or below matters elsewhere."""
    found: dict[str, set[float]] = {}
    for outcome in rule.outcomes:
        for one in (condition for case in outcome.cases for condition in case):
            if one.quantity != "datacentre" and one.limit > 0:
                found.setdefault(one.quantity, set()).add(one.limit)
    return {quantity: sorted(values) for quantity, values in found.items()}


def nearest(rule: Rule, figures: Figures) -> Line | None:
    """The least change of one figure, the others as they are, after which the verdict is another one.

    Density follows from performance and area: a change of it is told as a change of performance."""
    now = judge(rule, figures)
    if now.open:
        return None
    lines = [
        Line(figure, value, limit, limit / value - 1, other.verdict)
        for figure, value, limit in _limits(rule, figures)
        for factor in (1 - STEP, 1 + STEP)
        if (other := judge(rule, _with(figures, figure, limit * factor))).verdict != now.verdict
    ]
    return min(lines, key=lambda line: abs(line.change), default=None)


def _with(figures: Figures, figure: str, value: float) -> Figures:
    changed: dict[str, Any] = {figure: value}
    return replace(figures, **changed)


def _limits(rule: Rule, figures: Figures) -> Iterator[tuple[str, float, float]]:
    """(figure, its value, a value of it at which some condition turns), also those of the rule that is asked first."""
    asked: Sequence[Rule] = (rule, rules()[rule.needs]) if rule.needs else (rule,)
    for quantity, limit in (
        (key, one) for each in asked for key, found in limits(each).items() for one in found
    ):
        if quantity == "pd" and figures.tpp and figures.area:
            yield "tpp", figures.tpp, limit * figures.area
            yield "area", figures.area, figures.tpp / limit
        elif quantity == "sum" and figures.io and figures.dram:
            if limit > figures.dram:
                yield "io", figures.io, limit - figures.dram
            if limit > figures.io:
                yield "dram", figures.dram, limit - figures.io
        elif quantity in ("tpp", "io", "dram") and (value := figures.named()[quantity]):
            yield quantity, value, limit
