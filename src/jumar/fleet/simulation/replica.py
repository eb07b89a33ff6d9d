"""One replica as a task of the engine: draws a cluster from its file, simulates it, and gives one row of results."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from jumar.fleet.engine.tasks import Task
from jumar.fleet.simulation.arrivals import hours_between_stops, timed
from jumar.fleet.simulation.cluster import Cluster
from jumar.fleet.simulation.cluster_file import ClusterFile
from jumar.fleet.simulation.drawing import HOURS_A_DAY
from jumar.fleet.simulation.jobs import SLOWED, USEFUL, USES, State
from jumar.fleet.simulation.simulating import OVERHEATED, Simulation

# What a sweep may change: the interval of checkpoints by a factor, hosts kept as spares, days simulated.
INTERVAL, SPARES, DAYS = "interval_factor", "spares", "days"


def replica(file: ClusterFile, task: Task) -> dict[str, Any]:
    """What `engine.run` calls."""
    cluster = changed(file.drawn(task.seed), task.parameters)
    return row(Simulation(cluster, task.seed).run())


def changed(cluster: Cluster, parameters: Any) -> Cluster:
    """A variant of a sweep."""
    if DAYS in parameters:
        cluster = replace(cluster, days=min(cluster.days, parameters[DAYS]))
    if SPARES in parameters:
        cluster = with_spares(cluster, int(parameters[SPARES]))
    if INTERVAL in parameters:
        cluster = with_interval(cluster, float(parameters[INTERVAL]))
    return cluster


def with_interval(cluster: Cluster, factor: float) -> Cluster:
    """Checkpoints so many times as far apart."""
    work = []
    for one in cluster.work:
        rule = timed(cluster, one)
        every_h = max(rule.every_h * factor, rule.writes_h * 1.01)
        work.append(replace(one, checkpoints=replace(rule, every_h=every_h)))
    return replace(cluster, work=tuple(work))


def one_job(cluster: Cluster) -> bool:
    """Whether there is but one, so that all hosts which are no spares can be its own."""
    return len(cluster.work) == 1 and cluster.work[0].count == 1


def with_spares(cluster: Cluster, spares: int) -> Cluster:
    """So many hosts are kept as spares. A single job takes all others, with the same work in all."""
    cluster = replace(cluster, spares=spares)
    if not one_job(cluster):
        return cluster
    work = cluster.work[0]
    chips = (cluster.layout.hosts - spares) * cluster.layout.chips_per_host
    least = min(work.least_chips or work.chips, chips) if work.least_chips < work.chips else chips
    resized = replace(work, chips=chips, least_chips=least, hours=work.hours * work.chips / chips)
    return replace(cluster, work=(resized,))


def row(simulation: Simulation) -> dict[str, Any]:
    """Results of a replica as plain values; chip-hours are shares of those of the jobs, or of all."""
    cluster, ledger, jobs = simulation.cluster, simulation.ledger, simulation.jobs
    uses = np.sum([job.uses for job in jobs], axis=0)
    chips = cluster.layout.chips_per_host
    of_jobs, idle, down = float(uses.sum()), ledger.idle_host_h * chips, ledger.down_host_h * chips
    delivered = of_jobs + idle + down
    stops = sum((job.interruptions for job in jobs), start=type(ledger.failures)())
    names = [*(failure.name for failure in cluster.failures), *([OVERHEATED] if cluster.heat else [])]
    done = [job for job in jobs if job.state is State.DONE]
    begun = [job for job in jobs if not math.isnan(job.started_h)]
    return {
        "goodput": _share(uses[USEFUL], of_jobs),
        "ettr": _share(uses[USEFUL] + uses[SLOWED], of_jobs),
        "useful_of_all": _share(uses[USEFUL], delivered),
        "idle": _share(idle, delivered),
        "down": _share(down, delivered),
        **{f"use.{name}": _share(value, of_jobs) for name, value in zip(USES, uses, strict=True)},
        "days": simulation.now_h / HOURS_A_DAY,
        "jobs": len(jobs),
        "done": len(done),
        "days_to_end": _days_to_end(simulation),
        "wait_h": float(np.mean([job.started_h - job.arrives_h for job in begun])) if begun else math.nan,
        **_of_kinds(simulation),
        "interruptions": int(stops.total()),
        "hours_between_stops": _running_hours(simulation) / max(stops.total(), 1),
        "expected_between_stops": hours_between_stops(cluster, max(work.chips for work in cluster.work)),
        "checkpoint_h": jobs[0].work.checkpoints.every_h,
        "unseen_errors": sum(job.unseen_errors for job in done),
        **{f"stops.{name}": stops[name] for name in names},
        **{f"failures.{name}": ledger.failures[name] for name in names},
        "events": ledger.events,
        "daily_useful": _daily(simulation),
        "daily_failures": _daily_failures(simulation),
    }


def _of_kinds(simulation: Simulation) -> dict[str, float]:
    """Of each kind of job: hours in the queue, and from begin to end against those undisturbed."""
    told = {}
    for work in simulation.cluster.work:
        jobs = [job for job in simulation.jobs if job.work.name == work.name]
        waits = [job.started_h - job.arrives_h for job in jobs if not math.isnan(job.started_h)]
        longer = [(job.finished_h - job.started_h) / job.hours for job in jobs if job.state is State.DONE]
        told[f"wait_h.{work.name}"] = float(np.mean(waits)) if waits else math.nan
        told[f"longer.{work.name}"] = float(np.mean(longer)) if longer else math.nan
    return told


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else math.nan


def _running_hours(simulation: Simulation) -> float:
    ends = (simulation.now_h if math.isnan(job.finished_h) else job.finished_h for job in simulation.jobs)
    spans = [end - job.started_h for job, end in zip(simulation.jobs, ends, strict=True)]
    return float(np.nansum(spans))


def _days_to_end(simulation: Simulation) -> float:
    """Days until the last job ends; where one has not, at the pace it had so far."""
    ends = []
    for job in simulation.jobs:
        if job.state is State.DONE:
            ends.append(job.finished_h)
        elif job.progress.work > 0:
            pace = job.progress.work / (simulation.now_h - job.started_h)
            ends.append(job.started_h + job.hours / pace)
        else:
            return math.inf
    return max(ends) / HOURS_A_DAY


def _daily(simulation: Simulation) -> list[float]:
    """Of each day, the share of all chip-hours that was useful."""
    daily = simulation.ledger.daily
    useful = np.diff([0.0, *(day["uses"][USEFUL] for day in daily)])
    hours = np.diff([0.0, *(sum(day["uses"]) + day["idle"] + day["down"] for day in daily)])
    # Below 0 a day would be that loses more work of earlier days than it does.
    return [max(float(a / b), 0.0) if b > 0 else 0.0 for a, b in zip(useful, hours, strict=True)]


def _daily_failures(simulation: Simulation) -> list[int]:
    counts = [0, *(sum(day["failures"].values()) for day in simulation.ledger.daily)]
    return [int(count) for count in np.diff(counts)]
