"""One replica told as it went: its failures in time and its jobs from arrival to end. The one in the middle of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jumar.fleet.simulation.cluster_file import ClusterFile
from jumar.fleet.simulation.drawing import HOURS_A_DAY
from jumar.fleet.simulation.jobs import Job
from jumar.fleet.simulation.simulating import Simulation

MOST_EVENTS, MOST_JOBS = 400, 40


def tell(file: ClusterFile, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plays the replica again whose goodput is in the middle. Of many failures, those that cost most; of many jobs,
    those that take most chip-hours."""
    middle = sorted(rows, key=lambda row: row["goodput"])[len(rows) // 2]
    simulation = Simulation(file.drawn(middle["seed"]), middle["seed"]).run()
    history = simulation.ledger.history
    costly = sorted(history, key=lambda one: (-one["hours_lost"], -one["hosts"]))[:MOST_EVENTS]
    largest = sorted(simulation.jobs, key=lambda job: -job.hours * job.work.chips)[:MOST_JOBS]
    return {
        "replica": middle["replica"],
        "timeline": sorted(costly, key=lambda one: one["day"]),
        "timeline_of": len(history),
        "gantt": [_told(job, simulation) for job in sorted(largest, key=lambda job: job.arrives_h)],
        "gantt_of": len(simulation.jobs),
    }


def _told(job: Job, simulation: Simulation) -> dict[str, Any]:
    return {
        "name": job.work.name if job.work.count == 1 else f"{job.work.name} {job.number + 1}",
        "chips": job.work.chips,
        "arrives": job.arrives_h / HOURS_A_DAY,
        "begins": _day(job.started_h),
        "ends": _day(job.finished_h),
        "until": (simulation.now_h if math.isnan(job.finished_h) else job.finished_h) / HOURS_A_DAY,
        "stops": job.interruptions.total(),
    }


def _day(hours: float) -> float | None:
    return None if math.isnan(hours) else hours / HOURS_A_DAY
