"""The whole answer to a scenario: the plan, what it was weighed against, and why, as one plain dict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan import baselines, clash, facts, frontier, sensitivity, worth
from jumar.fleet.plan.bad_cases import worst
from jumar.fleet.plan.decision import Plan
from jumar.fleet.plan.evaluation import Outcome, Samples
from jumar.fleet.plan.from_scenario import Posed, pose, without
from jumar.fleet.plan.instance import Flags
from jumar.fleet.plan.planning import Effort, Planned, Tell, best
from jumar.fleet.plan.recourse import Recourse
from jumar.fleet.plan.solving import Impossible, build, solve
from jumar.fleet.plan.wording import decision, rounded_up
from jumar.fleet.scenario import Scenario

MUST_LOOKED_AT = 40  # futures
DEAR = 10.0  # times what the scenario says that missing costs, for work that may not be missed


@dataclass(frozen=True)
class Asked:
    """How a scenario is planned."""

    samples: int = 200
    seed: int = 0
    effort: Effort = field(default_factory=Effort)
    must: tuple[str, ...] = ()  # workloads that may not be missed, besides those that say so
    risk: float | None = None  # in place of the scenario's
    sensitivity: bool = True
    engine: str = "processes"
    folder: Path | None = None  # where results of tornado and frontier are kept


def answer(scenario: Scenario, asked: Asked, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Facts for terminal, page and JSON. If no plan is possible they have `clash` and no decision."""
    strict = _posed(scenario, asked, asked.seed)
    if not _possible(strict):
        return _impossible(strict)
    posed, unseen = softened(strict), softened(_posed(scenario, asked, asked.seed + 1))
    planned = best(posed.instance, asked.effort, tell)
    tell("simpler plans")
    spare = replace(asked.effort, gap=2 * asked.effort.gap, seconds=asked.effort.seconds / 3)
    others = baselines.all_of_them(posed, spare)
    with Samples(unseen.instance, asked.effort.workers) as samples:
        outcome = samples.of_plan(planned.plan)
        tried = {one.name: samples.of_plan(one.plan) for one in others}
    tell("what hedging and waiting are worth")
    found = facts.facts(posed, planned.plan)
    found["compared"] = [_compared(unseen, "plan", "this plan", planned.plan, outcome)]
    found["compared"] += [_compared(unseen, one.name, one.title, one.plan, tried[one.name]) for one in others]
    values = worth.all_of_them(unseen.instance, outcome, tried["mean"], tried["wait"])
    found["values"] = [
        {"name": one.name, "value": one.value * posed.money, "meaning": one.meaning} for one in values
    ]
    found["buyable"] = [
        posed.instance.chips[c] for c in np.flatnonzero(posed.instance.order_most.any(axis=1))
    ]
    found |= _sensitivity(posed, planned.plan, asked, tell) if asked.sensitivity else {}
    found["planned"] = _planned(posed, planned, outcome)
    found["decision"] = decision(found)
    found["figures"] = _figures(found)
    found["notes"] = [*_notes(planned, asked), *_kept(strict, unseen, planned.plan)]
    return found


def _posed(scenario: Scenario, asked: Asked, seed: int) -> Posed:
    posed = pose(scenario, asked.samples, seed)
    must: Flags = posed.instance.must | np.isin(posed.instance.workloads, asked.must)
    risk = posed.instance.risk if asked.risk is None else asked.risk
    return without(posed, must=must, risk=risk)


def _possible(posed: Posed) -> bool:
    """Whether what may not be missed can be done if all comes as expected."""
    if not posed.instance.must.any():
        return True
    try:
        solve(build(posed.instance.group([np.arange(posed.instance.samples)]), whole=False))
    except Impossible:
        return False
    return True


def softened(posed: Posed) -> Posed:
    """What may not be missed is missed at a price that nobody pays by choice. There may be futures in which no plan
    at all would avoid it, and a plan is wanted for the others."""
    must = posed.instance.must
    dear = np.where(must[:, None], DEAR * posed.instance.missed_cost, posed.instance.missed_cost)
    return without(posed, must=np.zeros_like(must), missed_cost=dear)


def _impossible(posed: Posed) -> dict[str, Any]:
    found = clash.explain(posed.instance)
    scenario = posed.scenario
    said = clash.sentences(
        found,
        lambda month: str(scenario.month(month)),
        lambda name: scenario.workloads[name].title,
    )
    nothing = facts.facts(
        without(posed, must=np.zeros_like(posed.instance.must)), Plan.nothing(posed.instance)
    )
    kept = ("title", "story", "months", "chips", "workloads", "export_rules", "numbers")
    return {key: nothing[key] for key in kept} | {"clash": said}


