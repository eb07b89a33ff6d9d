"""What a plan has to keep to: each constraint a function, in words and as a formula.

Orders n, setups y and beginnings of moves z are decided before anything is known. All else may
differ in each sample s: chips switched on k, chips at work x, work undone u.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.programme import Programme

Constraint = Callable[[Programme], None]
Terms = list[tuple[float, Any]]


def orders_within_budget(made: Programme) -> None:
    """What is ordered in a month, at list prices, stays within the month's budget.

    Σ_c price[c,τ] · lot[c] · n[c,τ] ≤ budget[τ]   for all τ
    """
    instance = made.instance
    for month in map(int, np.flatnonzero(np.isfinite(instance.budget))):
        terms = [(_spent(instance, c, month), n) for (c, at), n in made.order.items() if at == month]
        if terms:
            made.row("orders_within_budget", (month,), terms, "<=", float(instance.budget[month]))


def only_what_is_set_up(made: Programme) -> None:
    """A chip is ordered only if what it takes to have it at all was paid, as for one of one's own design.

    n[c,τ] ≤ order_most[c,τ] · y[c]   for all c with a setup, τ
    """
    for (c, month), n in made.order.items():
        if (c,) in made.setup:
            most = float(made.instance.order_most[c, month])
            made.row("only_what_is_set_up", (c, month), [(1.0, n), (-most, made.setup[(c,)])], "<=", 0.0)


def not_too_much_from_one(made: Programme) -> None:
    """No supplier gets more than a given share of all that is spent on chips.

    Σ_{c of u, τ} price[c,τ] · lot[c] · n[c,τ] ≤ share_most · Σ_{c,τ} price[c,τ] · lot[c] · n[c,τ]   for all u
    """
    instance = made.instance
    for u in range(len(instance.suppliers)) if instance.share_most < 1 else ():
        terms = []
        for (c, month), n in made.order.items():
            share = float(instance.supplier[c] == u) - instance.share_most
            terms.append((share * _spent(instance, c, month), n))
        if terms:
            made.row("not_too_much_from_one", (u,), terms, "<=", 0.0)


def moved_once(made: Programme) -> None:
    """A workload is brought to a platform at most once.

    Σ_τ z[m,τ] ≤ 1   for all m
    """
    for m in range(len(made.instance.moves)):
        terms = [(1.0, z) for (which, _), z in made.begin.items() if which == m]
        if terms:
            made.row("moved_once", (m,), terms, "<=", 1.0)


def enough_engineers(made: Programme) -> None:
    """The moves that are under way need no more engineers than there are.

    Σ_m effort[m] · Σ_{t−months[m] < τ ≤ t} z[m,τ] ≤ engineers[t]   for all t
    """
    instance = made.instance
    for month in map(int, np.flatnonzero(np.isfinite(instance.engineers))):
        terms = [
            (float(instance.move_effort[m]), z)
            for (m, begun), z in made.begin.items()
            if month - instance.move_months[m] < begun <= month
        ]
        if terms:
            made.row("enough_engineers", (month,), terms, "<=", float(instance.engineers[month]))


def on_is_there(made: Programme) -> None:
    """Only chips that have come and work can be switched on.

    Σ_p k[s,c,p,t] ≤ stock[s,c,t] + Σ_τ arrived[s,c,τ,t] · lot[c] · n[c,τ]   for all s, c, t
    """
    instance = made.instance
    switched = _by(made.on, lambda s, c, p, t: (s, c, t))
    ordered = _by(made.order, lambda c, t: (c,))
    for (s, c, month), chips in switched.items():
        terms: Terms = [(1.0, k) for _, k in chips]
        for (_, begun), n in ordered.get((c,), []):
            if begun <= month:
                terms.append((-float(instance.arrived[s, c, begun, month] * instance.lot[c]), n))
        made.row("on_is_there", (s, c, month), terms, "<=", float(instance.stock[s, c, month]))


def work_is_on(made: Programme) -> None:
    """Chips at work are switched on; where it is hot a chip counts for as much as its speed.

    Σ_{a on c} x[s,a,t] ≤ Σ_p speed[c,p,t] · k[s,c,p,t]   for all s, c, t
    """
    switched = _by(made.on, lambda s, c, p, t: (s, c, t))
    on = made.instance.activity_chip
    for (s, c, month), cells in _by(made.work, lambda s, a, t: (s, int(on[a]), t)).items():
        terms: Terms = [(1.0, x) for _, x in cells]
        for (_, _, p, _), k in switched.get((s, c, month), []):
            terms.append((-float(made.instance.speed[c, p, month]), k))
        made.row("work_is_on", (s, c, month), terms, "<=", 0.0)


def enough_power(made: Programme) -> None:
    """Chips that are switched on draw no more power than the place has.

    Σ_c power[c,p] · k[s,c,p,t] ≤ power_most[p,t]   for all s, p, t
    """
    instance = made.instance
    _within(made, "enough_power", instance.power, instance.power_most, np.ones(len(instance.chips), bool))


def enough_racks(made: Programme) -> None:
    """Chips that are switched on fit into the racks of the place.

    Σ_c racks[c,p] · k[s,c,p,t] ≤ racks_most[p,t]   for all s, p, t
    """
    instance = made.instance
    _within(made, "enough_racks", instance.racks, instance.racks_most, np.ones(len(instance.chips), bool))


def enough_liquid_cooling(made: Programme) -> None:
    """Chips that need liquid cooling fit into the racks that have it.

    Σ_{c liquid} racks[c,p] · k[s,c,p,t] ≤ liquid_most[p,t]   for all s, p, t
    """
    instance = made.instance
    _within(made, "enough_liquid_cooling", instance.racks, instance.liquid_most, instance.liquid)


def demand_is_met(made: Programme) -> None:
    """Work that is asked for is done or counts as missed; what is unfinished of a job is left for the next month.

    Σ_{a of w} rate[a] · x[s,a,t] + u[s,w,t] − (u[s,w,t−1] if w is a job) ≥ demand[s,w,t]   for all s, w, t
    """
    instance = made.instance
    for (s, w, month), u in made.undone.items():
        terms: Terms = [(1.0, u)]
        if instance.job[w] and (s, w, month - 1) in made.undone:
            terms.append((-1.0, made.undone[s, w, month - 1]))
        for a in made.activities_of[w]:
            if (s, a, month) in made.work:
                terms.append((float(instance.activity_rate[a]), made.work[s, a, month]))
        made.row("demand_is_met", (s, w, month), terms, ">=", float(instance.demand[s, w, month]))


def only_where_moved(made: Programme) -> None:
    """A workload runs on a platform only once it was moved there, and fast only after it has settled.

    Σ_{a of m, wait[a] ≥ v} rate[a] · x[s,a,t] ≤ most[s,w,t] · Σ_{τ ≤ t−v} z[m,τ]   for all s, m, v, t

    most is the month's demand, of a job all of it: no plan does more, and a small number keeps the relaxation tight.
    """
    instance = made.instance
    for m, wait, w, later in made.stages():
        for s in range(instance.samples):
            for month in range(instance.months):
                terms = [
                    (float(instance.activity_rate[a]), made.work[s, a, month])
                    for a in later
                    if (s, a, month) in made.work
                ]
                if terms:
                    most = float(most_work(instance, s, w, month))
                    terms += [
                        (-most, made.begin[m, b]) for b in range(month - wait + 1) if (m, b) in made.begin
                    ]
                    made.row("only_where_moved", (s, m, wait, month), terms, "<=", 0.0)


def jobs_where_moved(made: Programme) -> None:
    """Of a job no more is done on a platform than was moved there. Whole moves imply it; halves it keeps in check.

    Σ_t Σ_{a of m, wait[a] ≥ v} rate[a] · x[s,a,t] ≤ most[s,w] · Σ_τ z[m,τ]   for all s, m, v with w a job
    """
    instance = made.instance
    for m, wait, w, later in made.stages():
        for s in range(instance.samples) if instance.job[w] else ():
            terms = [
                (float(instance.activity_rate[a]), made.work[s, a, month])
                for a in later
                for month in range(instance.months)
                if (s, a, month) in made.work
            ]
            if terms:
                most = float(instance.demand[s, w].sum())
                terms += [(-most, z) for (which, _), z in made.begin.items() if which == m]
                made.row("jobs_where_moved", (s, m, wait), terms, "<=", 0.0)


def missed_is_counted(made: Programme) -> None:
    """What is missed in a sample costs so much.

    M[s] = Σ_{w,t} missed_cost[w,t] · u[s,w,t]   for all s
    """
    costs = made.instance.missed_cost
    undone = _by(made.undone, lambda s, w, t: s)
    for (s,), missed in made.missed.items():
        terms: Terms = [(-1.0, missed)]
        terms += [(float(costs[w, t]), u) for (_, w, t), u in undone.get(s, [])]
        made.row("missed_is_counted", (s,), terms, "=", 0.0)


def bad_cases(made: Programme) -> None:
    """By how much the cost of missing exceeds what is called bad; at the optimum bad is the level's quantile.

    e[s] ≥ M[s] − bad   for all s
    """
    for (s,), missed in made.missed.items():
        terms: Terms = [(1.0, made.excess[(s,)]), (-1.0, missed), (1.0, made.bad)]
        made.row("bad_cases", (s,), terms, ">=", 0.0)


def most_work(instance: Instance, s: int, w: int, month: int) -> float:
    """The most that can sensibly be done of a workload in a month."""
    demand = instance.demand[s, w]
    return float(demand.sum() if instance.job[w] else demand[month])


OF_DECISIONS: tuple[Constraint, ...] = (
    orders_within_budget,
    only_what_is_set_up,
    not_too_much_from_one,
    moved_once,
    enough_engineers,
    jobs_where_moved,
    missed_is_counted,
    bad_cases,
)
OF_SAMPLES: tuple[Constraint, ...] = (
    on_is_there,
    work_is_on,
    enough_power,
    enough_racks,
    enough_liquid_cooling,
    demand_is_met,
    only_where_moved,
)


def _spent(instance: Instance, c: int, month: int) -> float:
    return float(instance.price[c, month] * instance.lot[c])


def _by(cells: dict[Any, Any], key: Callable[..., Any]) -> dict[Any, list[tuple[Any, Any]]]:
    groups: dict[Any, list[tuple[Any, Any]]] = {}
    for cell, variable in cells.items():
        groups.setdefault(key(*cell), []).append((cell, variable))
    return groups


def _within(made: Programme, name: str, each: Any, most: Any, counted: Any) -> None:
    for (s, p, month), chips in _by(made.on, lambda s, c, p, t: (s, p, t)).items():
        if np.isfinite(most[p, month]):
            terms = [(float(each[c, p]), k) for (_, c, _, _), k in chips if counted[c] and each[c, p]]
            if terms:
                made.row(name, (s, p, month), terms, "<=", float(most[p, month]))
