"""Which interval of checkpoints and how many spares serve a cluster best: variants to simulate, and what they tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jumar.fleet.simulation.arrivals import hours_between_stops, timed
from jumar.fleet.simulation.closed_forms import binomial_spares, daly, meta_ettr, young
from jumar.fleet.simulation.cluster import Cluster, Work
from jumar.fleet.simulation.replica import DAYS, INTERVAL, SPARES, one_job

FACTORS = (0.25, 0.5, 0.71, 1.0, 1.41, 2.0, 4.0)
SHARES_OF_DOWN = (0.0, 0.5, 1.0, 1.5, 2.0, 4.0)  # spares tried, against the hosts that are down on average
LONGEST_DAYS = 21.0
Row = Mapping[str, Any]


def variants(cluster: Cluster) -> list[dict[str, float]]:
    """What is simulated to find out, over some weeks: the same failures befall every variant."""
    days = min(cluster.days, LONGEST_DAYS)
    intervals = [{INTERVAL: factor, DAYS: days} for factor in FACTORS]
    return [*intervals, *({SPARES: float(spares), DAYS: days} for spares in spares_to_try(cluster))]


def spares_to_try(cluster: Cluster) -> list[int]:
    expected = cluster.layout.hosts * down_share(cluster)
    most = cluster.layout.hosts // 2
    return sorted(
        {given_spares(cluster), *(min(math.ceil(share * expected), most) for share in SHARES_OF_DOWN)}
    )


def given_spares(cluster: Cluster) -> int:
    """Hosts that can replace others now: those kept, or those that a single job leaves."""
    if not one_job(cluster):
        return cluster.spares
    return cluster.layout.hosts - -(-cluster.work[0].chips // cluster.layout.chips_per_host)


def down_share(cluster: Cluster) -> float:
    """Share of hosts in repair in the long run, each failing and being repaired by itself."""
    rate = 0.0
    for failure in cluster.failures:
        if failure.effect != "heat":
            repairs_h = failure.repair.mean_h * (1 - failure.recovers)
            per_host = 1 / min(cluster.layout.hosts_per(failure.unit), 1.0)
            rate += per_host / failure.hours_between * repairs_h
    return rate / (1 + rate)


def checkpoints(cluster: Cluster, rows: Sequence[Row]) -> dict[str, Any]:
    """The best interval as simulated, beside the formulas; for the largest job."""
    work = max(cluster.work, key=lambda one: one.chips)
    rule = timed(cluster, work)
    points = [
        {"hours": rule.every_h * factor, **_of(rows, INTERVAL, factor, 1.0, "goodput")}
        for factor in FACTORS
        if any(row.get(INTERVAL) == factor for row in rows)
    ]
    cost_h = rule.blocks_h + rule.drag * rule.writes_h
    between_h = hours_between_stops(cluster, work.chips)
    found = {"job": work.name, "given_h": rule.every_h, "points": points, "between_h": between_h}
    if cost_h > 0 and math.isfinite(between_h):
        found |= {"young_h": young(cost_h, between_h), "daly_h": daly(cost_h, between_h)}
        found["meta_ettr"] = _meta(cluster, work, rule.every_h, cost_h)
    return {**found, **_peak(points)}


def _meta(cluster: Cluster, work: Work, every_h: float, cost_h: float) -> float:
    nodes = work.chips / cluster.layout.chips_per_host
    per_node_day = 24 / hours_between_stops(cluster, work.chips) / nodes
    return meta_ettr(nodes, per_node_day, work.restart_h / 24, every_h / 24, cost_h / 24)


def _peak(points: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Top of the parabola (over the logarithm of the interval) through the best point and its neighbours, and the
    intervals that are within a quarter of a point of goodput of it."""
    if not points:
        return {"best_h": None, "good_from_h": None, "good_to_h": None}
    best = max(range(len(points)), key=lambda number: points[number]["mean"])
    top_h = points[best]["hours"]
    if 0 < best < len(points) - 1:
        near = points[best - 1 : best + 2]
        bend, slope, _ = np.polyfit(
            [math.log(one["hours"]) for one in near], [one["mean"] for one in near], 2
        )
        top_h = math.exp(-slope / (2 * bend)) if bend < 0 else top_h
    good = [one["hours"] for one in points if one["mean"] >= points[best]["mean"] - 0.0025]
    return {"best_h": top_h, "good_from_h": min(*good, top_h), "good_to_h": max(*good, top_h)}


def spares(cluster: Cluster, rows: Sequence[Row]) -> dict[str, Any]:
    """The best number of spare hosts: useful chip-hours of all that there are."""
    given = given_spares(cluster)
    points = [
        {"hosts": number, **_of(rows, SPARES, float(number), float(given), "useful_of_all")}
        for number in spares_to_try(cluster)
        if any(row.get(SPARES) == number for row in rows)
    ]
    down = down_share(cluster)
    best = max(points, key=lambda one: one["mean"]) if points else None
    now = next((one["mean"] for one in points if one["hosts"] == given), math.nan)
    return {
        "given": given,
        "points": points,
        "best": best["hosts"] if best else None,
        "gain": best["mean"] - now if best else math.nan,
        "down_on_average": cluster.layout.hosts * down,
        "binomial_99": binomial_spares(cluster.layout.hosts, down),
        "one_job": one_job(cluster),
    }


def _of(rows: Sequence[Row], parameter: str, value: float, reference: float, what: str) -> dict[str, float]:
    """Mean over replicas, and the standard error of its difference to the reference: the same luck befalls both."""
    found = {row["replica"]: row[what] for row in rows if row.get(parameter) == value}
    there = {row["replica"]: row[what] for row in rows if row.get(parameter) == reference}
    pairs = [
        (found[one], there[one]) for one in found if one in there and not math.isnan(found[one] + there[one])
    ]
    if len(pairs) < 2:
        return {"mean": float(np.mean([one for one, _ in pairs])) if pairs else math.nan, "error": math.nan}
    differences = [one - other for one, other in pairs]
    error = float(np.std(differences, ddof=1) / math.sqrt(len(pairs)))
    return {"mean": float(np.mean([one for one, _ in pairs])), "error": error}
