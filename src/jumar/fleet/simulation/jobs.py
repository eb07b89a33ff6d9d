"""A job in the simulation: what it is doing, since when, on which hosts, and where its chip-hours went."""

from __future__ import annotations

import enum
from collections import Counter

import numpy as np

from jumar.fleet.simulation.cluster import Layout, Work
from jumar.fleet.simulation.drawing import Floats, Whole
from jumar.fleet.simulation.progress import Progress

# Where chip-hours of a job go; the names stand in results and pages.
USES = {
    "useful": "work that stayed",
    "redone": "work that was lost with a failure and done again",
    "slowed": "waiting for the slowest chip: heat, stragglers, hosts far apart",
    "checkpoints": "taking checkpoints",
    "unnoticed": "stopped, and nobody has noticed yet",
    "restarting": "starting again",
    "waiting": "holding hosts and waiting for more",
}
USEFUL, REDONE, SLOWED, CHECKPOINTS, UNNOTICED, RESTARTING, WAITING = range(len(USES))


class State(enum.Enum):
    QUEUED = -1
    RUNNING = -2
    DONE = -3
    UNNOTICED = UNNOTICED
    RESTARTING = RESTARTING
    WAITING = WAITING


ROUNDING = 1e-9  # of floating-point sums
NO_HOSTS: Whole = np.zeros(0, dtype=np.int64)


class Job:
    """One job. `version` grows with each change of state or speed, so that events foreseen before it are void."""

    def __init__(self, number: int, work: Work, hours: float, arrives_h: float, layout: Layout) -> None:
        self.number, self.work, self.hours, self.arrives_h = number, work, hours, arrives_h
        self.hosts_wanted = -(-work.chips // layout.chips_per_host)
        least = work.least_chips or work.chips
        self.hosts_least = -(-least // layout.chips_per_host)
        self.chips_per_host = layout.chips_per_host
        self.progress = Progress(work.checkpoints)
        self.state = State.QUEUED
        self.hosts: Whole = NO_HOSTS
        self.speed = 1.0
        self.spread = 1.0
        self.version = 0
        self.since_h = arrives_h
        self.started_h = self.finished_h = float("nan")
        self.uses: Floats = np.zeros(len(USES))
        self.interruptions: Counter[str] = Counter()
        self.unseen_errors = 0

    @property
    def full_chips(self) -> int:
        return self.hosts_wanted * self.chips_per_host

    def pass_to(self, now_h: float) -> None:
        """Books the time since the last change."""
        elapsed = now_h - self.since_h
        self.since_h = now_h
        if elapsed <= 0 or self.state in (State.QUEUED, State.DONE):
            return
        chip_hours = elapsed * len(self.hosts) * self.chips_per_host
        if self.state is not State.RUNNING:
            self.uses[self.state.value] += chip_hours
            return
        before = self.progress.work
        cost_h = self.progress.advance(elapsed, self.speed)
        useful = (self.progress.work - before) * self.full_chips
        checkpoints = chip_hours * cost_h / elapsed
        self.uses[USEFUL] += useful
        self.uses[CHECKPOINTS] += checkpoints
        slowed = chip_hours - checkpoints - useful
        if abs(slowed) > ROUNDING * chip_hours:  # below 0 where fewer chips do more work each
            self.uses[SLOWED] += slowed

    def fall_back(self) -> float:
        """To the newest checkpoint; returns the hours of work that are lost."""
        return self._lose(self.progress.fall_back())

    def back_to_clean(self) -> float:
        """To the newest checkpoint from before a silent error; returns the hours of work that are lost."""
        return self._lose(self.progress.back_to_clean())

    def _lose(self, hours: float) -> float:
        self.uses[USEFUL] -= hours * self.full_chips
        self.uses[REDONE] += hours * self.full_chips
        return hours

    def change(self, state: State) -> None:
        self.state = state
        self.version += 1

    def speed_on(self, slow: Floats, clock: Floats) -> float:
        """Speed against all chips at full clock: that of the slowest host, for a job waits for all of them."""
        share = self.work.clock_share
        slowest = float((slow[self.hosts] / (1 - share + share / clock[self.hosts])).min())
        fewer = self.hosts_wanted / len(self.hosts)
        return slowest / (1 - self.work.chips_share + self.work.chips_share * fewer) / self.spread
