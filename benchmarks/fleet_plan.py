"""How long it takes to find a plan that no other beats by more than 1 %: 36 months, 8 kinds of chips, 40 workloads, 200
samples, made up from a seed.

    python benchmarks/fleet_plan.py                     plan it, with the bound as it rises
    python benchmarks/fleet_plan.py --build             only how long the programme takes to be built
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from dataclasses import replace
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.evaluation import Samples
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.planning import Effort, best
from jumar.fleet.plan.solving import build

WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
FLEET = 5  # times 20,000 chips or so
PLATFORMS, SUPPLIERS = 4, 5


def made_up(seed: int, months: int, chips: int, workloads: int, samples: int) -> Instance:
    """A company with chips in stock, some to rent, half of its workloads jobs; the last kind of chip is rented."""
    draw = np.random.default_rng(seed)
    speed = draw.uniform(0.4, 1.6, chips)
    price = 20 * speed * draw.uniform(0.7, 1.3, chips)
    lead = draw.integers(2, 8, chips)
    discount = 1.06 ** (-np.arange(months) / 12)
    listed = price[:, None] * 0.9 ** (np.arange(months) / 12)
    parts: dict[str, Any] = {
        "chips": tuple(f"chip {c}" for c in range(chips)),
        "places": ("hall",),
        "workloads": tuple(f"workload {w}" for w in range(workloads)),
        "suppliers": tuple(f"supplier {u}" for u in range(SUPPLIERS)),
        "weight": np.full(samples, 1 / samples),
        "supplier": np.arange(chips) % SUPPLIERS,
        "lot": np.full(chips, 0.256),
        "order_most": _order_most(draw, lead, months) * FLEET,
        "price": listed,
        "setup_cost": np.zeros(chips),
        "run_cost": np.full((chips, 1, months), 0.05) * discount,
        "speed": np.ones((chips, 1, months)),
        "power": (0.4 + 0.3 * speed)[:, None],
        "racks": np.full((chips, 1), 1000 / 32),
        "liquid": np.zeros(chips, dtype=bool),
        "power_most": np.full((1, months), 40.0 * FLEET),
        "racks_most": np.full((1, months), 1500.0 * FLEET),
        "liquid_most": np.full((1, months), np.inf),
        "engineers": np.full(months, 2.0),
        "budget": np.full(months, np.inf),
        "share_most": 0.6,
        "risk": 0.3,
        "level": 0.9,
    }
    parts["run_cost"][-1] = 1.46 * discount
    stock = np.zeros((samples, chips, months))
    stock[:, 0], stock[:, chips // 2], stock[:, -1] = 3 * FLEET, 2 * FLEET, 2 * FLEET
    # Draws of its own, so that a company is the same whatever the number of its futures.
    arrived, paid = _supply(np.random.default_rng([seed, 1]), lead, chips, months, samples)
    parts |= {"stock": stock, "arrived": arrived, "order_cost": listed * discount * paid * 0.75}
    instance = Instance(**(parts | _work(draw, speed, price[0], discount, workloads, samples)))
    instance.check()
    return instance


def _order_most(draw: Any, lead: Any, months: int) -> Any:
    most = np.zeros((len(lead), months), dtype=np.int64)
    for c in range(len(lead) - 1):
        first = 0 if c < 5 else int(draw.integers(3, 15))
        most[c, first : max(first, months - lead[c] - 1)] = draw.integers(8, 40)
    return most


def _supply(draw: Any, lead: Any, chips: int, months: int, samples: int) -> tuple[Floats, Floats]:
    """Yields, delays of up to five months, and for some chips a stop of nine months that nobody foresees."""
    arrived, paid = np.zeros((samples, chips, months, months)), np.full((samples, chips, months), 0.3)
    for s in range(samples):
        for c in range(chips):
            good = np.clip(draw.normal(0.85, 0.12), 0.3, 1)
            delay = draw.integers(0, 6) if draw.random() < 0.5 else 0
            stop = draw.integers(0, months) if draw.random() < 0.3 and c % PLATFORMS == 0 else 10 * months
            for ordered in range(months):
                come = ordered + lead[c] + delay
                come += 9 if come >= stop else 0
                if come < months:
                    arrived[s, c, ordered, come:] = good * 0.995 ** np.arange(months - come)
                    paid[s, c, ordered] = 1.0
    return arrived, paid


def _work(draw: Any, speed: Any, price: float, discount: Any, workloads: int, samples: int) -> dict[str, Any]:
    months = len(discount)
    job = np.arange(workloads) < workloads // 2
    first = np.where(job, draw.integers(0, months - 10, workloads), 0)
    deadline = np.minimum(months - 1, first + draw.integers(4, 12, workloads))
    size = draw.uniform(0.2, 2.0, workloads) * 50 * FLEET / workloads
    demand = np.zeros((samples, workloads, months))
    missed = np.zeros((workloads, months))
    activities: list[tuple[int, int, float, int, int]] = []
    moves: dict[tuple[int, int], tuple[float, int]] = {}
    for w in range(workloads):
        span = deadline[w] - first[w] + 1 if job[w] else 1
        worth = price / 36 * size[w] * 5
        if job[w]:
            demand[:, w, first[w]] = 1.0
            missed[w, deadline[w] :] = worth * span * 0.3
            missed[w, -1] *= 8
        else:
            growth = draw.uniform(0, 0.8)
            demand[:, w] = (1 + growth * np.arange(months) / 12) / (1 + 0.8 * months / 12)
            missed[w] = worth * 3
        for c in range(len(speed)):
            if c and draw.random() < 0.3:
                continue
            rate = speed[c] * draw.uniform(0.7, 1.2) / (size[w] * span)
            platform = c % PLATFORMS
            if platform == 0:
                activities.append((c, w, rate, -1, 0))
                continue
            if (w, platform) not in moves:
                moves[w, platform] = (draw.uniform(50, 400), int(draw.integers(2, 6)))
            number, lasting = list(moves).index((w, platform)), moves[w, platform][1]
            activities.append((c, w, rate * 0.6, number, lasting))
            activities.append((c, w, rate * 0.9, number, lasting + 6))
    columns, each = np.array(activities), np.array(list(moves.values()))
    return {
        "moves": tuple(f"workload {w} to platform {p}" for w, p in moves),
        "activity_chip": columns[:, 0].astype(int),
        "activity_workload": columns[:, 1].astype(int),
        "activity_rate": columns[:, 2],
        "activity_move": columns[:, 3].astype(int),
        "activity_wait": columns[:, 4].astype(int),
        "move_cost": each[:, 0] * 1e-3,
        "move_effort": each[:, 0] / each[:, 1] * 1e-3,
        "move_months": each[:, 1].astype(int),
        "job": job,
        "first": first,
        "deadline": deadline,
        "demand": demand,
        "missed_cost": missed * discount,
        "must": np.zeros(workloads, dtype=bool),
    }


def _cpu() -> float:
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, WHOSE))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, usual in (("months", 36), ("chips", 8), ("workloads", 40), ("samples", 200), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--build", action="store_true")
    given = parser.parse_args()
    sizes = (given.seed, given.months, given.chips, given.workloads, given.samples)
    instance = made_up(*sizes)
    if given.build:
        begun = time.perf_counter()
        made = build(instance.group(np.array_split(np.arange(instance.samples), 10)))
        print(f"10 samples: {made.model.getnumrow():,} rows, {made.model.getnumcol():,} columns "
              f"in {time.perf_counter() - begun:.1f} s")  # fmt: skip
        return
    found = best(
        instance, Effort(given.gap, given.seconds, given.workers), lambda words: print(words, flush=True)
    )
    both = made_up(given.seed, *sizes[1:-1], samples=given.samples * 2)
    later = both.group([np.array([s]) for s in range(given.samples, given.samples * 2)])
    unseen = replace(later, weight=instance.weight)
    with Samples(unseen, given.workers) as samples:
        tried = samples.of_plan(found.plan)
    # The processes of the planner have ended here, so that their time is counted.
    print(f"plan {found.value:,.1f}, none below {found.bound:,.1f}: gap {100 * found.gap:.2f} % in {found.seconds:.0f} s, "
          f"{found.rounds} rounds; on {given.samples:,} unseen samples {tried.value:,.1f} "
          f"(load {os.getloadavg()[0]:.1f}, {_cpu():.0f} s of CPU in all processes)")  # fmt: skip


if __name__ == "__main__":
    main()
