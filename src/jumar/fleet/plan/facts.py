"""What a plan comes to, month by month, in the scenario's own names and units: plain dicts for terminal, page and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jumar.fleet import evidence, export_rules, supply
from jumar.fleet.number import Floats
from jumar.fleet.plan.decision import Plan, there
from jumar.fleet.plan.from_scenario import THOUSAND, Posed
from jumar.fleet.plan.recourse import Recourse, Use
from jumar.fleet.scenario import ChipOption

QUANTILES = {"low": 0.05, "quarter": 0.25, "middle": 0.5, "three_quarters": 0.75, "high": 0.95}
LOOKED_AT = 40  # samples whose assignments are averaged: each is a programme to solve
NEARLY_ALL = 0.99  # of the work, from which on it counts as done


def facts(posed: Posed, plan: Plan) -> dict[str, Any]:
    """Everything that follows from the plan: orders, moves, chips in service, who does what, what gets done."""
    scenario = posed.scenario
    uses = _uses(posed, plan)
    return {
        "title": scenario.title,
        "story": scenario.story,
        "months": [str(scenario.month(at)) for at in range(scenario.months)],
        "chips": _chips(posed),
        "workloads": {
            name: {"title": work.title, "kind": work.kind, "first": work.first, "deadline": work.deadline}
            for name, work in scenario.workloads.items()
        },
        "orders": orders(posed, plan),
        "moves": _moves(posed, plan),
        "supply": _supply(posed, plan),
        "assignments": _assignments(posed, uses),
        "served": _served(posed, uses),
        "export_rules": export_rules.in_scenario(scenario),
        "numbers": [row for group in evidence.account(scenario)["confidences"] for row in group["numbers"]],
    }


def orders(posed: Posed, plan: Plan) -> list[dict[str, Any]]:
    """Orders by month: chips, and what they cost until the end, less what they are still worth then."""
    instance = posed.instance
    expected = np.tensordot(instance.weight, instance.order_cost, 1)
    chips = plan.chips(instance)
    return [
        {
            "month": str(posed.scenario.month(int(month))),
            "chip": instance.chips[c],
            "chips": round(float(chips[c, month]) * THOUSAND),
            "cost": float(expected[c, month] * chips[c, month]) * posed.money,
        }
        for month, c in np.argwhere(plan.lots.T > 0)
    ]


def _chips(posed: Posed) -> dict[str, str]:
    """Title of every kind of chip, those that can be rented too."""
    scenario = posed.scenario
    rented = [f"{scenario.chips[one.chip].title}, rented" for one in scenario.rentals.values()]
    titles = [*(chip.title for chip in scenario.chips.values()), *rented]
    return dict(zip(posed.instance.chips, titles, strict=True))


def _moves(posed: Posed, plan: Plan) -> list[dict[str, Any]]:
    begun = sorted((int(plan.begins[m]), m) for m in np.flatnonzero(plan.begins >= 0))
    return [
        {
            "month": str(posed.scenario.month(month)),
            "workload": posed.moves[m][0],
            "platform": posed.scenario.platforms[posed.moves[m][1]].title,
        }
        for month, m in begun
    ]


def _supply(posed: Posed, plan: Plan) -> list[dict[str, Any]]:
    """Chips in service by month, of each kind that there ever is, and how many there were if all came as promised
    and nothing failed; rented ones are not supply."""
    instance, agreed = posed.instance, supply.promised(posed.scenario)
    ordered = plan.chips(instance) * THOUSAND
    samples = np.stack([there(instance, plan, s) for s in range(instance.samples)]) * THOUSAND
    return [
        {
            "chip": name,
            **{
                key: np.quantile(samples[:, c], share, axis=0).round(1).tolist()
                for key, share in QUANTILES.items()
            },
            "promised": _promised(chip, ordered[c], agreed.get(name)),
        }
        for c, (name, chip) in enumerate(posed.scenario.chips.items())
        if samples[:, c].max() >= 1.0
    ]


def _promised(chip: ChipOption, ordered: Floats, shares: Floats | None) -> list[float]:
    """The stock and what was ordered, as it would arrive on time."""
    arriving = np.zeros(len(ordered)) if shares is None else ordered @ shares
    return (chip.stock.value + np.cumsum(arriving)).round(1).tolist()  # type: ignore[no-any-return]


def _uses(posed: Posed, plan: Plan) -> list[Use]:
    """The best recourse in evenly chosen samples."""
    instance = posed.instance
    recourse = Recourse(instance)
    chosen = np.linspace(0, instance.samples - 1, min(LOOKED_AT, instance.samples)).round().astype(int)
    return [recourse.use(int(s), plan) for s in np.unique(chosen)]


def _assignments(posed: Posed, uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Mean number of chips at each workload by month; where a chip works at two paces they are added."""
    instance = posed.instance
    work = np.mean([use.work for use in uses], axis=0) * THOUSAND
    found: dict[tuple[int, int], Floats] = {}
    pairs = zip(instance.activity_workload.tolist(), instance.activity_chip.tolist(), strict=True)
    for a, pair in enumerate(pairs):
        found[pair] = found.get(pair, np.zeros(instance.months)) + work[a]
    return [
        {"workload": instance.workloads[w], "chip": instance.chips[c], "chips": chips.round(1).tolist()}
        for (w, c), chips in sorted(found.items())
        if chips.max() >= 0.5
    ]


def _served(posed: Posed, uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Share of each workload that is done: of a job by its deadline, of the others in each month."""
    undone = np.stack([use.undone for use in uses])
    return [
        _job(posed, w, undone) if posed.instance.job[w] else _service(posed, w, undone)
        for w in range(len(posed.instance.workloads))
    ]


def _job(posed: Posed, w: int, undone: Floats) -> dict[str, Any]:
    instance = posed.instance
    whole = max(float(instance.demand[:, w].sum(1).max()), 1e-9)
    done = 1 - undone[:, w, int(instance.deadline[w])] / whole
    return _said(instance.workloads[w], [float(done.mean())], done)


def _service(posed: Posed, w: int, undone: Floats) -> dict[str, Any]:
    instance = posed.instance
    asked = instance.demand[:, w].mean(0)
    wanted = asked > 0
    done = 1 - undone[:, w] / np.where(wanted, asked, 1.0)
    by_month = [float(share) if known else None for share, known in zip(done.mean(0), wanted, strict=True)]
    return _said(instance.workloads[w], by_month, done[:, wanted].min(1, initial=1.0))


def _said(name: str, share: Sequence[float | None], worst: Floats) -> dict[str, Any]:
    return {"workload": name, "share": list(share), "in_time": float((worst >= NEARLY_ALL).mean())}
