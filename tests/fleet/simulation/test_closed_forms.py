"""The simulation where theory knows the answer: it lies within the confidence limits of many replicas."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest

from jumar.fleet.simulation import closed_forms
from jumar.fleet.simulation.cluster import (
    Checkpoints,
    Cluster,
    Delivery,
    Duration,
    Failure,
    Heat,
    Layout,
    Work,
)
from jumar.fleet.simulation.simulating import Simulation

NEVER = 1e9
FEW_IN_TEN_THOUSAND = 3.9  # standard errors that a right mean is beyond once in ten thousand


def agrees(found: list[float], expected: float) -> None:
    """The mean of replicas is the expected one, as far as their scatter tells; and that is not far."""
    error = stdev(found) / math.sqrt(len(found))
    assert abs(fmean(found) - expected) < FEW_IN_TEN_THOUSAND * error
    assert error < 0.03 * expected


def one_job(between_h: float, rule: Checkpoints, hours: float, restart_h: float) -> Cluster:
    """One host that fails with an exponential law and goes on at once."""
    failure = Failure("any", "host", "stop", between_h, recovers=1.0)
    work = Work("job", 8, hours, rule, restart_h=restart_h)
    return Cluster("one", 90.0, Layout(8), (failure,), (work,))


@pytest.mark.parametrize(("every_h", "restart_h"), [(1.0, 0.2), (4.0, 0.0), (12.0, 1.0)])
def test_time_of_a_job_with_blocking_checkpoints(every_h: float, restart_h: float) -> None:
    cost_h, between_h, hours = 0.1, 10.0, 240.0
    cluster = one_job(between_h, Checkpoints(every_h, cost_h), hours, restart_h)
    ends = [Simulation(cluster, seed).run().jobs[0].finished_h for seed in range(300)]
    # Daly writes a checkpoint after the last piece of work too, which the simulation does not.
    agrees(ends, closed_forms.expected_time(hours, every_h, cost_h, between_h, restart_h) - cost_h)


def test_daly_interval_is_the_minimum_of_dalys_model() -> None:
    cost, between = 0.1, 10.0
    best = min((0.01 * step for step in range(1, 1000)),
               key=lambda every: closed_forms.expected_time(100, every, cost, between, 0.3))  # fmt: skip
    assert closed_forms.daly(cost, between) == pytest.approx(best, rel=0.01)
    assert closed_forms.young(cost, between) == pytest.approx(best, rel=0.10)
    assert closed_forms.daly(30.0, 10.0) == 10.0


def idle_hosts(hosts: int, between_h: float, repair: Duration, crews: int) -> Cluster:
    failure = Failure("any", "host", "stop", between_h, repair=repair)
    work = Work("later", 1, 1.0, Checkpoints(1.0), arrives_h=NEVER)
    layout = Layout(hosts, chips_per_host=1)
    return Cluster("idle", 400.0, layout, (failure,), (work,), crews=crews)


def share_down(simulation: Simulation) -> float:
    ledger = simulation.ledger
    return ledger.down_host_h / (ledger.down_host_h + ledger.idle_host_h)


@pytest.mark.parametrize("law", ["exponential", "lognormal", "fixed"])
def test_availability_with_a_crew_for_everyone(law: str) -> None:
    cluster = idle_hosts(40, 200.0, Duration(20.0, law), 0)
    found = [share_down(Simulation(cluster, seed).run()) for seed in range(30)]
    agrees(found, 1 - closed_forms.availability(40, 200.0, 20.0))
    assert closed_forms.availability(40, 200.0, 20.0) == pytest.approx(200 / 220)


def test_availability_with_few_crews_is_the_birth_death_chains() -> None:
    cluster = idle_hosts(20, 100.0, Duration(10.0, "exponential"), 2)
    found = [share_down(Simulation(cluster, seed).run()) for seed in range(40)]
    expected = 1 - closed_forms.availability(20, 100.0, 10.0, crews=2)
    assert expected > 1.3 * (1 - closed_forms.availability(20, 100.0, 10.0))
    agrees(found, expected)


@pytest.mark.parametrize(("servers", "count"), [(1, 4000), (3, 4000), (12, 9000)])
def test_waiting_in_a_queue_is_erlangs(servers: int, count: int) -> None:
    service_h, load = 2.0, 0.7
    every_h = service_h / servers / load
    work = Work("job", 8, service_h, Checkpoints(NEVER, 0.0), count=count, every_h=every_h, law="exponential")
    days = 1.2 * count * every_h / 24
    cluster = Cluster("queue", days, Layout(8 * servers), (), (work,))
    waits = []
    for seed in range(8):
        jobs = Simulation(cluster, seed).run().jobs
        steady = jobs[count // 20 :]
        waits += batch_means([job.started_h - job.arrives_h for job in steady], 4)
    error = stdev(waits) / math.sqrt(len(waits))
    expected = closed_forms.erlang_c(servers, 1 / every_h, service_h)
    assert abs(fmean(waits) - expected) < FEW_IN_TEN_THOUSAND * error
    assert error < 0.12 * expected


def batch_means(values: list[float], batches: int) -> list[float]:
    size = len(values) // batches
    return [fmean(values[size * at : size * (at + 1)]) for at in range(batches)]


def test_erlang_c_of_one_server_is_that_of_the_simple_queue() -> None:
    assert closed_forms.erlang_c(1, 0.5, 1.0) == pytest.approx(1.0)  # rho / (mu - lambda)
    assert math.isinf(closed_forms.erlang_c(2, 3.0, 1.0))


@pytest.mark.parametrize(
    ("unit", "units"), [("chip", 64), ("link", 128), ("host", 8), ("rack", 2), ("domain", 1), ("cluster", 1)]
)
def test_failures_are_as_many_as_units_and_rates_say(unit: str, units: int) -> None:
    layout = Layout(64, chips_per_host=8, hosts_per_rack=4, racks_per_domain=2, links_per_chip=2)
    failure = Failure("any", unit, "stop", 100.0, recovers=1.0)
    work = Work("later", 1, 1.0, Checkpoints(1.0), arrives_h=NEVER)
    cluster = Cluster("x", 100.0, layout, (failure,), (work,))
    found = [float(len(Simulation(cluster, seed).failures)) for seed in range(200)]
    agrees(found, units * 2400 / 100)


def aged(change: Callable[[Failure], Failure], age_h: float) -> float:
    """Failures of 1,000 chips in 100 days against those of middle age."""
    failure = change(Failure("any", "chip", "stop", 1000.0))
    work = Work("later", 1, 1.0, Checkpoints(1.0), arrives_h=NEVER)
    cluster = Cluster("x", 100.0, Layout(1000), (failure,), (work,), age_h=age_h)
    return fmean(len(Simulation(cluster, seed).failures) for seed in range(20)) / 2400


def test_new_chips_fail_more_often_and_old_ones_again() -> None:
    early = lambda one: replace(one, early=3.0, early_h=240.0)  # noqa: E731
    expected = 1 + 3 * 240 * (1 - math.exp(-10)) / 2400  # mean excess over ten times the time it falls in
    assert aged(early, 0.0) == pytest.approx(expected, rel=0.02)
    assert aged(early, 24_000.0) == pytest.approx(1.0, rel=0.02)
    # Weibull: expected failures of a unit from age a to b are (b/L)^k - (a/L)^k.
    worn = lambda one: replace(one, wear_h=2000.0, wear_shape=2.0)  # noqa: E731
    added = ((3400 / 2000) ** 2 - (1000 / 2000) ** 2) / 2.4
    assert aged(worn, 1000.0) == pytest.approx(1 + added, rel=0.03)


def drawn(given: Cluster) -> list[Simulation]:
    return [Simulation(given, seed) for seed in range(40)]


def test_chips_fail_only_once_they_are_there() -> None:
    failure = Failure("any", "chip", "stop", 1000.0)
    work = Work("later", 1, 1.0, Checkpoints(1.0), arrives_h=NEVER)
    delivery = Delivery(75.0, 4000, yield_share=1.0)
    given = Cluster("x", 100.0, Layout(8), (failure,), (work,), deliveries=(delivery,))
    moments = np.concatenate([one.failures.at_h[one.failures.first > 0] for one in drawn(given)])
    assert moments.min() >= 75 * 24
    assert len(moments) / 40 == pytest.approx(4000 * 25 * 24 / 1000, rel=0.03)


def test_warm_racks_and_prone_hosts_fail_more_often() -> None:
    hall = Heat(25, 0, 0, 5.0, 0, 0.1, 500, 100, 90, 100, 0.5, 2.0)
    failure = Failure("any", "host", "stop", 100.0, doubling_c=5.0)
    work = Work("later", 1, 1.0, Checkpoints(1.0), arrives_h=NEVER)
    given = Cluster("x", 100.0, Layout(800), (failure,), (work,), hall)
    warm, cool = by_host(given, lambda one: one.drawn.rack_warmer_c > 5), by_host(
        given, lambda one: one.drawn.rack_warmer_c < -5
    )  # fmt: skip
    assert warm > 3 * cool
    uneven = replace(given, heat=None, unevenness=1.0)
    assert by_host(uneven, lambda one: one.drawn.prone > 1) > 3 * by_host(
        uneven, lambda one: one.drawn.prone < 1
    )


def by_host(given: Cluster, which: Callable[[Simulation], np.ndarray]) -> float:
    """Failures a host of some of them."""
    counts, hosts = 0, 0
    for one in drawn(given):
        counts += int(np.isin(one.failures.first, np.flatnonzero(which(one))).sum())
        hosts += int(which(one).sum())
    return counts / hosts


def test_spares_for_99_percent() -> None:
    # P99 of Binomial(128, 0.01) by its sum; ByteRobust keeps 4 for 1,024 chips, 128 hosts.
    assert closed_forms.binomial_spares(128, 0.01) == 4
    assert closed_forms.binomial_spares(1000, 0.0) == 0


def test_metas_formula() -> None:
    # arXiv 2410.21680: a day of 2,000 nodes at 6.5 failures per 1,000 node-days has 13 failures.
    found = closed_forms.meta_ettr(2000, 0.0065, 5 / 1440, 5 / 1440, 0.0)
    assert found == pytest.approx(1 - 13 * 7.5 / 1440)
