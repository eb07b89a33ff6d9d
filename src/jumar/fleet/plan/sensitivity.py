"""What a plan hangs on: its value with each uncertain number at either end of its range, and whether one would then
decide otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jumar.fleet import units
from jumar.fleet.engine import Function, Progress, Task, run, sweep
from jumar.fleet.number import Floats, Number
from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.evaluation import Samples
from jumar.fleet.plan.from_scenario import Posed, pose
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.solving import Impossible, build, solve
from jumar.fleet.scenario import Scenario

SAMPLES, GROUPS = 12, 4
WIDEST = 8  # numbers for which a new plan is made
OTHERWISE = 0.2  # share of the money on chips, from which on it is spent otherwise
ENDS = ("low", "high")


@dataclass(frozen=True)
class Question:
    """What all tasks share."""

    scenario: Scenario
    plan: Plan
    seed: int


def tornado(
    scenario: Scenario,
    plan: Plan,
    *,
    seed: int,
    engine: str = "processes",
    workers: int | None = None,
    directory: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """`base_cost`, and `tornado`: a row for each number with a range, the widest swing first. Values are those that the
    planner minimises, in US dollars, over the same few futures; the plan stays. `other_decision` says of the widest
    whether a plan made for one of the ends would spend more than a fifth of the money on other chips."""
    question = Question(scenario, plan, seed)

    def ask(keys: Sequence[str], function: Function, folder: str) -> list[dict[str, Any]]:
        variants = [{"key": key, "end": end} for key in keys for end in ENDS]
        rows: list[dict[str, Any]] = run(
            sweep([{"key": "", "end": ""}, *variants], 1, seed),
            function,
            shared=question,
            engine=engine,
            workers=workers,
            directory=directory / folder if directory else None,
            renew=True,
            progress=progress,
        ).to_pylist()
        return rows

    numbers = {key: number for key, number in scenario.numbers().items() if number.uncertain}
    values = {(row["key"], row["end"]): float(row["value"]) for row in ask(list(numbers), value, "swings")}
    base = values["", ""]
    rows = [
        _row(number, scenario.called(key), [values[key, end] for end in ENDS], base)
        for key, number in numbers.items()
    ]
    rows.sort(key=lambda row: -abs(row["high_cost"] - row["low_cost"]))
    spent = {(row["key"], row["end"]): row["spent"] for row in ask(_first(rows), decision, "decisions")}
    for row in rows[:WIDEST]:
        row["other_decision"] = any(
            _differs(spent[row["key"], end], spent["", ""]) for end in ENDS if (row["key"], end) in spent
        )
    return {"base_cost": base, "tornado": rows}


def _first(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["key"] for row in rows[:WIDEST]]


def value(question: Question, task: Task) -> dict[str, float]:
    """What the plan is worth if one number is at one end of its range; infinite if a promise cannot be kept then."""
    posed = _posed(question, task)
    plan = carried(question.plan, pose(question.scenario, 1, question.seed), posed)
    try:
        with Samples(posed.instance) as samples:
            return {"value": samples.of_plan(plan).value * posed.money}
    except RuntimeError:  # a sample without any course: a workload that may not be missed is
        return {"value": math.inf}


def decision(question: Question, task: Task) -> dict[str, list[float]]:
    """What would be spent on each kind of chip by a plan made for that end, in fractions of lots; empty: none is
    possible."""
    instance = _posed(question, task).instance
    try:
        solved = solve(build(instance.group(groups(instance, GROUPS)), whole=False))
    except Impossible:
        return {"spent": []}
    spent: Floats = (solved.lots * instance.lot[:, None] * instance.price).sum(1)
    return {"spent": spent.tolist()}


def _posed(question: Question, task: Task) -> Posed:
    scenario, key = question.scenario, task.parameters["key"]
    if key:
        scenario = scenario.with_values({key: getattr(scenario.numbers()[key], task.parameters["end"])})
    return pose(scenario, SAMPLES, question.seed)


def carried(plan: Plan, old: Posed, new: Posed) -> Plan:
    """The plan in an instance with other numbers: as many chips as can be ordered there, and the moves that there are."""
    before, after = old.instance, new.instance
    chips = plan.lots * before.lot[:, None] / after.lot[:, None]
    lots = np.minimum(np.rint(chips).astype(np.int64), after.order_most)
    begins = dict(zip(old.moves, plan.begins.tolist(), strict=True))
    return Plan(lots, np.array([begins.get(move, -1) for move in new.moves], dtype=np.int64))


def _row(number: Number, name: str, costs: Sequence[float], base: float) -> dict[str, Any]:
    """An end at which a promise cannot be kept stands at the base, and says so."""
    row: dict[str, Any] = {"key": number.key, "name": name, "other_decision": False}
    for end, cost in zip(ENDS, costs, strict=True):
        said = units.text(getattr(number, end), number.unit)
        row[f"{end}_text"] = said if math.isfinite(cost) else f"{said}: cannot be kept"
        row[f"{end}_cost"] = cost if math.isfinite(cost) else base
    return row


def _differs(spent: Sequence[float], before: Sequence[float]) -> bool:
    """Whether so much of the money goes elsewhere. No plan at all is another decision."""
    if not spent or not before:
        return bool(spent) != bool(before)
    moved = np.abs(np.array(spent) - np.array(before)).sum() / 2
    return bool(moved > OTHERWISE * max(sum(spent), sum(before), 1e-9))
