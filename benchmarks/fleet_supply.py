"""Supply against the one order about which both ends are told, and what drawing futures takes.

Of more than 100,000 Ascend 910B that were ordered for 2024 fewer than 30,000 had come by July, as the press has it. Here
as many are ordered, the same number each month of a year, from the supplier of examples/fleet/company.toml.

python benchmarks/fleet_supply.py
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np

from jumar.fleet import found, futures, scenario_file, supply
from jumar.fleet.reading import parse

EXAMPLE = Path(__file__).parents[1] / "examples" / "fleet" / "company.toml"
ORDERED, MONTHS, COUNTED = 100_000, 12, 6  # counted: full months until July
SAMPLES = 2_000


def received() -> list[float]:
    """Chips that have come by then: the 5 %, 50 % and 95 % quantiles of futures."""
    record = parse(EXAMPLE)
    taken = record["chips"]["ascend_910b"]["supply"]
    taken |= {"most": f"{ORDERED / MONTHS} chips/month", "last": "2026-06"}
    finders = {"scan": found.Scans(EXAMPLE.parent), "profile": found.profile}
    scenario = scenario_file.build(record, EXAMPLE, finders, {})
    orders = np.where(np.arange(scenario.months) < MONTHS, ORDERED / MONTHS, 0.0)
    came = supply.sample(scenario, SAMPLES, 0).received({"ascend_910b": orders})["ascend_910b"]
    return [float(round(one, -2)) for one in np.quantile(came[:, COUNTED - 1], (0.05, 0.5, 0.95))]


def seconds(samples: int) -> float:
    """Median time of drawing so many futures of the example."""
    scenario = scenario_file.load(EXAMPLE)
    times = []
    for seed in range(5):
        begun = time.perf_counter()
        futures.draw(scenario, samples, seed)
        times.append(time.perf_counter() - begun)
    return round(statistics.median(times), 3)


if __name__ == "__main__":
    print(json.dumps({"received": received(), "reported": "fewer than 30,000", "seconds_200": seconds(200)}))
