"""Builds the programme of an instance and solves it: all samples together, orders and moves being variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.fleet.plan import constraints
from jumar.fleet.plan.decision import Plan, Slope
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.programme import Programme, programme

SECONDS = 600.0
Costs = list[tuple[float, Any]]


class Impossible(ValueError):
    """No plan keeps to all constraints; `clash.explain` says which ones are at odds."""


@dataclass(frozen=True)
class Limits:
    """When the solver may stop."""

    gap: float = 1e-4
    seconds: float = SECONDS


@dataclass(frozen=True)
class Solution:
    """A plan, its value in the programme, and a value that no plan beats. `lots` and `begun` are as the solver has
    them: fractions where whole numbers were not asked for."""

    plan: Plan
    value: float
    bound: float
    lots: Any
    begun: Any
    setups: Any
    bad: float

    @property
    def point(self) -> tuple[Any, Any, Any, float]:
        return self.lots, self.begun, self.setups, self.bad


def build(instance: Instance, *, whole: bool = True, named: bool = False, parts: int = 0) -> Programme:
    """The programme with all its constraints and its objective. With `parts`, what follows from decisions is a variable
    for each part of other samples, for which `steepen` adds bounds known from elsewhere."""
    made = programme(instance, whole=whole, named=named)
    for constraint in (*constraints.OF_DECISIONS, *constraints.OF_SAMPLES):
        constraint(made)
    _minimise(made, *_costs(made), parts)
    return made


def solve(made: Programme, limits: Limits = Limits()) -> Solution:
    """Impossible if nothing satisfies the constraints."""
    import pyoptinterface as poi

    model = made.model
    model.set_raw_parameter("mip_rel_gap", limits.gap)
    model.set_raw_parameter("time_limit", model.getruntime() + limits.seconds)  # HiGHS counts all of its runs
    model.set_raw_parameter("threads", 1)  # more do not help, and HiGHS refuses a change later in the process
    model.optimize()
    status = model.get_model_attribute(poi.ModelAttribute.TerminationStatus)
    codes = poi.TerminationStatusCode
    if status in (codes.INFEASIBLE, codes.INFEASIBLE_OR_UNBOUNDED):
        raise Impossible("no plan keeps to all limits")
    if status not in (codes.OPTIMAL, codes.TIME_LIMIT):
        raise RuntimeError(f"the solver gave up: {status.name}")
    return _solution(made)


def _costs(made: Programme) -> tuple[Costs, Costs]:
    """What decisions cost, and what follows from them: expected cost, with bad cases of missing counted more.

    Σ_c,τ E[order_cost] · lot · n + Σ_c setup_cost · y + Σ_m,τ move_cost · z
    + E[Σ run_cost · k] + (1 − risk) · E[M] + risk · (bad + E[e] / (1 − level))

    The last bracket is the mean of M over the cases beyond the level: its conditional value at risk.
    """
    instance = made.instance
    expected = np.tensordot(instance.weight, instance.order_cost, 1)
    decided = [(float(expected[c, t] * instance.lot[c]), n) for (c, t), n in made.order.items()]
    decided += [(float(instance.setup_cost[c]), y) for (c,), y in made.setup.items()]
    decided += [(float(instance.move_cost[m]), z) for (m, _), z in made.begin.items()]
    weight, risk = instance.weight, instance.risk
    follows = [(float(weight[s] * instance.run_cost[c, p, t]), k) for (s, c, p, t), k in made.on.items()]
    if risk > 0:
        follows += [(float(weight[s] * (1 - risk)), missed) for (s,), missed in made.missed.items()]
        follows += [(float(weight[s] * risk / (1 - instance.level)), e) for (s,), e in made.excess.items()]
        follows.append((risk, made.bad))
    else:
        costs = instance.missed_cost
        follows += [(float(weight[s] * costs[w, t]), u) for (s, w, t), u in made.undone.items()]
    return decided, follows


def steepen(made: Programme, slopes: Sequence[Slope]) -> None:
    """What follows in each part is at least what its slope says.

    follows[g] ≥ at + Σ_c,τ by_lot[c,τ] · n[c,τ] + Σ_m,τ by_move[m,τ] · z[m,τ] + by_bad · bad
    """
    for follows, slope in zip(made.follows, slopes, strict=True):
        terms = [(1.0, follows)]
        terms += [(-float(slope.by_lot[cell]), n) for cell, n in made.order.items()]
        terms += [(-float(slope.by_move[cell]), z) for cell, z in made.begin.items()]
        if made.bad is not None:
            terms.append((-slope.by_bad, made.bad))
        made.row("slope", (len(made.rows),), terms, ">=", slope.at)


def _minimise(made: Programme, decided: Costs, follows: Costs, parts: int) -> None:
    """Decisions and what follows from them. With parts: risk · bad and what follows in each, never less than in the
    mean of all samples, which the programme has itself; whatever counts as bad, the mean costs no more than they do.
    """
    import pyoptinterface as poi

    if parts:
        made.follows = [made.variable("follows", (part,)) for part in range(parts)]
        of_parts = [(1.0, one) for one in made.follows]
        if made.bad is not None:
            of_parts.append((made.instance.risk, made.bad))
        made.row("follows", (), of_parts + [(-cost, one) for cost, one in follows], ">=", 0.0)
        follows = of_parts
    build = poi.ExprBuilder()
    for coefficient, variable in [*decided, *follows]:
        build.add_affine_term(variable, coefficient)
    made.model.set_objective(poi.ScalarAffineFunction(build), poi.ObjectiveSense.Minimize)


def _solution(made: Programme) -> Solution:
    model, instance = made.model, made.instance
    lots = np.zeros(instance.order_most.shape)
    for cell, n in made.order.items():
        lots[cell] = model.get_value(n)
    begun = np.zeros((len(instance.moves), instance.months))
    for cell, z in made.begin.items():
        begun[cell] = model.get_value(z)
    setups = np.zeros(len(instance.chips))
    for cell, y in made.setup.items():
        setups[cell] = model.get_value(y)
    value = float(model.get_obj_value())
    bound = float(model.get_raw_info_double("mip_dual_bound")) if made.whole else value
    bad = 0.0 if made.bad is None else float(model.get_value(made.bad))
    # The solver's numbers may lie beside their bounds by a hair.
    lots, begun, setups = (np.maximum(numbers, 0.0) for numbers in (lots, begun, setups))
    return Solution(rounded(lots, begun), value, bound, lots, begun, setups, bad)


def rounded(lots: Any, begun: Any) -> Plan:
    """The nearest whole numbers; of a move the month with most of it, if half of it begins at all."""
    begins = np.where(begun.sum(1) > 0.5, begun.argmax(1), -1) if begun.size else np.zeros(0, np.int64)
    return Plan(np.rint(lots).astype(np.int64), begins.astype(np.int64))
