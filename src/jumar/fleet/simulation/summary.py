"""All replicas in one plain dict: what the terminal, JSON and the page show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jumar.fleet import evidence
from jumar.fleet.simulation import published, study, telling
from jumar.fleet.simulation.cluster import Work
from jumar.fleet.simulation.cluster_file import ClusterFile
from jumar.fleet.simulation.jobs import USES
from jumar.fleet.simulation.replica import DAYS

QUANTILES = {"low": 0.05, "middle": 0.5, "high": 0.95}
RANGED = (
    *("goodput", "ettr", "useful_of_all", "idle", "down", "days_to_end", "wait_h", "done"),
    *("interruptions", "hours_between_stops", "events", "unseen_errors"),
)
Row = Mapping[str, Any]
# What a reader should know of how it was computed.
NOTES = (
    "Ranges hold 90 % of replicas. A number with a range is drawn anew for each replica, everything that happens too.",
    "Goodput is work that stayed, of the chip-hours that jobs held; effective training time (ETTR) counts time at work "
    "in full also where a chip was slow.",
    "A job runs as fast as its slowest host; a host fails as a whole, whatever fails in it.",
    "Failures of different units are independent of each other but for what racks, domains, heat and prone hosts share.",
    "A repaired host is as old as before; what fails while a job stands still is found when it goes on.",
    "Where a job does not end within the days simulated, its end is that at the pace it had.",
)


def summarise(file: ClusterFile, rows: Sequence[Row], studied: Sequence[Row]) -> dict[str, Any]:
    """`rows` of the cluster as it is, `studied` of the variants of `study` (empty if none were simulated)."""
    cluster = file.cluster()
    return {
        "name": cluster.name,
        "title": file.texts.get("title") or "",
        "story": file.texts.get("story") or "",
        "replicas": len(rows),
        "chips": cluster.layout.chips,
        "hosts": cluster.layout.hosts,
        "days": cluster.days,
        "jobs": [_job(work, rows) for work in cluster.work],
        "ranges": {name: spread([row[name] for row in rows]) for name in RANGED},
        "finished": sum(row["done"] == row["jobs"] for row in rows),
        "published": published.between_stops(max(work.chips for work in cluster.work)),
        "uses": [
            {"name": name, "meaning": meaning, **spread([row[f"use.{name}"] for row in rows])}
            for name, meaning in USES.items()
        ],
        "kinds": _kinds(rows, {one.name: one.effect for one in cluster.failures}),
        "daily": _daily(rows),
        "checkpoints": study.checkpoints(cluster, studied) if studied else None,
        "spares": study.spares(cluster, studied) if studied else None,
        "studied": {"replicas": _count(studied), "days": min(cluster.days, study.LONGEST_DAYS)},
        **telling.tell(file, rows),
        "numbers": [evidence.row(number) for number in file.numbers.values()],
        "notes": NOTES,
    }


def _job(work: Work, rows: Sequence[Row]) -> dict[str, Any]:
    """A kind of job: what it is, hours it waits in the queue, and how many times its undisturbed time it takes."""
    return {
        "name": work.name,
        "chips": work.chips,
        "hours": work.hours,
        "count": work.count,
        "wait_h": spread([row[f"wait_h.{work.name}"] for row in rows]),
        "longer": spread([row[f"longer.{work.name}"] for row in rows]),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, and the ends of the range that 90 % of replicas lie in; not-a-number ones are left out."""
    known = np.array([value for value in values if not math.isnan(value)])
    if len(known) == 0:
        return {"mean": math.nan, **dict.fromkeys(QUANTILES, math.nan)}
    # Of replicas that exist: between a finite time and an endless one there is nothing to interpolate.
    ends = {name: float(np.quantile(known, share, method="nearest")) for name, share in QUANTILES.items()}
    return {"mean": float(known.mean()), **ends}


def _kinds(rows: Sequence[Row], effects: Mapping[str, str]) -> list[dict[str, Any]]:
    """Kinds of failure, those that stop jobs most often first."""
    names = [key.removeprefix("stops.") for key in rows[0] if key.startswith("stops.")]
    kinds = [
        {
            "name": name,
            "effect": effects.get(name, "stop"),
            "stops": spread([row[f"stops.{name}"] for row in rows]),
            "failures": spread([row[f"failures.{name}"] for row in rows]),
        }
        for name in names
    ]
    return sorted(kinds, key=lambda kind: (-kind["stops"]["mean"], -kind["failures"]["mean"]))


def _daily(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Of each day that every replica reached: the share of chip-hours that was useful, and failures. Later days would
    show only the replicas that fare badly."""
    whole = min(min(int(row["days"]), len(row["daily_useful"])) for row in rows)
    return [
        {
            "day": day + 1,
            "useful": spread([row["daily_useful"][day] for row in rows]),
            "failures": spread([row["daily_failures"][day] for row in rows]),
        }
        for day in range(whole)
    ]


def _count(studied: Sequence[Row]) -> int:
    return len({row["replica"] for row in studied if DAYS in row})
