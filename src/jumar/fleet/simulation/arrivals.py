"""The jobs of a replica: when each arrives and how long it would take undisturbed, with its checkpoint interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jumar.fleet.simulation.closed_forms import daly
from jumar.fleet.simulation.cluster import Checkpoints, Cluster, Duration, Work
from jumar.fleet.simulation.drawing import durations, stream
from jumar.fleet.simulation.jobs import Job

STOPS = ("stop", "silent")


def draw_jobs(cluster: Cluster, seed: int) -> list[Job]:
    """Sorted by arrival."""
    drawn: list[tuple[float, Work, float]] = []
    for work in cluster.work:
        rng = stream(seed, f"work {work.name}")
        gaps = rng.exponential(work.every_h, work.count) if work.every_h > 0 else np.zeros(work.count)
        arrives = work.arrives_h + np.cumsum(gaps)
        hours = durations(rng, Duration(work.hours, work.law, work.spread), work.count)
        ready = replace(work, checkpoints=timed(cluster, work))
        drawn += [(float(when), ready, float(long)) for when, long in zip(arrives, hours, strict=True)]
    drawn.sort(key=lambda one: one[0])
    return [
        Job(number, work, hours, arrives, cluster.layout)
        for number, (arrives, work, hours) in enumerate(drawn)
    ]


def timed(cluster: Cluster, work: Work) -> Checkpoints:
    """The job's checkpoints, with Daly's interval where none is given."""
    rule = work.checkpoints
    if rule.every_h > 0:
        return rule
    # What a checkpoint costs is what it holds up: the block, and the drag while it is written.
    cost = rule.blocks_h + rule.drag * rule.writes_h
    best = daly(cost, hours_between_stops(cluster, work.chips)) if cost > 0 else 1 / 60
    return replace(rule, every_h=max(best, rule.writes_h * 1.01, 1 / 3600))


def hours_between_stops(cluster: Cluster, chips: int, effects: Sequence[str] = STOPS) -> float:
    """Mean time between what stops a job on so many chips, of middle age and mean temperature."""
    hosts = chips / cluster.layout.chips_per_host
    rate = 0.0
    for failure in cluster.failures:
        if failure.effect in effects:
            rate += max(hosts / cluster.layout.hosts_per(failure.unit), 1.0) / failure.hours_between
    return 1 / rate if rate > 0 else float("inf")
