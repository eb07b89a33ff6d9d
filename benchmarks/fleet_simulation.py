"""What simulating a cluster costs, and how it compares with what was published.

python benchmarks/fleet_simulation.py cost        100,000 chips for 90 days, and how cost grows with events
python benchmarks/fleet_simulation.py published   clusters of published.tsv beside the predicted ranges
python benchmarks/fleet_simulation.py daly        best checkpoint interval as simulated, beside Young and Daly
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

EXAMPLE = Path(__file__).parents[1] / "examples" / "fleet" / "cluster.toml"
# Chips, days, how many times as often as in the example everything fails.
SIZES = (
    (6_250, 90, 1.0), (12_500, 90, 1.0), (25_000, 90, 1.0), (50_000, 90, 1.0), (100_000, 90, 1.0),
    (100_000, 90, 3.0), (100_000, 360, 1.0), (200_000, 90, 1.0),
)  # fmt: skip


def cost() -> None:
    """One replica of each size in a process of its own, so that memory is its own."""
    print(
        f"{'chips':>9}{'days':>6}{'rates':>7}{'failures':>10}{'events':>9}{'seconds':>9}{'µs/event':>10}{'MiB':>7}"
    )
    for chips, days, rates in SIZES:
        subprocess.run([sys.executable, __file__, "one", f"{chips}", f"{days}", f"{rates}"], check=True)


def one(chips: int, days: float, rates: float) -> None:
    from jumar.fleet.simulation import cluster_file
    from jumar.fleet.simulation.simulating import Simulation

    file = cluster_file.load(EXAMPLE)
    given = {
        "days": days,
        "operation.rates": rates,
        "layout.chips": chips,
        "deliveries.second.chips": chips * 0.16,
        "work.pretraining.chips": chips * 0.98,
        "work.pretraining.least_chips": chips * 0.96,
        "work.pretraining.hours": days * 24 * 10,  # it does not end
    }
    cluster = file.drawn(7, given)
    begun = time.process_time()
    simulation = Simulation(cluster, 7).run()
    seconds = time.process_time() - begun
    events, mebibytes = simulation.ledger.events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    failures = simulation.ledger.failures.total()
    each_us = seconds / events * 1e6
    print(
        f"{chips:>9,}{days:>6g}{rates:>7g}{failures:>10,}{events:>9,}{seconds:>9.2f}{each_us:>10.0f}{mebibytes:>7.0f}"
    )


def published(replicas: int) -> None:
    from jumar.fleet.simulation import published

    print(f"{'cluster':<12}{'chips':>8}  {'what':<20}{'published':>14}{'predicted (90 %)':>24}  inside")
    for row in published.to_predict():
        found = published.predict(row, replicas)
        said = f"{row.low:g}" if row.low == row.high else f"{row.low:g} to {row.high:g}"
        span = f"{found.middle:.3g} ({found.low:.3g} to {found.high:.3g})"
        inside = "yes" if found.holds(row) else "no"
        print(f"{row.cluster:<12}{row.chips:>8,}  {row.quantity:<20}{said:>14}{span:>24}  {inside}")
    llama = next(row for row in published.to_predict() if row.quantity == "stops")
    found = published.predict(llama, replicas, own_rate=True)
    print(f"419 interruptions with their own rates: {found.middle:.0f} ({found.low:.0f} to {found.high:.0f})")


def daly(replicas: int) -> None:
    """A job that fails with an exponential law and goes on at once, as the formulas suppose."""
    from jumar.fleet import engine
    from jumar.fleet.simulation import cluster_file, study
    from jumar.fleet.simulation.published import BASE
    from jumar.fleet.simulation.replica import replica

    file = cluster_file.load(BASE)
    print(
        f"{'chips':>8}{'between':>10}{'Young':>9}{'Daly':>9}{'best simulated':>16}   goodput there, Meta's formula"
    )
    for chips in (2_048, 16_384, 65_536, 131_072):
        numbers = {
            **file.numbers,
            "layout.chips": replace(file.numbers["layout.chips"], value=chips * 1.1),
            "work.job.chips": replace(file.numbers["work.job.chips"], value=chips),
        }
        sized = replace(file, numbers=numbers)
        cluster = sized.cluster()
        variants = [one for one in study.variants(cluster) if "interval_factor" in one]
        rows = engine.run(engine.sweep(variants, replicas, 3), replica, shared=sized).to_pylist()
        found = study.checkpoints(cluster, rows)
        best = max(point["mean"] for point in found["points"])
        print(
            f"{chips:>8,}{found['between_h']:>8.2f} h{found['young_h'] * 60:>5.1f} min{found['daly_h'] * 60:>5.1f} min"
            f"{found['best_h'] * 60:>12.1f} min   {best:.3f}, {found['meta_ettr']:.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cost", "published", "daly", "one"))
    parser.add_argument("numbers", nargs="*", type=float)
    parser.add_argument("--replicas", type=int, default=100)
    chosen = parser.parse_args()
    if chosen.what == "one":
        chips, days, rates = chosen.numbers
        one(int(chips), days, rates)
    elif chosen.what == "cost":
        cost()
    else:
        {"published": published, "daly": daly}[chosen.what](chosen.replicas)


if __name__ == "__main__":
    main()
