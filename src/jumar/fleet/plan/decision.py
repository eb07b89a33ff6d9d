"""What is decided before anything is known: orders and moves, and what follows from them in a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.instance import Flags, Instance, Integers


@dataclass(frozen=True)
class Plan:
    """Orders in lots [c,τ]; the month in which each move begins [m], −1: it does not."""

    lots: Integers
    begins: Integers

    @classmethod
    def nothing(cls, instance: Instance) -> Plan:
        """No order, no move."""
        return cls(np.zeros_like(instance.order_most), np.full(len(instance.moves), -1))

    def begun(self, instance: Instance) -> Floats:
        """1 where a move begins [m,τ]."""
        begun = np.zeros((len(instance.moves), instance.months))
        chosen = np.flatnonzero(self.begins >= 0)
        begun[chosen, self.begins[chosen]] = 1.0
        return begun

    def chips(self, instance: Instance) -> Floats:
        """Chips ordered [c,τ]."""
        return np.asarray(self.lots * instance.lot[:, None], dtype=np.float64)


@dataclass(frozen=True)
class Slope:
    """A bound on what follows from any plan: at + Σ lots·by_lot + Σ begun·by_move + bad·by_bad, with begun 0 or 1 by
    [m,τ]; bad is the cost of missing beyond which a case is bad."""

    at: float
    by_lot: Floats
    by_move: Floats
    by_bad: float = 0.0


def without_idle_moves(instance: Instance, plan: Plan) -> Plan:
    """The same without moves to where no chip will ever be."""
    present: Flags = np.asarray(plan.lots.any(axis=1) | instance.stock.any(axis=(0, 2)))
    useful = np.unique(instance.activity_move[present[instance.activity_chip]])
    idle = ~np.isin(np.arange(len(instance.moves)), useful)
    return Plan(plan.lots, np.where(idle, -1, plan.begins))


def there(instance: Instance, plan: Plan, s: int) -> Floats:
    """Chips that work [c,t] in a sample."""
    came = np.einsum("cab,ca->cb", instance.arrived[s], plan.chips(instance))
    return np.asarray(instance.stock[s] + came, dtype=np.float64)


def broken(instance: Instance, plan: Plan, slack: float = 1e-6) -> list[str]:
    """Names of the constraints on decisions that the plan does not keep to."""
    spent = instance.price * plan.chips(instance)
    names = []
    if (plan.lots > instance.order_most).any() or (plan.lots < 0).any():
        names.append("order_most")
    if (spent.sum(0) > instance.budget * (1 + slack)).any():
        names.append("orders_within_budget")
    largest = max((spent[instance.supplier == u].sum() for u in range(len(instance.suppliers))), default=0.0)
    if largest > instance.share_most * spent.sum() * (1 + slack) + slack:
        names.append("not_too_much_from_one")
    if (engineers_busy(instance, plan) > instance.engineers * (1 + slack)).any():
        names.append("enough_engineers")
    return names


def engineers_busy(instance: Instance, plan: Plan) -> Floats:
    """What the moves need [t]."""
    busy = np.zeros(instance.months)
    for m in np.flatnonzero(plan.begins >= 0):
        busy[plan.begins[m] : plan.begins[m] + instance.move_months[m]] += instance.move_effort[m]
    return busy
