"""What was published of large clusters, beside what the simulation says of them. No cluster's own rate is used to
predict it: how often things fail there is drawn from what the other clusters had."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from jumar.fleet.engine.tasks import replica_seed
from jumar.fleet.simulation.cluster_file import NINETY_PERCENT, ClusterFile, load
from jumar.fleet.simulation.drawing import stream
from jumar.fleet.simulation.replica import row
from jumar.fleet.simulation.simulating import Simulation

TABLE, BASE = (Path(__file__).with_name(name) for name in ("published.tsv", "published.toml"))
# Chip-hours between such events in the cluster that the base file has its rates from.
OF_THE_BASE = {"chip_hours_between_stops": 50_677.0, "chip_hours_between_chip_failures": 79_230.0}
CHIP_KINDS = ("chip", "memory", "on-chip", "thermal-interface", "silent-error")
SPARE_SHARE = 0.06
CLAIM = "vendor-2nd"


@dataclass(frozen=True)
class Published:
    """One published number, between `low` and `high` (equal where it is one number)."""

    cluster: str
    chips: int
    days: float
    quantity: str
    low: float
    high: float
    confidence: str
    source: str
    note: str


@dataclass(frozen=True)
class Predicted:
    """Ends and middle of what 90 % of replicas give."""

    low: float
    middle: float
    high: float

    def holds(self, published: Published) -> bool:
        return self.low <= published.high and published.low <= self.high


def table() -> list[Published]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [_published(line) for line in csv.DictReader(lines, delimiter="\t")]


def _published(line: Mapping[str, str]) -> Published:
    return Published(
        cluster=line["cluster"],
        chips=int(line["chips"]),
        days=float(line["days"]),
        quantity=line["quantity"],
        low=float(line["low"]),
        high=float(line["high"]),
        confidence=line["confidence"],
        source=line["source"],
        note=line["note"],
    )


def between_stops(chips: int) -> list[dict[str, Any]]:
    """Hours between stops of a job on so many chips, at the rate of each published cluster; what is said of a job of
    some size is scaled by chips. Measured ones first."""
    found = [
        {"cluster": one.cluster, "hours": one.low / chips, "confidence": one.confidence, "source": one.source}
        for one in table()
        if one.quantity == "chip_hours_between_stops"
    ]
    claims = (one for one in table() if one.quantity == "hours_between_stops" and one.confidence == CLAIM)
    return found + [
        {
            "cluster": one.cluster,
            "hours": one.low * one.chips / chips,
            "confidence": one.confidence,
            "source": one.source,
        }
        for one in claims
    ]


def to_predict() -> list[Published]:
    """Rows that are results; the others are rates, from which others are predicted."""
    return [one for one in table() if one.quantity not in OF_THE_BASE]


def rates_elsewhere(cluster: str) -> tuple[float, float]:
    """How often things fail against the base file, as all other clusters tell: middle and the factor to either end of
    a 90 % range. How much clusters differ is taken from all of them, for three or four alone would hardly tell."""
    known = {
        one.cluster: math.log(OF_THE_BASE[one.quantity] / one.low)
        for one in table()
        if one.quantity in OF_THE_BASE
    }
    others = [rate for name, rate in known.items() if name != cluster]
    width = NINETY_PERCENT * stdev(known.values()) * math.sqrt(1 + 1 / len(others))
    return math.exp(fmean(others)), math.exp(width)


def predict(published: Published, replicas: int, seed: int = 0, own_rate: bool = False) -> Predicted:
    """Simulates so many replicas. `own_rate`: with the rates of the base file as they are, no others."""
    base = load(BASE)
    middle, factor = (1.0, 1.0) if own_rate else rates_elsewhere(published.cluster)
    found = []
    for number in range(replicas):
        drawn = replica_seed(seed, number)
        rate = middle * factor ** (stream(drawn, "rates").normal() / NINETY_PERCENT)
        found.append(_quantity(published, base, drawn, float(rate)))
    low, centre, high = np.quantile(found, (0.05, 0.5, 0.95))
    return Predicted(float(low), float(centre), float(high))


def _quantity(published: Published, base: ClusterFile, seed: int, rate: float) -> float:
    given = {
        "days": published.days,
        "operation.rates": rate,
        "layout.chips": math.ceil(published.chips * (1 + SPARE_SHARE)),
        "work.job.chips": published.chips,
    }
    found = row(Simulation(base.drawn(seed, given), seed).run())
    if published.quantity in ("ettr", "hours_between_stops"):
        return float(found[published.quantity])
    counted = {"stops": "stops", "chip_stops": "stops", "chip_failures": "failures"}[published.quantity]
    kinds: Sequence[str] = CHIP_KINDS if published.quantity != "stops" else [
        key.removeprefix("stops.") for key in found if key.startswith("stops.")
    ]  # fmt: skip
    return float(sum(found[f"{counted}.{kind}"] for kind in kinds))
