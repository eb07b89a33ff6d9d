"""Draws what happens to a cluster before it is simulated: every failure of a replica as one sorted table."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jumar.fleet.simulation.cluster import Cluster, Duration, Failure, Layout

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
HOURS_A_DAY = 24.0


@dataclass(frozen=True, eq=False)
class Hosts:
    """What was drawn for each host: when it comes (hours; below 0 if it is there), how prone it is, how much warmer
    its rack and its hottest chip are than the mean."""

    birth_h: Floats
    prone: Floats
    rack_warmer_c: Floats
    chip_warmer_c: Floats


@dataclass(frozen=True, eq=False)
class Failures:
    """One row a failure, by time. It befalls hosts first … first + count − 1; `repair_h` 0: no repair is needed."""

    at_h: Floats
    kind: Whole
    first: Whole
    count: Whole
    notice_h: Floats
    repair_h: Floats
    lasts_h: Floats

    def __len__(self) -> int:
        return len(self.at_h)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of one purpose: what is drawn for one kind does not depend on which others there are."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def durations(rng: np.random.Generator, duration: Duration, count: int) -> Floats:
    if duration.law == "exponential":
        return rng.exponential(duration.mean_h, count)
    if duration.law == "fixed" or duration.mean_h == 0:
        return np.full(count, duration.mean_h)
    middle = np.log(duration.mean_h) - duration.spread**2 / 2
    return rng.lognormal(middle, duration.spread, count)


def draw_hosts(cluster: Cluster, seed: int) -> Hosts:
    rng = stream(seed, "hosts")
    layout = cluster.layout
    births = [np.full(layout.hosts, -cluster.age_h)]
    for number, delivery in enumerate(cluster.deliveries):
        births.append(_delivered(cluster, number, stream(seed, f"delivery {number}"), delivery.chips))
    birth_h = np.concatenate(births)
    hosts = len(birth_h)
    shape = 1 / cluster.unevenness**2 if cluster.unevenness > 0 else 0.0
    prone = rng.gamma(shape, 1 / shape, hosts) if shape else np.ones(hosts)
    rack, chip = np.zeros(hosts), np.zeros(hosts)
    if cluster.heat:
        racks = -(-hosts // layout.hosts_per_rack)
        of_rack = rng.normal(0.0, cluster.heat.rack_spread_c, racks)
        rack = of_rack[np.arange(hosts) // layout.hosts_per_rack]
        chips = rng.standard_normal((hosts, layout.chips_per_host))
        chip = chips.max(axis=1) * cluster.heat.chip_spread_c
    return Hosts(birth_h, prone, rack, chip)


def _delivered(cluster: Cluster, number: int, rng: np.random.Generator, chips: int) -> Floats:
    delivery = cluster.deliveries[number]
    hosts = -(-chips // cluster.layout.chips_per_host)
    day_h = delivery.day * HOURS_A_DAY + float(durations(rng, delivery.delay, 1)[0])
    dead = rng.random(hosts) >= delivery.yield_share
    return day_h + np.where(dead, durations(rng, delivery.repair, hosts), 0.0)


def draw_failures(cluster: Cluster, hosts: Hosts, seed: int) -> Failures:
    """All kinds together, sorted by time."""
    parts = [
        _of_kind(cluster, hosts, number, stream(seed, f"failure {failure.name}"))
        for number, failure in enumerate(cluster.failures)
    ]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Failures(np.zeros(0), none, none, none, np.zeros(0), np.zeros(0), np.zeros(0))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Failures(*(column[order] for column in columns))


def _of_kind(
    cluster: Cluster, hosts: Hosts, number: int, rng: np.random.Generator
) -> tuple[npt.NDArray[Any], ...]:
    failure = cluster.failures[number]
    first, span, rate = places(cluster.layout, failure, hosts)
    at_h, place = _moments(failure, hosts.birth_h[first], rate, cluster.days * HOURS_A_DAY, rng)
    count = len(at_h)
    repair_h = durations(rng, failure.repair, count)
    repair_h[rng.random(count) < failure.recovers] = 0.0
    ends = np.minimum(first[place] + span, len(hosts.birth_h))
    return (
        at_h,
        np.full(count, number, dtype=np.int64),
        first[place],
        ends - first[place],
        durations(rng, failure.notice, count),
        repair_h,
        durations(rng, failure.lasts, count),
    )


def places(layout: Layout, failure: Failure, hosts: Hosts) -> tuple[Whole, int, Floats]:
    """Where a kind strikes: first host of each place, hosts it spans, and failures an hour there in middle age."""
    per = layout.hosts_per(failure.unit)
    span = max(int(per), 1)
    if failure.unit == "cluster":
        span = len(hosts.birth_h)
    first = np.arange(0, len(hosts.birth_h), span)
    rate = np.full(len(first), 1 / (min(per, 1.0) * failure.hours_between))
    if span == 1:
        rate = rate * hosts.prone * 2 ** (hosts.rack_warmer_c / failure.doubling_c)
    return first, span, rate


def _moments(
    failure: Failure, birth_h: Floats, rate: Floats, end_h: float, rng: np.random.Generator
) -> tuple[Floats, Whole]:
    """Times and places: candidates at the greatest rate of all, of which those stay that the age at the time allows."""
    begin_h = np.clip(birth_h, 0.0, end_h)
    bound = _greatest(failure, end_h - birth_h.min())
    expected = rate * bound * (end_h - begin_h)
    total = np.cumsum(expected)
    count = rng.poisson(total[-1])
    place = np.minimum(np.searchsorted(total, rng.random(count) * total[-1]), len(rate) - 1)
    at_h = begin_h[place] + rng.random(count) * (end_h - begin_h[place])
    stays = rng.random(count) * bound < _factor(failure, at_h - birth_h[place])
    return at_h[stays], place[stays]


def _factor(failure: Failure, age_h: Floats) -> Floats:
    """How many times the rate of middle age, at an age."""
    early = failure.early * np.exp(-age_h / failure.early_h)
    worn = np.zeros_like(age_h)
    if np.isfinite(failure.wear_h):
        weibull = failure.wear_shape / failure.wear_h * (age_h / failure.wear_h) ** (failure.wear_shape - 1)
        worn = weibull * failure.hours_between
    return np.asarray(1.0 + early + worn)


def _greatest(failure: Failure, oldest_h: float) -> float:
    calm = Failure(failure.name, failure.unit, failure.effect, failure.hours_between)
    worn = Failure(**{**vars(calm), "wear_h": failure.wear_h, "wear_shape": failure.wear_shape})
    return float(_factor(worn, np.array([max(oldest_h, 0.0)]))[0]) + failure.early
