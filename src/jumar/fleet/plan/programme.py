"""The programme as the solver holds it: its variables, and the rows that constraints leave behind.

Either orders and moves are variables, with all samples together; or they are given, with one sample, and their effect
stands on the right-hand sides of rows, so that the next sample needs new right-hand sides only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from jumar.fleet.plan.instance import Flags, Instance, Integers

Cell = tuple[int, ...]
CHANGING = (
    "on_is_there",
    "demand_is_met",
    "only_where_moved",
)  # rows whose right-hand sides plans and samples set


@dataclass
class Programme:
    """Variables by place in the instance's axes. A variable that could only be 0 is not made."""

    instance: Instance
    decides: bool  # whether orders and moves are variables
    whole: bool  # whether those are whole numbers
    named: bool  # whether variables and rows have names, for people to read
    model: Any
    order: dict[Cell, Any] = field(default_factory=dict)  # c,τ: lots
    setup: dict[Cell, Any] = field(default_factory=dict)  # c: 1 if any is ordered, where that costs something
    begin: dict[Cell, Any] = field(default_factory=dict)  # m,τ: 1 if the move begins then
    on: dict[Cell, Any] = field(default_factory=dict)  # s,c,p,t: chips switched on
    work: dict[Cell, Any] = field(default_factory=dict)  # s,a,t: chips at that activity
    undone: dict[Cell, Any] = field(default_factory=dict)  # s,w,t: work missed, of jobs: unfinished
    missed: dict[Cell, Any] = field(default_factory=dict)  # s: what that costs
    excess: dict[Cell, Any] = field(default_factory=dict)  # s: by how much it exceeds what is bad
    bad: Any = None  # the cost of missing beyond which a case is bad
    follows: list[Any] = field(
        default_factory=list
    )  # cost of what follows in a part of the samples, see `steepen`
    given: dict[tuple[str, Cell], Any] = field(default_factory=dict)  # right-hand sides that change
    rows: dict[tuple[str, Cell], Any] = field(default_factory=dict)

    def row(self, name: str, cell: Cell, terms: list[tuple[float, Any]], sense: str, right: float) -> None:
        """Adds Σ coefficient·variable `sense` right. One without terms is left out: constraints see to that.

        A right-hand side that changes is a variable with equal bounds: to change it in the row itself would make an
        equation of an inequality (PyOptInterface 0.6.1, its issue 104).
        """
        import pyoptinterface as poi

        build = poi.ExprBuilder()
        for coefficient, variable in terms:
            if coefficient:
                build.add_affine_term(variable, coefficient)
        if not self.decides and name in CHANGING:
            self.given[name, cell] = self.variable("given", (), right)
            build.add_affine_term(self.given[name, cell], -1.0)
            right = 0.0
        senses = {"<=": poi.Leq, ">=": poi.Geq, "=": poi.Eq}
        label = f"{name}({','.join(map(str, cell))})" if self.named else ""
        self.rows[name, cell] = self.model.add_linear_constraint(
            poi.ScalarAffineFunction(build), senses[sense], right, name=label
        )

    def variable(self, name: str, cell: Cell, most: float = np.inf, whole: bool = False) -> Any:
        import pyoptinterface as poi

        kind = poi.VariableDomain.Integer if whole else poi.VariableDomain.Continuous
        label = f"{name}({','.join(map(str, cell))})" if self.named else ""
        return self.model.add_variable(lb=0.0, ub=most, domain=kind, name=label)

    @cached_property
    def activities_of(self) -> dict[int, Integers]:
        """Workload → its activities."""
        of = self.instance.activity_workload
        return {w: np.flatnonzero(of == w) for w in range(len(self.instance.workloads))}

    @cached_property
    def activities_on(self) -> dict[int, Integers]:
        """Kind of chip → its activities."""
        on = self.instance.activity_chip
        return {c: np.flatnonzero(on == c) for c in range(len(self.instance.chips))}

    def stages(self) -> Iterator[tuple[int, int, int, Integers]]:
        """Move, months from its beginning, workload, and the activities that need at least so many months."""
        instance = self.instance
        for m in range(len(instance.moves)):
            mine = np.flatnonzero(instance.activity_move == m)
            for wait in np.unique(instance.activity_wait[mine]):
                later = mine[instance.activity_wait[mine] >= wait]
                yield m, int(wait), int(instance.activity_workload[later[0]]), later


def programme(
    instance: Instance, *, decides: bool = True, whole: bool = True, named: bool = False
) -> Programme:
    """A programme with its variables and nothing else."""
    from pyoptinterface import highs

    made = Programme(instance, decides, whole, named, highs.Model())
    made.model.set_raw_parameter("output_flag", False)
    if decides:
        _first_stage(made)
    for s in range(instance.samples):
        _second_stage(made, s)
    return made


def _first_stage(made: Programme) -> None:
    instance = made.instance
    for c, month in zip(*np.nonzero(instance.order_most), strict=True):
        most = float(instance.order_most[c, month])
        made.order[int(c), int(month)] = made.variable("order", (c, month), most, made.whole)
    for c in {c for c, _ in made.order}:
        if instance.setup_cost[c] > 0:
            made.setup[(c,)] = made.variable("setup", (c,), 1.0, made.whole)
    for m in range(len(instance.moves)):
        for month in range(instance.months - int(instance.move_months[m])):
            made.begin[m, month] = made.variable("begin", (m, month), 1.0, made.whole)
    if instance.risk > 0:
        made.bad = made.variable("bad", ())


def _second_stage(made: Programme, s: int) -> None:
    instance = made.instance
    possible: Flags = np.asarray(instance.stock.any(axis=(0, 2)) | instance.order_most.any(axis=1))
    for c, p, month in zip(*np.nonzero(instance.speed), strict=True):
        if possible[c]:
            made.on[s, int(c), int(p), int(month)] = made.variable("on", (s, c, p, month))
    for a, (c, w) in enumerate(zip(instance.activity_chip, instance.activity_workload, strict=True)):
        for month in range(int(instance.first[w]), instance.months):
            if possible[c] and month >= instance.activity_wait[a]:
                made.work[s, a, month] = made.variable("work", (s, a, month))
    for w in range(len(instance.workloads)):
        for month in range(int(instance.first[w]), instance.months):
            due = month >= instance.deadline[w] or not instance.job[w]
            most = 0.0 if instance.must[w] and due else np.inf
            made.undone[s, w, month] = made.variable("undone", (s, w, month), most)
    if made.decides and instance.risk > 0:
        made.missed[(s,)] = made.variable("missed", (s,))
        made.excess[(s,)] = made.variable("excess", (s,))
