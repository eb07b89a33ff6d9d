"""What follows from a failure, to the hour: failures are put in by hand, the end of the job is worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jumar.fleet.simulation import warmth
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
from jumar.fleet.simulation.drawing import Failures
from jumar.fleet.simulation.jobs import CHECKPOINTS, REDONE, SLOWED, UNNOTICED, WAITING
from jumar.fleet.simulation.simulating import OVERHEATED, Simulation

NEVER = 1e12
HOURLY = Checkpoints(every_h=1.0, blocks_h=0.0)
EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet" / "cluster.toml"
STOP, SLOW, SILENT, HEAT = range(4)
KINDS = (
    Failure("stop", "host", "stop", NEVER),
    Failure("slow", "host", "slow", NEVER, speed=0.5),
    Failure("silent", "host", "silent", NEVER),
    Failure("cooling", "domain", "heat", NEVER, rise_c=20.0),
)
HALL = Heat(
    inlet_c=25.0, daily_c=0.0, yearly_c=0.0, rack_spread_c=0.0, chip_spread_c=0.0, resistance=0.1, power_w=500.0,
    idle_w=100.0, throttle_c=90.0, shutdown_c=100.0, lowest_clock=0.5, exponent=2.0,
)  # fmt: skip


def job(hosts: int = 2, hours: float = 10.0, **more: object) -> Work:
    given = {"checkpoints": HOURLY, "restart_h": 0.25, "clock_share": 1.0, **more}
    return Work("job", hosts, hours, **given)  # type: ignore[arg-type]


def cluster(hosts: int, *work: Work, **more: object) -> Cluster:
    layout = Layout(hosts, chips_per_host=1, hosts_per_rack=2, racks_per_domain=2)
    return Cluster("small", 30.0, layout, KINDS, work, age_h=0.0, **more)  # type: ignore[arg-type]


def play(given: Cluster, *happens: tuple[float, int, int, float, float, float], hosts: int = 1) -> Simulation:
    """`happens`: hour, kind, first host, hours until noticed, of repair, and that it lasts."""
    simulation = Simulation(given, 0)
    rows = sorted(happens)
    columns = [np.array([row[at] for row in rows], dtype=float) for at in range(6)]
    whole = [column.astype(np.int64) for column in columns]
    simulation.failures = Failures(
        columns[0], whole[1], whole[2], np.full(len(rows), hosts), columns[3], columns[4], columns[5]
    )
    return simulation.run()


def ends(simulation: Simulation) -> list[float]:
    return [one.finished_h for one in simulation.jobs]


def test_a_failure_costs_the_work_since_the_checkpoint_the_notice_and_the_restart() -> None:
    simulation = play(cluster(3, job()), (2.3, STOP, 0, 0.5, 48.0, 0.0))
    assert ends(simulation) == [pytest.approx(10 + 0.3 + 0.5 + 0.25)]
    uses = simulation.jobs[0].uses
    assert uses[REDONE] == pytest.approx(2 * 0.3) and uses[UNNOTICED] == pytest.approx(2 * 0.5)


def test_without_a_spare_the_job_waits_for_the_repair() -> None:
    simulation = play(cluster(2, job()), (2.0, STOP, 0, 0.5, 48.0, 0.0))
    assert ends(simulation) == [pytest.approx(10 + 48 + 0.25)]
    assert simulation.jobs[0].uses[WAITING] == pytest.approx(48 - 0.5)  # the host that is left


def test_without_a_repair_it_goes_on_with_the_same_hosts() -> None:
    assert ends(play(cluster(2, job()), (2.0, STOP, 0, 0.5, 0.0, 0.0))) == [pytest.approx(10.75)]


def test_a_spare_costs_the_swap() -> None:
    assert ends(play(cluster(3, job(swap_h=1.0)), (2.0, STOP, 0, 0.0, 48.0, 0.0))) == [pytest.approx(11.25)]


def test_a_failure_while_restarting_begins_the_restart_again() -> None:
    happens = ((2.0, STOP, 0, 0.0, 0.0, 0.0), (2.2, STOP, 0, 0.0, 0.0, 0.0))
    simulation = play(cluster(2, job()), *happens)
    assert ends(simulation) == [pytest.approx(10 + 0.2 + 0.25)]
    assert simulation.jobs[0].interruptions["stop"] == 2


def test_a_job_that_can_shrink_goes_on_smaller() -> None:
    work = job(least_chips=1, chips_share=0.5)
    simulation = play(cluster(2, work), (4.0, STOP, 0, 0.0, 1000.0, 0.0))
    # Half of the step is twice as long on half of the hosts: 1.5 times as long in all.
    assert ends(simulation) == [pytest.approx(4 + 0.25 + 6 * 1.5)]


def test_a_silent_error_takes_the_job_back_before_it() -> None:
    simulation = play(cluster(3, job()), (2.3, SILENT, 0, 3.3, 1.0, 0.0))
    assert ends(simulation) == [pytest.approx(5.6 + 0.25 + 8)]


def test_a_silent_error_follows_the_job_that_it_spoilt() -> None:
    """Its host is replaced for another reason before anybody finds the error; the job goes back all the same."""
    happens = ((2.3, SILENT, 0, 5.0, 1.0, 0.0), (3.5, STOP, 0, 0.0, 100.0, 0.0))
    simulation = play(cluster(3, job()), *happens)
    assert ends(simulation) == [pytest.approx(7.3 + 0.25 + 8)]
    assert simulation.jobs[0].unseen_errors == 0
    early = ((2.3, SILENT, 0, 5.0, 1.0, 0.0), (2.9, STOP, 0, 0.0, 100.0, 0.0))
    assert ends(play(cluster(3, job()), *early)) == [pytest.approx(2.9 + 0.25 + 8)]


def test_a_silent_error_that_nobody_finds_is_counted() -> None:
    simulation = play(cluster(3, job()), (2.3, SILENT, 0, 100.0, 1.0, 0.0))
    assert ends(simulation) == [pytest.approx(10)] and simulation.jobs[0].unseen_errors == 1


def test_a_straggler_slows_everyone_until_it_passes_or_is_noticed() -> None:
    passes = play(cluster(3, job()), (2.0, SLOW, 1, 9.0, 1.0, 4.0))
    assert ends(passes) == [pytest.approx(12)]
    assert passes.jobs[0].uses[SLOWED] == pytest.approx(2 * 2)
    noticed = play(cluster(3, job()), (2.0, SLOW, 1, 1.5, 1.0, 4.0))
    assert ends(noticed) == [pytest.approx(10 + 0.75 + 0.25)]  # nothing is lost: it saves before it leaves
    assert noticed.jobs[0].uses[REDONE] == 0
    idle = play(cluster(3, job()), (2.0, SLOW, 2, 9.0, 1.0, 4.0))
    assert ends(idle) == [pytest.approx(10)]


def test_a_straggler_that_was_repaired_is_slow_no_more() -> None:
    simulation = play(cluster(2, job()), (2.0, SLOW, 1, 1.0, 1.0, 100.0))
    assert ends(simulation) == [pytest.approx(2 + 1 + 1 + 0.25 + 7.5)]


def test_a_rack_takes_all_its_hosts() -> None:
    simulation = play(cluster(8, job(hosts=3)), (2.0, STOP, 0, 0.0, 24.0, 0.0), hosts=2)
    assert simulation.jobs[0].interruptions["stop"] == 1
    assert simulation.ledger.down_host_h == pytest.approx(2 * (10.25 - 2))


def test_few_crews_repair_one_after_the_other() -> None:
    given = cluster(3, job(hosts=3), crews=1)
    happens = ((2.0, STOP, 0, 0.0, 10.0, 0.0), (3.0, STOP, 1, 0.0, 10.0, 0.0))
    assert ends(play(given, *happens)) == [pytest.approx(22 + 0.25 + 8)]
    assert ends(play(replace(given, crews=0), *happens)) == [pytest.approx(13 + 0.25 + 8)]


def test_heat_lowers_the_clock_as_the_law_says() -> None:
    warm = replace(HALL, inlet_c=50.0)  # 400 W above idle are allowed 300 of them
    clock = (300 / 400) ** 0.5
    simulation = play(cluster(2, job(), heat=warm))
    assert ends(simulation) == [pytest.approx(10 / clock, rel=0.01)]
    half = play(cluster(2, job(clock_share=0.5), heat=warm))
    assert ends(half) == [pytest.approx(5 + 5 / clock, rel=0.01)]
    assert ends(play(cluster(2, job(), heat=HALL))) == [pytest.approx(10)]


def test_too_hot_at_the_lowest_clock_goes_off_and_comes_back() -> None:
    # 85 degrees at the inlet, and 20 more from chips at half clock: above shutdown.
    given = cluster(2, job(), heat=HALL)
    given = replace(given, failures=(*KINDS[:3], replace(KINDS[3], rise_c=60.0)))
    simulation = play(given, (2.0, HEAT, 0, 0.0, 0.0, 5.0), hosts=2)
    assert simulation.jobs[0].interruptions[OVERHEATED] == 1
    assert ends(simulation) == [pytest.approx(2 + 5 + 0.25 + 8, abs=0.01)]


def test_between_throttling_and_shutdown_it_runs_at_the_lowest_clock() -> None:
    simulation = play(cluster(2, job(), heat=replace(HALL, inlet_c=75.0)))  # 95 degrees at half of the clock
    assert ends(simulation) == [pytest.approx(20)] and not simulation.floor.too_hot.any()


def test_failed_cooling_slows_as_long_as_it_lasts() -> None:
    given = cluster(2, job(), heat=replace(HALL, inlet_c=35.0))
    simulation = play(given, (2.0, HEAT, 0, 0.0, 0.0, 3.0), hosts=2)
    clock = np.floor((((90 - 55) / 0.1 - 100) / 400) ** 0.5 * 200) / 200
    assert ends(simulation) == [pytest.approx(10 + 3 * (1 - clock))]


def test_law_of_heat_holds_the_throttling_temperature() -> None:
    air = np.linspace(20, 70, 11)
    clock, too_hot = warmth.clocks(HALL, np.zeros(11), air)
    reached = air + HALL.resistance * warmth.power_w(HALL, clock)
    throttled = (clock < 1) & (clock > HALL.lowest_clock)
    assert throttled.any() and np.all(reached[throttled] <= HALL.throttle_c)
    assert np.all(reached[throttled] > HALL.throttle_c - 0.5)
    assert np.all(np.diff(clock) <= 0) and not too_hot[0]


def queue(scheduler: str, last_hours: float) -> list[float]:
    """Four hosts: one job has three of them for 10 hours, the next wants all four, the last one."""
    work = (
        Work("first", 3, 10.0, HOURLY),
        Work("second", 4, 5.0, HOURLY, arrives_h=1.0),
        Work("third", 1, last_hours, HOURLY, arrives_h=2.0),
    )
    simulation = Simulation(replace(cluster(4, *work, scheduler=scheduler), failures=()), 0).run()
    return [one.started_h for one in simulation.jobs]


def test_backfilling_runs_ahead_only_where_it_delays_nobody() -> None:
    assert queue("fifo", 3.0) == pytest.approx([0, 10, 15])
    assert queue("backfill", 3.0) == pytest.approx([0, 10, 2])
    assert queue("backfill", 9.0) == pytest.approx([0, 10, 15])


def test_new_jobs_leave_spares_alone_and_broken_ones_take_them() -> None:
    work = (job(), replace(job(), name="later", arrives_h=1.0))
    simulation = play(cluster(5, *work, spares=2), (2.0, STOP, 0, 0.0, 100.0, 0.0))
    first, later = simulation.jobs
    assert first.finished_h == pytest.approx(10.25)
    assert later.started_h == pytest.approx(10.25)
    assert [one.started_h for one in play(cluster(5, *work, spares=1)).jobs] == pytest.approx([0, 1])


def test_packed_jobs_lie_together_and_spread_ones_pay() -> None:
    fill = Work("fill", 3, 100.0, HOURLY)
    packed = play(cluster(8, fill, replace(job(hosts=4, spread_cost=0.1), arrives_h=1.0)))
    assert packed.jobs[1].finished_h == pytest.approx(11)
    anywhere = play(cluster(8, fill, replace(job(hosts=4, spread_cost=0.1), arrives_h=1.0), placement="any"))
    assert anywhere.jobs[1].finished_h == pytest.approx(1 + 10 * 1.05)


def test_a_job_waits_for_the_delivery_of_its_chips() -> None:
    delivery = Delivery(
        day=2.0, chips=2, delay=Duration(12.0, "fixed"), yield_share=0.0, repair=Duration(6.0, "fixed")
    )
    assert play(cluster(2, job(hosts=4), deliveries=(delivery,))).jobs[0].started_h == pytest.approx(
        48 + 12 + 6
    )


def everything(scheduler: str = "backfill") -> Cluster:
    """Small, with all kinds of failures, so frequent that all of them meet."""
    seldom: Sequence[Failure] = (
        Failure("chip", "chip", "stop", 3000, early=1.0, recovers=0.3, notice=Duration(0.2), repair=Duration(30.0)),
        Failure("link", "link", "stop", 9000, notice=Duration(0.5), repair=Duration(10.0)),
        Failure("host", "host", "stop", 2000, wear_h=5000, doubling_c=10, repair=Duration(20.0)),
        Failure("rack", "rack", "stop", 3000, repair=Duration(5.0)),
        Failure("program", "cluster", "stop", 300, recovers=1.0, busy_only=True),
        Failure("straggler", "chip", "slow", 5000, speed=0.7, notice=Duration(3.0), lasts=Duration(4.0)),
        Failure("silent", "chip", "silent", 9000, notice=Duration(8.0), repair=Duration(9.0)),
        Failure("cooling", "domain", "heat", 400, rise_c=45.0, lasts=Duration(4.0)),
    )  # fmt: skip
    rule = Checkpoints(blocks_h=0.02, writes_h=0.1, drag=0.05)
    work = (
        Work("large", 256, 200.0, rule, least_chips=192, spread_cost=0.1),
        Work("small", 16, 20.0, rule, count=150, every_h=6.0, law="lognormal", swap_h=0.1),
    )
    return Cluster(
        "all", 60.0, Layout(448, 8, 4, 4), tuple(seldom), work, replace(HALL, inlet_c=37.0, daily_c=3.0, rack_spread_c=2.0),
        (Delivery(10.0, 128, Duration(48.0), 0.8),), spares=2, crews=5, age_h=0.0, unevenness=0.5, scheduler=scheduler,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_chip_hour_is_somewhere(seed: int) -> None:
    simulation = Simulation(everything("fifo" if seed % 2 else "backfill"), seed).run()
    ledger, floor = simulation.ledger, simulation.floor
    used = sum(float(one.uses.sum()) for one in simulation.jobs) / 8
    hosts = len(floor.owner)
    total = used + ledger.idle_host_h + ledger.down_host_h + ledger.absent_host_h
    assert total == pytest.approx(hosts * simulation.now_h)
    assert all((one.uses >= -1e-6).all() for one in simulation.jobs)
    done = [one for one in simulation.jobs if one.finished_h == one.finished_h]
    assert len(done) > 50
    for one in done:
        assert one.uses[0] == pytest.approx(one.hours * one.full_chips)
    assert (floor.faults >= 0).all() and floor.slow.max() <= 1
    held = {number for number in floor.owner.tolist() if number >= 0}
    assert held == {one.number for one in simulation.active.values() if len(one.hosts)}
    kinds = {name for name, count in ledger.failures.items() if count}
    assert kinds >= {failure.name for failure in simulation.cluster.failures}
    assert sum(one.uses[CHECKPOINTS] for one in done) > 0


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    first, again, other = (Simulation(everything(), seed).run() for seed in (3, 3, 4))
    assert ends(first) == pytest.approx(ends(again), nan_ok=True, rel=0, abs=0)
    assert first.ledger.history == again.ledger.history != other.ledger.history


def test_one_kind_of_failure_does_not_change_the_luck_of_others() -> None:
    fewer = replace(everything(), failures=everything().failures[1:])
    there, here = Simulation(everything(), 1).failures, Simulation(fewer, 1).failures
    assert there.at_h[there.kind == 2].tolist() == here.at_h[here.kind == 1].tolist()


def test_events_grow_with_failures_and_not_with_hours_or_chips() -> None:
    """What costs time are events; so a hundred thousand chips for months are a matter of seconds."""
    from jumar.fleet.simulation import cluster_file

    file = cluster_file.load(EXAMPLE)
    quiet = {"days": 90.0, "operation.rates": 1.0, "work.pretraining.hours": 1e5}
    often = {**quiet, "operation.rates": 3.0}
    events, failures = zip(
        *(counts(Simulation(file.drawn(3, given), 3)) for given in (quiet, often)), strict=True
    )
    assert failures[1] > 2.5 * failures[0] > 5000
    assert events[1] - events[0] < 3.5 * (failures[1] - failures[0])
    # Without failures and heat there is an event a day, and a few for job and delivery.
    calm = replace(file.drawn(3, quiet), failures=(), heat=None)
    assert counts(Simulation(calm, 3))[0] < 90 + 16_384 / 16


def counts(simulation: Simulation) -> tuple[int, int]:
    ledger = simulation.run().ledger
    return ledger.events, ledger.failures.total()
