"""Time of collectives: ring, tree or direct exchange over the links of a server, and rings between servers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from jumar.physics.accelerator import Accelerator
from jumar.physics.parameters import Parameters


class Pattern(StrEnum):
    """What the ranks exchange."""

    ALL_REDUCE = "all_reduce"
    ALL_GATHER = "all_gather"
    REDUCE_SCATTER = "reduce_scatter"
    ALL_TO_ALL = "all_to_all"
    BROADCAST = "broadcast"
    SEND = "send"


# Times that a ring sends the whole buffer around.
ROUNDS = {
    Pattern.ALL_REDUCE: 2,
    Pattern.ALL_GATHER: 1,
    Pattern.REDUCE_SCATTER: 1,
    Pattern.ALL_TO_ALL: 1,
    Pattern.BROADCAST: 1,
    Pattern.SEND: 1,
}
# Patterns in which a tree forwards pieces while others arrive.
PIPELINED = (Pattern.ALL_REDUCE, Pattern.BROADCAST)


@dataclass(frozen=True)
class Group:
    """Ranks that exchange: `inside` of them in each of `servers` servers."""

    inside: int
    servers: int = 1

    @property
    def ranks(self) -> int:
        return self.inside * self.servers


@dataclass(frozen=True)
class Collective:
    """One exchange. `size_b` is the whole buffer: what a rank holds after an all-gather or before a reduction, what it
    sends to all together in an all-to-all, what is sent otherwise."""

    pattern: Pattern
    size_b: float
    group: Group


def spread_over(ranks: int, stride: int, machine: Accelerator) -> Group:
    """The group of `ranks` ranks that lie `stride` apart, on servers filled in order."""
    inside = max(1, min(ranks, machine.links.chips_per_server // max(1, stride)))
    return Group(inside, math.ceil(ranks / inside))


def collective_seconds(collective: Collective, machine: Accelerator, parameters: Parameters) -> float:
    """Seconds from the last rank's arrival to the end, by the fastest way."""
    group = collective.group
    if group.ranks <= 1 or collective.size_b <= 0:
        return 0.0
    inside_s = _inside(collective.pattern, collective.size_b, group.inside, machine, parameters)
    between_s = _between(collective, machine, parameters)
    return machine.launch_collective_s + inside_s + between_s


def inside_rate_b_s(ranks: int, machine: Accelerator, parameters: Parameters) -> float:
    """Bytes a second that one chip sends to the other chips of a group inside a server."""
    links = machine.links
    share = min(1.0, (ranks - 1) / (links.chips_per_server - 1)) if links.mesh else 1.0
    return links.chip_b_s * share * parameters.link_efficiency


def _inside(
    pattern: Pattern, size_b: float, ranks: int, machine: Accelerator, parameters: Parameters
) -> float:
    if ranks <= 1:
        return 0.0
    rate = inside_rate_b_s(ranks, machine, parameters)
    latency_s = machine.links.chip_latency_s * parameters.link_latency_factor
    if pattern is Pattern.SEND:
        return size_b / inside_rate_b_s(2, machine, parameters) + latency_s
    rounds = ROUNDS[pattern]
    volume_s = rounds * size_b * (ranks - 1) / ranks / rate
    if pattern is Pattern.BROADCAST:
        volume_s = size_b / rate
    depth = math.ceil(math.log2(ranks))
    ring_s = volume_s + rounds * (ranks - 1) * latency_s
    tree_s = rounds * depth * latency_s + rounds * size_b / rate * (1.0 if pattern in PIPELINED else depth)
    direct_s = volume_s + rounds * 2 * latency_s if machine.links.mesh else ring_s
    return min(ring_s, tree_s, direct_s)


def _between(collective: Collective, machine: Accelerator, parameters: Parameters) -> float:
    group, pattern = collective.group, collective.pattern
    if group.servers <= 1:
        return 0.0
    links = machine.links
    rate = links.network_b_s * parameters.network_efficiency
    latency_s = links.network_latency_s * parameters.link_latency_factor
    if pattern is Pattern.SEND:
        return collective.size_b / rate + latency_s
    # All chips of a server use the network at once, each for its share; an all-to-all has no share to save.
    share_b = collective.size_b if pattern is Pattern.ALL_TO_ALL else collective.size_b / group.inside
    rounds = ROUNDS[pattern]
    steps = min(group.servers - 1, 2 * math.ceil(math.log2(group.servers)))
    return rounds * (share_b * (group.servers - 1) / group.servers / rate + steps * latency_s)
