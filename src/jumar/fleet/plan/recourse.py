"""What follows from given orders and moves, sample by sample: one linear programme, of which right-hand sides change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan import constraints, direct
from jumar.fleet.plan.decision import Plan, Slope
from jumar.fleet.plan.instance import Instance, Integers
from jumar.fleet.plan.programme import Programme, programme


@dataclass(frozen=True)
class Course:
    """A sample's best use of what is there: what running costs, what missing costs, how far both could change."""

    running: float
    missed: float
    slope: Slope  # of running + weight · missed


@dataclass(frozen=True)
class Use:
    """Who does what in a sample: chips at each activity [a,t], chips switched on [c,t], work undone [w,t], and what
    running costs."""

    work: Floats
    on: Floats
    undone: Floats
    running: float


class Recourse:
    """Answers for one sample after another. Its first answer takes longest; the next starts where that ended."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.weight = instance, 1.0
        self.made: Programme = programme(instance.sample(0), decides=False)
        for constraint in constraints.OF_SAMPLES:
            constraint(self.made)
        self._ended: dict[tuple[int, bool], direct.Basis] = {}  # by sample, and whether moves were fractions
        self._there, self._asked, self._open = (_Given(self.made, name) for name in GIVEN)
        workload = dict(
            zip(instance.activity_move.tolist(), instance.activity_workload.tolist(), strict=True)
        )
        self._opened_for = np.array([workload[m] for m in self._open.cells[:, 1]], dtype=np.int64)
        self._undone = _columns(self.made.undone)
        self._undone_cost = np.array([instance.missed_cost[w, t] for _, w, t in self.made.undone])
        self._objective()

    def course(self, s: int, lots: Any, begun: Any, weight: float = 1.0) -> Course:
        """The best course of sample s with these lots [c,τ] and moves [m,τ], which may be fractions. Missing counts
        `weight`-fold: more in bad cases."""
        values, prices = self._solve(s, lots, begun, weight)
        missed = float(self._undone_cost @ values[self._undone])
        total = float(self.made.model.get_obj_value())
        return Course(total - weight * missed, missed, self._slope(s, total, prices, lots, begun))

    def use(self, s: int, plan: Plan) -> Use:
        """Who does what in sample s."""
        return self.used(s, plan.lots, plan.begun(self.instance))

    def used(self, s: int, lots: Any, begun: Any) -> Use:
        """The same with lots [c,τ] and moves [m,τ] that may be fractions."""
        values, _ = self._solve(s, lots, begun, 1.0)
        instance = self.instance
        missed = float(self._undone_cost @ values[self._undone])
        work = np.zeros((len(instance.activity_chip), instance.months))
        on, undone = np.zeros(instance.price.shape), np.zeros(instance.missed_cost.shape)
        for (_, a, t), x in self.made.work.items():
            work[a, t] = values[x.index]
        for (_, c, _, t), k in self.made.on.items():
            on[c, t] += values[k.index]
        for (_, w, t), u in self.made.undone.items():
            undone[w, t] = values[u.index]
        return Use(work, on, undone, float(self.made.model.get_obj_value()) - missed)

    def _solve(self, s: int, lots: Any, begun: Any, weight: float) -> tuple[Floats, Floats]:
        import pyoptinterface as poi

        model = self.made.model
        self._set(s, lots, begun, weight)
        kind = (s, bool(np.any(begun % 1)))
        if kind in self._ended:
            direct.begin_at(model, self._ended[kind])
        model.optimize()
        status = model.get_model_attribute(poi.ModelAttribute.TerminationStatus)
        if status != poi.TerminationStatusCode.OPTIMAL:
            raise RuntimeError(f"sample {s} has no course: {status.name}")
        self._ended[kind] = direct.basis(model)
        return direct.solution(model)

    def _set(self, s: int, lots: Any, begun: Any, weight: float) -> None:
        instance, model = self.instance, self.made.model
        there = instance.stock[s] + np.einsum("cab,ca->cb", instance.arrived[s], lots * instance.lot[:, None])
        self._there.set(model, there[self._there.at(1, 2)])
        self._asked.set(model, instance.demand[s][self._asked.at(1, 2)])
        self._open.set(model, self._most(s) * self._share_open(begun))
        if weight != self.weight:
            self.weight = weight
            direct.cost(model, self._undone, weight * self._undone_cost)

    def _most(self, s: int) -> Floats:
        """The most that each row of `only_where_moved` lets through once the move is done."""
        demand = self.instance.demand[s]
        most = np.where(self.instance.job[:, None], demand.sum(1, keepdims=True), demand)
        return np.asarray(most[self._opened_for, self._open.cells[:, 3]], dtype=np.float64)

    def _share_open(self, begun: Any) -> Floats:
        """The share of the move that began early enough for each row of `only_where_moved`."""
        _, moves, waits, months = self._open.cells.T
        since = np.concatenate([np.zeros((len(begun), 1)), np.cumsum(begun, axis=1)], axis=1)
        return np.asarray(since[moves, np.maximum(0, months - waits + 1)], dtype=np.float64)

    def _slope(self, s: int, total: float, prices: Floats, lots: Any, begun: Any) -> Slope:
        """From the prices of rows: how the total changes with what is there and what is open."""
        instance = self.instance
        of_chips, of_moves = np.zeros(instance.price.shape), np.zeros((len(begun), instance.months + 1))
        of_chips[self._there.at(1, 2)] = prices[self._there.rows]
        _, moves, waits, months = self._open.cells.T
        np.add.at(
            of_moves, (moves, np.maximum(0, months - waits + 1)), prices[self._open.rows] * self._most(s)
        )
        by_move = np.cumsum(of_moves[:, :0:-1], axis=1)[:, ::-1]
        by_lot = np.einsum("cab,cb->ca", instance.arrived[s], of_chips) * instance.lot[:, None]
        at = total - float((by_lot * lots).sum() + (by_move * begun).sum())
        return Slope(at, by_lot, by_move)

    def _objective(self) -> None:
        import pyoptinterface as poi

        build = poi.ExprBuilder()
        for (_, c, p, t), k in self.made.on.items():
            build.add_affine_term(k, float(self.instance.run_cost[c, p, t]))
        for cost, u in zip(self._undone_cost, self.made.undone.values(), strict=True):
            build.add_affine_term(u, float(cost))
        self.made.model.set_objective(poi.ScalarAffineFunction(build), poi.ObjectiveSense.Minimize)


GIVEN = ("on_is_there", "demand_is_met", "only_where_moved")


class _Given:
    """Rows of one constraint, whose right-hand sides are variables with equal bounds."""

    def __init__(self, made: Programme, name: str) -> None:
        cells = [cell for which, cell in made.given if which == name]
        width = len(cells[0]) if cells else 4
        self.cells = np.array(cells, dtype=np.int64).reshape(len(cells), width)
        self.rows = np.array([made.rows[name, cell].index for cell in cells], dtype=np.int64)
        self.columns = np.array([made.given[name, cell].index for cell in cells], dtype=np.int64)
        self.values = np.full(len(cells), np.nan)

    def at(self, *axes: int) -> tuple[Integers, ...]:
        return tuple(self.cells[:, axis] for axis in axes)

    def set(self, model: Any, values: Any) -> None:
        """Touches only those that change: the solver starts from where it stands."""
        changed = np.flatnonzero(values != self.values)
        if len(changed):
            self.values = np.array(values, dtype=np.float64)
            direct.bound(model, self.columns[changed], self.values[changed])


def _columns(variables: dict[Any, Any]) -> Integers:
    return np.array([variable.index for variable in variables.values()], dtype=np.int64)
