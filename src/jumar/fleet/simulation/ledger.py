"""What is counted while a cluster runs, besides what its jobs count themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jumar.fleet.simulation.drawing import HOURS_A_DAY, Floats
from jumar.fleet.simulation.jobs import USES, Job


@dataclass(eq=False)
class Ledger:
    """Events, hours of hosts that nobody has, what each day has brought, and what happened when (`history`: day, kind,
    hosts, whether a job stopped, hours of its work that were lost). `done_uses`: chip-hours of jobs that have ended."""

    chips_per_host: int
    events: int = 0
    idle_host_h: float = 0.0
    down_host_h: float = 0.0
    absent_host_h: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    daily: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    done_uses: Floats = field(default_factory=lambda: np.zeros(len(USES)))

    def pass_time(self, hours: float, idle: int, down: int, absent: int) -> None:
        """Books hours of hosts that no job has."""
        self.idle_host_h += hours * idle
        self.down_host_h += hours * down
        self.absent_host_h += hours * absent

    def record(self, now_h: float, kind: str, hosts: int) -> None:
        day = now_h / HOURS_A_DAY
        row = {"day": day, "kind": kind, "hosts": hosts, "stopped_job": False, "hours_lost": 0.0}
        self.history.append(row)

    def record_stop(self, hours_lost: float) -> None:
        """What was recorded last has stopped a job."""
        self.history[-1]["stopped_job"] = True
        self.history[-1]["hours_lost"] += hours_lost

    def note_day(self, now_h: float, jobs: Iterable[Job]) -> None:
        """What there is so far; `jobs` are those that have begun and not ended."""
        for job in jobs:
            job.pass_to(now_h)
        uses = self.done_uses + sum((job.uses for job in jobs), np.zeros(len(USES)))
        self.daily.append(
            {
                "day": now_h / HOURS_A_DAY,
                "uses": uses.tolist(),
                "idle": self.idle_host_h * self.chips_per_host,
                "down": self.down_host_h * self.chips_per_host,
                "failures": dict(self.failures),
            }
        )
