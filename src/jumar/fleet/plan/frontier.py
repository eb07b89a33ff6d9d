"""Cost against delay against dependence: what the best plans are when one of the three matters more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jumar.fleet.engine import Progress, Task, run, sweep
from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.from_scenario import Posed
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Flags, Instance
from jumar.fleet.plan.recourse import Recourse
from jumar.fleet.plan.solving import Impossible, build, solve

GROUPS = 8
SHARES = (1.0, 0.8, 0.6, 0.5)  # most of the spending that one supplier may get
URGENCIES = (0.3, 1.0, 4.0)  # how much missed work counts, against what the scenario says
DELAY_UNIT = "% of work not done in time"
LIMIT, URGENCY = "limit", "urgency"


@dataclass(frozen=True)
class Question:
    """What all tasks share: the instance with few samples, what a dollar is in it, and the plan itself."""

    instance: Instance
    money: float
    plan: Plan


def frontier(
    posed: Posed,
    plan: Plan,
    *,
    engine: str = "processes",
    workers: int | None = None,
    directory: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """`frontier`: the plan and the best plans for other limits and urgencies, without those that another one beats in
    all three; `delay_unit`. Costs are US dollars without what missed work costs, over groups of like samples; plans but
    the given one have fractions of lots."""
    instance = posed.instance
    question = Question(instance.group(groups(instance, GROUPS)), posed.money, plan)
    variants = [{LIMIT: limit, URGENCY: urgency} for limit in SHARES for urgency in URGENCIES]
    rows = run(
        sweep([{LIMIT: instance.share_most, URGENCY: 0.0}, *variants], 1, seed=0),
        point,
        shared=question,
        engine=engine,
        workers=workers,
        directory=directory / "frontier" if directory else None,
        renew=True,
        progress=progress,
    ).to_pylist()
    own = {**_said(rows[0], "this plan"), "chosen": True}
    others = [_said(row, _label(row)) for row in rows[1:] if row["possible"]]
    return {"frontier": [own, *_efficient(others)], "delay_unit": DELAY_UNIT}


def point(question: Question, task: Task) -> dict[str, Any]:
    """Cost, delay and dependence of the best plan for a limit and an urgency; with urgency 0 of the plan itself."""
    instance, urgency = question.instance, task.parameters[URGENCY]
    if urgency == 0.0:
        return _measured(question, question.plan.lots, question.plan.begun(instance))
    changed = replace(
        instance,
        share_most=task.parameters[LIMIT],
        missed_cost=instance.missed_cost * urgency,
    )
    try:
        solved = solve(build(changed, whole=False))
    except Impossible:
        return {"possible": False}
    return _measured(replace(question, instance=changed), solved.lots, solved.begun)


def _measured(question: Question, lots: Any, begun: Any) -> dict[str, Any]:
    """Of orders and moves that may be fractions: what is done with them is best for the instance's own urgency."""
    instance = question.instance
    recourse = Recourse(instance)
    cost = float(
        np.tensordot(instance.weight, instance.order_cost, 1).ravel() @ _chips(instance, lots).ravel()
    )
    cost += float(begun.sum(1) @ instance.move_cost + lots.any(1) @ instance.setup_cost)
    undone = 0.0
    for s, weight in enumerate(instance.weight):
        use = recourse.used(s, lots, begun)
        cost += float(weight) * use.running
        undone += float(weight) * _undone(instance, s, use.undone)
    return {
        "possible": True,
        "cost": cost * question.money,
        "delay": 100 * undone,
        "dependence": dependence(instance, lots),
    }


def _chips(instance: Instance, lots: Any) -> Any:
    return lots * instance.lot[:, None]


def _undone(instance: Instance, s: int, undone: Any) -> float:
    """Share of the work that is not done in time, the mean over workloads: of a job what is left at its deadline."""
    asked = instance.demand[s].sum(1)
    rows: Flags = asked > 0
    late = np.where(instance.job, undone[np.arange(len(undone)), instance.deadline], undone.sum(1))
    return float((late[rows] / asked[rows]).mean()) if rows.any() else 0.0


def dependence(instance: Instance, lots: Any) -> float:
    """The largest supplier's share of what is spent on chips, at list prices; 0 if nothing is bought."""
    spent = (_chips(instance, lots) * instance.price).sum(1)
    total = float(spent.sum())
    by_supplier = [float(spent[instance.supplier == u].sum()) for u in range(len(instance.suppliers))]
    return max(by_supplier) / total if total > 1e-9 and by_supplier else 0.0


def _label(row: dict[str, Any]) -> str:
    urgency = {0.3: "patient", 4.0: "urgent"}.get(row[URGENCY], "")
    limit = "no limit" if row[LIMIT] >= 1 else f"limit {row[LIMIT]:.0%}".replace("%", " %")
    return ", ".join(part for part in (limit, urgency) if part)


def _said(row: dict[str, Any], label: str) -> dict[str, Any]:
    kept = {key: row[key] for key in ("cost", "delay", "dependence")}
    return {"label": label, **kept, "chosen": False}


def _efficient(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without points that another one beats, or equals, in all three; of equals the first stays."""
    kept: list[dict[str, Any]] = []
    for one in sorted(points, key=lambda one: (one["cost"], one["delay"], one["dependence"])):
        if not any(_beats(other, one) for other in kept):
            kept.append(one)
    return kept


def _beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
    slack = {"cost": 1e-3 * abs(other["cost"]), "delay": 0.05, "dependence": 0.005}
    return all(one[key] <= other[key] + room for key, room in slack.items())
