"""What is known without simulating: intervals of checkpoints, availability, waiting in a queue, effective training."""

from __future__ import annotations

import math
from collections.abc import Sequence


def young(cost: float, between: float) -> float:
    """Young's best time between checkpoints that cost `cost`, failures being `between` apart. Any one unit of time."""
    return math.sqrt(2 * cost * between)


def daly(cost: float, between: float) -> float:
    """Daly's higher-order best time of work between checkpoints."""
    if cost >= 2 * between:
        return between
    ratio = cost / (2 * between)
    return math.sqrt(2 * cost * between) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - cost


def expected_time(work: float, every: float, cost: float, between: float, restart: float) -> float:
    """Daly's complete model: expected time of `work` with a checkpoint of `cost` every `every`, failures with an
    exponential law (also while restarting, which takes `restart`)."""
    return between * math.exp(restart / between) * (math.exp((every + cost) / between) - 1) * work / every


def meta_ettr(
    nodes: float, failures_per_node_day: float, restart_days: float, every_days: float, cost_days: float
) -> float:
    """Expected share of effective training time, arXiv 2410.21680: a failure costs a restart and half an interval."""
    lost = nodes * failures_per_node_day * (restart_days + every_days / 2)
    return (1 - lost) / (1 + cost_days / every_days)


def birth_death(birth: Sequence[float], death: Sequence[float]) -> list[float]:
    """Long-run probability of each state 0 … n; `birth[k]` leads from k to k+1, `death[k]` from k+1 to k."""
    weights = [1.0]
    for up, down in zip(birth, death, strict=True):
        weights.append(weights[-1] * up / down)
    total = sum(weights)
    return [weight / total for weight in weights]


def availability(units: int, between: float, repair: float, crews: int = 0) -> float:
    """Share of time a unit is up: exponential failures and repairs, `crews` at once (0: as many as are needed)."""
    crews = crews or units
    birth = [(units - down) / between for down in range(units)]
    death = [min(down + 1, crews) / repair for down in range(units)]
    states = birth_death(birth, death)
    return 1 - sum(down * share for down, share in enumerate(states)) / units


def erlang_c(servers: int, arrivals: float, service: float) -> float:
    """Mean wait in M/M/c: `arrivals` a unit of time, each served in `service` on average by one of `servers`."""
    load = arrivals * service
    if load >= servers:
        return math.inf
    blocked = 1.0  # Erlang B, by its recursion
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    waits = blocked / (1 - load / servers * (1 - blocked))
    return waits * service / (servers - load)


def binomial_spares(hosts: int, down: float, chance: float = 0.99) -> int:
    """Fewest spares so that with this chance no more hosts are down at once, each with probability `down`."""
    log_up, log_down = math.log1p(-down), math.log(down) if down > 0 else -math.inf
    covered, number = 0.0, 0
    while number <= hosts:
        ways = math.lgamma(hosts + 1) - math.lgamma(number + 1) - math.lgamma(hosts - number + 1)
        covered += math.exp(ways + (hosts - number) * log_up + (number * log_down if number else 0.0))
        if covered >= chance:
            return number
        number += 1
    return hosts