def _compared(posed: Posed, name: str, title: str, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    instance, money = posed.instance, posed.money
    low, high = worth.spread(outcome.cost)
    return {
        "name": name,
        "title": title,
        "cost": float(instance.weight @ outcome.cost) * money,
        "cost_low": low * money,
        "cost_high": high * money,
        "missed": float(instance.weight @ outcome.missed) * money,
        "missed_worst": worst(outcome.missed, instance.weight, instance.level) * money,
        "weighed": outcome.value * money,
        "largest_supplier": largest_share(posed, plan),
    }


def largest_share(posed: Posed, plan: Plan) -> float | None:
    """Of all that is spent on chips at list prices; None if nothing is."""
    instance = posed.instance
    spent = (instance.price * plan.chips(instance)).sum(axis=1)
    if spent.sum() <= 0:
        return None
    return max(
        float(spent[instance.supplier == u].sum() / spent.sum()) for u in range(len(instance.suppliers))
    )


def _sensitivity(posed: Posed, plan: Plan, asked: Asked, tell: Tell) -> dict[str, Any]:
    tell("sensitivity to each assumption, and what less delay or less dependence cost")
    how: dict[str, Any] = {"engine": asked.engine, "workers": asked.effort.workers}
    folders = {name: asked.folder / name if asked.folder else None for name in ("tornado", "frontier")}
    found = sensitivity.tornado(posed.scenario, plan, seed=asked.seed, directory=folders["tornado"], **how)
    return found | frontier.frontier(posed, plan, directory=folders["frontier"], **how)


def _planned(posed: Posed, planned: Planned, outcome: Outcome) -> dict[str, Any]:
    """How near to the best the plan is, and whether unseen futures treat it as those it was made with."""
    return {
        "value": planned.value * posed.money,
        "bound": planned.bound * posed.money,
        "gap": planned.gap,
        "unseen": outcome.value * posed.money,
        "seconds": planned.seconds,
        "rounds": planned.rounds,
        "risk": posed.instance.risk,
        "level": posed.instance.level,
        "samples": posed.instance.samples,
        "error": _error(outcome.cost) * posed.money,
    }


def _error(cost: Floats) -> float:
    return float(cost.std() / max(1, len(cost)) ** 0.5)


def _figures(found: dict[str, Any]) -> list[dict[str, str]]:
    plan = found["compared"][0]
    simpler = min(found["compared"][1:], key=lambda one: float(one["weighed"]))
    share = plan["largest_supplier"]
    return [
        {
            "name": "expected cost",
            "text": _dollars(plan["cost"]),
            "note": f"nine tenths between {_dollars(plan['cost_low'])} and {_dollars(plan['cost_high'])}",
        },
        {
            "name": "of it for work missed",
            "text": _dollars(plan["missed"]),
            "note": f"{_dollars(plan['missed_worst'])} in bad cases",
        },
        {
            "name": "better than the next simpler plan",
            "text": _dollars(simpler["weighed"] - plan["weighed"]),
            "note": f"{simpler['title']}; bad cases counted more",
        },
        {
            "name": "with the largest supplier",
            "text": "nothing is ordered" if share is None else f"{100 * share:.0f} %",
            "note": "of spending on chips",
        },
    ]


def _dollars(value: float) -> str:
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if abs(value) >= size:
            return f"{value / size:,.3g} {word} USD"
    return f"{value:,.0f} USD"


def _kept(strict: Posed, unseen: Posed, plan: Plan) -> list[str]:
    """Whether what may not be missed is not, in futures that the plan has not seen."""
    must, looked_at = np.flatnonzero(strict.instance.must), min(MUST_LOOKED_AT, unseen.instance.samples)
    if not len(must):
        return []
    recourse, kept = Recourse(unseen.instance), 0
    for s in range(looked_at):
        undone = recourse.use(s, plan).undone
        due = np.arange(unseen.instance.months) >= unseen.instance.deadline[:, None]
        counts = due | ~unseen.instance.job[:, None]
        kept += bool((undone * counts)[must].max() < 1e-4)
    return [
        f"What may not be missed was done in full in {kept} of {looked_at} futures; missing it counted {DEAR:.0f} times "
        "what the scenario says, in all costs above."
    ]


def _notes(planned: Planned, asked: Asked) -> Sequence[str]:
    return [
        f"{asked.samples} samples of seed {asked.seed} made the plan; another {asked.samples} of seed {asked.seed + 1} "
        "tried it and the simpler ones.",
        f"On the samples it was made with no plan is better by more than {rounded_up(planned.gap)}.",
        "Orders and moves are decided before anything is known. In each sample the rest is then done as well as "
        "possible by somebody who knows when everything will come, so real costs lie a little higher.",
        "Costs are discounted to the first month; chips count for what they are still worth at the end.",
    ]
