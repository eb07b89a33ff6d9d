"""Small random questions for the planner, and their best answer by trying every plan.

The programme of given orders and moves is written down here once more, for all samples together and in another form
than the planner's: as one matrix.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyoptinterface as poi
from pyoptinterface import highs

from jumar.fleet.plan.decision import Plan, broken
from jumar.fleet.plan.instance import Instance


def random_instance(seed: int, months: int = 3, samples: int = 3, **changes: Any) -> Instance:
    """Two kinds of chips, one job and one rate, one move."""
    draw = np.random.default_rng(seed)
    chips, places, workloads = 2, 1, 2
    order_most = np.zeros((chips, months), dtype=np.int64)
    order_most[0, 0] = draw.integers(1, 4)
    order_most[1, draw.integers(0, 2)] = draw.integers(1, 4)
    arrived = np.zeros((samples, chips, months, months))
    for s, c, a in itertools.product(range(samples), range(chips), range(months)):
        come = a + int(draw.integers(0, 3))
        arrived[s, c, a, come:] = draw.uniform(0.3, 1.0)
    stock = np.zeros((samples, chips, months))
    stock[:, 0] = draw.integers(0, 3)
    activities = [(0, 0, 1.0, -1, 0), (0, 1, 1.0, -1, 0), (1, 0, 1.5, 0, 1), (1, 1, 1.4, -1, 0)]
    if draw.random() < 0.5:
        activities.append((1, 0, 2.0, 0, 2))
    columns = np.array(activities)
    demand = np.zeros((samples, workloads, months))
    demand[:, 0, 0] = draw.uniform(1, 6)
    demand[:, 1] = draw.uniform(0.5, 3, (samples, 1)) if draw.random() < 0.5 else draw.uniform(0.5, 3)
    missed = np.zeros((workloads, months))
    missed[0, 1:] = draw.uniform(1, 5)
    missed[1] = draw.uniform(1, 6)
    values: dict[str, Any] = {
        "chips": ("old", "new"),
        "places": ("hall",),
        "workloads": ("job", "rate"),
        "moves": ("job to new",),
        "suppliers": ("one", "other"),
        "weight": np.full(samples, 1 / samples),
        "supplier": np.array([0, 1]),
        "lot": draw.choice([0.5, 1.0, 2.0], chips),
        "order_most": order_most,
        "price": draw.uniform(1, 4, (chips, months)),
        "setup_cost": np.array([0.0, draw.choice([0.0, 1.5])]),
        "order_cost": draw.uniform(1, 4, (samples, chips, months)),
        "arrived": arrived,
        "stock": stock,
        "run_cost": draw.uniform(0, 0.3, (chips, places, months)),
        "speed": draw.uniform(0.8, 1.0, (chips, places, months)),
        "power": draw.uniform(0.5, 1.5, (chips, places)),
        "racks": draw.uniform(0.5, 1.5, (chips, places)),
        "liquid": np.array([False, bool(draw.random() < 0.5)]),
        "power_most": np.full((places, months), draw.choice([4.0, np.inf])),
        "racks_most": np.full((places, months), draw.choice([5.0, np.inf])),
        "liquid_most": np.full((places, months), 3.0),
        "activity_chip": columns[:, 0].astype(int),
        "activity_workload": columns[:, 1].astype(int),
        "activity_rate": columns[:, 2],
        "activity_move": columns[:, 3].astype(int),
        "activity_wait": columns[:, 4].astype(int),
        "move_cost": draw.uniform(0.2, 2.0, 1),
        "move_effort": np.ones(1),
        "move_months": np.ones(1, dtype=int),
        "engineers": np.full(months, draw.choice([0.5, 2.0], p=[0.2, 0.8])),
        "job": np.array([True, False]),
        "first": np.zeros(workloads, dtype=int),
        "deadline": np.array([1, 0]),
        "demand": demand,
        "missed_cost": missed,
        "must": np.zeros(workloads, dtype=bool),
        "budget": np.full(months, draw.choice([8.0, np.inf])),
        "share_most": float(draw.choice([0.7, 1.0])),
        "risk": float(draw.choice([0.0, 0.4])),
        "level": 0.6,
    }
    instance = Instance(**(values | changes))
    instance.check()
    return instance


def replace_in(instance: Instance, **changes: Any) -> Instance:
    """The same with other arrays, checked."""
    changed = replace(instance, **changes)
    changed.check()
    return changed


def every_plan(instance: Instance) -> Iterator[Plan]:
    """All plans that keep to the constraints on decisions."""
    cells = list(zip(*np.nonzero(instance.order_most), strict=True))
    counts = [range(int(instance.order_most[cell]) + 1) for cell in cells]
    latest = [instance.months - int(months) for months in instance.move_months]
    for lots in itertools.product(*counts):
        for begins in itertools.product(*[range(-1, last) for last in latest]):
            plan = Plan.nothing(instance)
            for cell, number in zip(cells, lots, strict=True):
                plan.lots[cell] = number
            plan.begins[:] = begins
            if not broken(instance, plan):
                yield plan


def cost_of(instance: Instance, plan: Plan) -> float:
    """The plan's value: a linear programme over all samples, written with rows of one matrix."""
    wide = _Columns(instance)
    objective, low, rows = np.zeros(wide.count), np.zeros(wide.count), []
    risk, chips = instance.risk, plan.lots * instance.lot[:, None]
    for s, weight in enumerate(instance.weight):
        objective[wide.missed(s)] = weight * (1 - risk)
        objective[wide.excess(s)] = weight * risk / (1 - instance.level)
        for c, p, t in np.ndindex(instance.run_cost.shape):
            objective[wide.on(s, c, p, t)] = weight * instance.run_cost[c, p, t]
        rows += _rows(instance, plan, chips, wide, s)
    objective[wide.bad] = risk
    low[wide.bad] = -1e6
    decided = sum(
        weight * float((instance.order_cost[s] * chips).sum()) for s, weight in enumerate(instance.weight)
    )
    decided += float(instance.setup_cost[plan.lots.sum(1) > 0].sum())
    decided += float(instance.move_cost[plan.begins >= 0].sum())
    return decided + _least(objective, low, rows)


