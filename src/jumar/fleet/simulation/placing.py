"""Hosts of a cluster while it runs: which are up, who has them, and which of the free ones a job gets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jumar.fleet.simulation.cluster import Layout
from jumar.fleet.simulation.drawing import Hosts, Whole

FREE = -1
Flags = npt.NDArray[np.bool_]


class Floor:
    """State of every host, one array entry each."""

    def __init__(self, layout: Layout, drawn: Hosts, placement: str) -> None:
        count = len(drawn.birth_h)
        self.layout, self.packed = layout, placement == "packed"
        self.present = drawn.birth_h <= 0
        self.faults = np.zeros(count, dtype=np.int16)
        self.too_hot = np.zeros(count, dtype=bool)
        self.owner = np.full(count, FREE, dtype=np.int64)
        self.slow = np.ones(count)
        self.clock = np.ones(count)
        self.warmer_air = np.zeros(count)
        self.domain = np.arange(count) // layout.hosts_per_domain
        self.rack = np.arange(count) // layout.hosts_per_rack

    def up(self) -> Flags:
        running: Flags = self.present & (self.faults == 0) & ~self.too_hot
        return running

    def free(self) -> Whole:
        return np.flatnonzero(self.up() & (self.owner == FREE))

    def counts(self) -> tuple[int, int]:
        """Hosts that nobody has: those that are up, and those that are down."""
        nobody = self.present & (self.owner == FREE)
        up = int(np.count_nonzero(nobody & (self.faults == 0) & ~self.too_hot))
        return up, int(np.count_nonzero(nobody)) - up

    def choose(self, free: Whole, wanted: int, beside: Whole) -> Whole:
        """Which of the free hosts a job gets that has some already."""
        if not self.packed or len(free) == wanted:
            return free[:wanted]
        domains, racks = self.domain[free], self.rack[free]
        room = np.bincount(domains, minlength=int(self.domain[-1]) + 1)
        rack_room = np.bincount(racks, minlength=int(self.rack[-1]) + 1)
        own = np.zeros(len(room), dtype=bool)
        own[self.domain[beside]] = True
        # The smallest domain that holds the job whole, else the largest first; in it racks with most room first.
        fits = room >= wanted
        order = np.where(fits, room - len(self.owner), -room)
        keys = (free, racks, -rack_room[racks], domains, order[domains], ~own[domains])
        return np.sort(free[np.lexsort(keys)[:wanted]])

    def spread(self, hosts: Whole, cost: float) -> float:
        """How much longer a step is for lying over more domains than needed."""
        if cost == 0 or len(hosts) == 0:
            return 1.0
        fewest = -(-len(hosts) // self.layout.hosts_per_domain)
        spans = len(np.unique(self.domain[hosts]))
        return 1.0 + cost * (1 - fewest / spans)