class _Columns:
    """Where each variable stands in the matrix."""

    def __init__(self, instance: Instance) -> None:
        self.t, self.a = instance.months, len(instance.activity_chip)
        self.p, self.w = len(instance.places), len(instance.workloads)
        self.c = len(instance.chips)
        self.each = self.t * (self.a + self.c * self.p + self.w) + 2
        self.bad = self.each * len(instance.weight)
        self.count = self.bad + 1

    def work(self, s: int, a: int, t: int) -> int:
        return s * self.each + a * self.t + t

    def on(self, s: int, c: int, p: int, t: int) -> int:
        return s * self.each + self.a * self.t + (c * self.p + p) * self.t + t

    def undone(self, s: int, w: int, t: int) -> int:
        return s * self.each + (self.a + self.c * self.p + w) * self.t + t

    def missed(self, s: int) -> int:
        return s * self.each + self.each - 2

    def excess(self, s: int) -> int:
        return s * self.each + self.each - 1


Row = tuple[dict[int, float], float]  # Σ coefficient·variable ≤ right


def _rows(instance: Instance, plan: Plan, chips: Any, wide: _Columns, s: int) -> list[Row]:
    rows: list[Row] = []
    for t in range(instance.months):
        for c in range(wide.c):
            came = sum(chips[c, a] * instance.arrived[s, c, a, t] for a in range(t + 1))
            rows.append(({wide.on(s, c, p, t): 1.0 for p in range(wide.p)}, instance.stock[s, c, t] + came))
            busy = {wide.work(s, a, t): 1.0 for a in range(wide.a) if instance.activity_chip[a] == c}
            rows.append((busy | {wide.on(s, c, p, t): -instance.speed[c, p, t] for p in range(wide.p)}, 0.0))
        for p in range(wide.p):
            for each, most, which in (
                (instance.power, instance.power_most, range(wide.c)),
                (instance.racks, instance.racks_most, range(wide.c)),
                (instance.racks, instance.liquid_most, np.flatnonzero(instance.liquid)),
            ):
                rows.append(({wide.on(s, c, p, t): each[c, p] for c in which}, min(most[p, t], 1e6)))
        for w in range(wide.w):
            row = {
                wide.work(s, a, t): -instance.activity_rate[a]
                for a in range(wide.a)
                if instance.activity_workload[a] == w
            }
            row[wide.undone(s, w, t)] = -1.0
            if instance.job[w] and t > instance.first[w]:
                row[wide.undone(s, w, t - 1)] = 1.0
            if t >= instance.first[w]:
                rows.append((row, -instance.demand[s, w, t]))
        for a in range(wide.a):
            begun = plan.begins[instance.activity_move[a]] if instance.activity_move[a] >= 0 else 0
            if (
                begun < 0
                or t < begun + instance.activity_wait[a]
                or t < instance.first[instance.activity_workload[a]]
            ):
                rows.append(({wide.work(s, a, t): 1.0}, 0.0))
    costs = {wide.undone(s, w, t): instance.missed_cost[w, t] for w in range(wide.w) for t in range(wide.t)}
    rows.append((costs | {wide.missed(s): -1.0}, 0.0))
    rows.append(({wide.missed(s): 1.0, wide.excess(s): -1.0, wide.bad: -1.0}, 0.0))
    return rows


def _least(objective: Any, low: Any, rows: list[Row]) -> float:
    model = highs.Model()
    model.set_raw_parameter("output_flag", False)
    columns = [model.add_variable(lb=float(bound)) for bound in low]
    for row, right in rows:
        terms = poi.ExprBuilder()
        for place, value in row.items():
            terms.add_affine_term(columns[place], float(value))
        model.add_linear_constraint(poi.ScalarAffineFunction(terms), poi.Leq, float(right))
    total = poi.ExprBuilder()
    for column, value in zip(columns, objective, strict=True):
        total.add_affine_term(column, float(value))
    model.set_objective(poi.ScalarAffineFunction(total))
    model.optimize()
    assert (
        model.get_model_attribute(poi.ModelAttribute.TerminationStatus) == poi.TerminationStatusCode.OPTIMAL
    )
    return float(model.get_obj_value())
