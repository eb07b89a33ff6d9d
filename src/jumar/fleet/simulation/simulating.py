"""The simulation: failures as drawn and what follows from them, one event after the other. Nothing happens in between
that is not in closed form, so time costs nothing and events cost all."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from jumar.fleet.simulation import warmth
from jumar.fleet.simulation.arrivals import draw_jobs
from jumar.fleet.simulation.cluster import Cluster
from jumar.fleet.simulation.drawing import HOURS_A_DAY, Floats, Whole, draw_failures, draw_hosts
from jumar.fleet.simulation.jobs import NO_HOSTS, Job, State
from jumar.fleet.simulation.ledger import Ledger
from jumar.fleet.simulation.placing import FREE, Floor
from jumar.fleet.simulation.queueing import to_start

OVERHEATED = "overheated"


class Simulation:
    """One replica. `run` takes it to the end; then `jobs` and `ledger` say what happened."""

    def __init__(self, cluster: Cluster, seed: int, stop_when_done: bool = True) -> None:
        self.cluster = cluster
        self.end_h = cluster.days * HOURS_A_DAY
        self.drawn = draw_hosts(cluster, seed)
        self.failures = draw_failures(cluster, self.drawn, seed)
        self.jobs = draw_jobs(cluster, seed)
        self.floor = Floor(cluster.layout, self.drawn, cluster.placement)
        self.ledger = Ledger(cluster.layout.chips_per_host)
        self.now_h = 0.0
        self.stop_when_done = stop_when_done
        self.queue: list[Job] = []
        self.active: dict[int, Job] = {}
        self.left = len(self.jobs)
        self.crews = [0.0] * cluster.crews
        self.moments: Floats = np.zeros(0)
        self.watched_h = float("inf")
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._counts = (0, 0)
        self._set_up()

    def run(self) -> Simulation:
        """Takes events in order of time: those drawn, and those that follow from others."""
        drawn = self.failures
        times = [*drawn.at_h.tolist(), float("inf")]
        row = 0
        while self.left or not self.stop_when_done:
            follows_h = self._events[0][0] if self._events else float("inf")
            when_h = min(times[row], follows_h)
            if when_h >= self.end_h:
                break
            self._pass_to(when_h)
            if times[row] <= follows_h:
                self._fail(row)
                row += 1
            else:
                _, _, act, arguments = heapq.heappop(self._events)
                act(*arguments)
            self._counts = self.floor.counts()
            self.ledger.events += 1
        finished = self.left == 0 and self.stop_when_done
        self._pass_to(self.now_h if finished else self.end_h)
        self._note_day()
        return self

    def after(self, hours: float, act: Callable[..., None], *arguments: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now_h + hours, self._number, act, arguments))

    # Setting up, and the clock

    def _set_up(self) -> None:
        later = np.unique(self.drawn.birth_h[self.drawn.birth_h > 0])
        for birth_h in later[later < self.end_h]:
            self.after(float(birth_h), self._deliver)
        for job in self.jobs:
            self.after(job.arrives_h, self._arrive, job)
        for day in range(1, int(self.cluster.days) + 1):
            self.after(day * HOURS_A_DAY, self._note_day)
        if self.cluster.heat:
            self.moments = warmth.warm_moments(self.cluster.heat, self.drawn, self.end_h)
            self.after(0.0, self._feel_heat)
        self._counts = self.floor.counts()

    def _pass_to(self, now_h: float) -> None:
        idle, down = self._counts
        held = sum(len(job.hosts) for job in self.active.values())
        absent = len(self.floor.owner) - held - idle - down
        self.ledger.pass_time(now_h - self.now_h, idle, down, absent)
        self.now_h = now_h

    def _note_day(self) -> None:
        self.ledger.note_day(self.now_h, self.active.values())

    # What is drawn: failures, arrivals, deliveries

    def _fail(self, row: int) -> None:
        drawn, failure = self.failures, self.cluster.failures[self.failures.kind[row]]
        hosts = np.arange(drawn.first[row], drawn.first[row] + drawn.count[row])
        if failure.effect != "heat":  # warm air waits for hosts that are down now
            hosts = hosts[self.floor.up()[hosts]]
        if failure.busy_only:
            hosts = hosts[self.floor.owner[hosts] != FREE]
        if len(hosts) == 0:
            return
        self.ledger.failures[failure.name] += 1
        self.ledger.record(self.now_h, failure.name, len(hosts))
        getattr(self, f"_{failure.effect}")(row, failure.name, hosts)

    def _stop(self, row: int, name: str, hosts: Whole) -> None:
        self._stop_hosts(hosts, name, float(self.failures.notice_h[row]), float(self.failures.repair_h[row]))

    def _slow(self, row: int, name: str, hosts: Whole) -> None:
        drawn = self.failures
        speed = self.cluster.failures[drawn.kind[row]].speed
        self._set_slow(hosts, speed)
        if drawn.notice_h[row] < drawn.lasts_h[row]:
            self.after(float(drawn.notice_h[row]), self._evict, row, name, hosts)
        else:
            self.after(float(drawn.lasts_h[row]), self._set_slow, hosts, 1 / speed)

    def _silent(self, row: int, name: str, hosts: Whole) -> None:
        spoilt = [job for job in self._owners(hosts) if job.state is State.RUNNING]
        for job in spoilt:
            job.pass_to(self.now_h)
            job.progress.corrupt()
            job.unseen_errors += 1
        self.after(float(self.failures.notice_h[row]), self._find_wrong, row, name, hosts, spoilt)

    def _heat(self, row: int, name: str, hosts: Whole) -> None:
        rise_c = self.cluster.failures[self.failures.kind[row]].rise_c
        self._warm(hosts, rise_c)
        self.after(float(self.failures.lasts_h[row]), self._warm, hosts, -rise_c)

    def _arrive(self, job: Job) -> None:
        self.queue.append(job)
        self._serve()

    def _deliver(self) -> None:
        self.floor.present = self.drawn.birth_h <= self.now_h
        if self.cluster.heat:
            self._feel(self.now_h)
        self._serve()

    # What follows from a failure

    def _stop_hosts(self, hosts: Whole, name: str, notice_h: float, repair_h: float) -> None:
        if repair_h > 0:
            self.floor.faults[hosts] += 1
            self.after(self._repair_time(repair_h), self._repair, hosts)
        for job in self._owners(hosts):
            self._stop_job(job, name, notice_h)

    def _stop_job(self, job: Job, name: str, notice_h: float) -> None:
        if job.state is State.UNNOTICED:
            return
        job.pass_to(self.now_h)
        if job.state is State.WAITING:
            self._take_back_broken(job)
            return
        job.interruptions[name] += 1
        self.ledger.record_stop(job.fall_back() if job.state is State.RUNNING else 0.0)
        job.change(State.UNNOTICED)
        self.after(notice_h, self._notice, job, job.version)

    def _notice(self, job: Job, version: int) -> None:
        if job.version == version:
            job.pass_to(self.now_h)
            self._take_back_broken(job)
            self._wait_or_restart(job)
            self._serve()

    def _take_back_broken(self, job: Job) -> None:
        good = self.floor.up()[job.hosts]
        self.floor.owner[job.hosts[~good]] = FREE
        job.hosts = job.hosts[good]

    def _wait_or_restart(self, job: Job) -> None:
        """Takes what is free; begins again if that is enough, otherwise holds what it has and waits."""
        missing = job.hosts_wanted - len(job.hosts)
        free = self.floor.free() if missing else NO_HOSTS
        if len(free) + len(job.hosts) < job.hosts_least:
            job.change(State.WAITING)
            return
        self._give(job, free, min(missing, len(free)))
        job.change(State.RESTARTING)
        hours = job.work.restart_h + (job.work.swap_h if missing else 0.0)
        self.after(hours, self._begin, job, job.version)

    def _begin(self, job: Job, version: int) -> None:
        if job.version == version:
            job.pass_to(self.now_h)
            job.change(State.RUNNING)
            job.speed = job.speed_on(self.floor.slow, self.floor.clock)
            self._foresee_end(job)

    def _evict(self, row: int, name: str, hosts: Whole) -> None:
        """A slow host is found: the job saves its work, goes on without it, and the host is repaired."""
        self._set_slow(hosts, 1 / self.cluster.failures[self.failures.kind[row]].speed)
        hosts = hosts[self.floor.up()[hosts]]
        self.ledger.record(self.now_h, name, len(hosts))
        for job in self._owners(hosts):
            if job.state is State.RUNNING:
                job.pass_to(self.now_h)
                job.progress.save()
        self._stop_hosts(hosts, name, 0.0, float(self.failures.repair_h[row]))

    def _find_wrong(self, row: int, name: str, hosts: Whole, spoilt: list[Job]) -> None:
        """A silent error is found: the jobs that it spoilt go back to before it, wherever they run now."""
        hosts = hosts[self.floor.up()[hosts]]
        self.ledger.record(self.now_h, name, len(hosts))
        for job in spoilt:
            if job.state is not State.DONE:
                job.pass_to(self.now_h)
                job.unseen_errors -= 1
                lost_h = job.back_to_clean()
                if lost_h:
                    self.ledger.record_stop(lost_h)
                    self._stop_job(job, name, 0.0)
        self._stop_hosts(hosts, name, 0.0, float(self.failures.repair_h[row]))

    def _repair_time(self, repair_h: float) -> float:
        """Until the host is back, with the wait for one of the crews if they are limited."""
        if not self.crews:
            return repair_h
        begins_h = max(self.now_h, heapq.heappop(self.crews))
        heapq.heappush(self.crews, begins_h + repair_h)
        return begins_h + repair_h - self.now_h

    def _repair(self, hosts: Whole) -> None:
        self.floor.faults[hosts] -= 1
        self._serve()

    def _owners(self, hosts: Whole) -> list[Job]:
        numbers = self.floor.owner[hosts]
        return [self.active[number] for number in sorted({*numbers[numbers != FREE].tolist()})]

    # Speed: stragglers and heat

    def _set_slow(self, hosts: Whole, factor: float) -> None:
        slow = self.floor.slow
        slow[hosts] = np.round(slow[hosts] * factor, 9)
        self._change_speeds(hosts)

    def _warm(self, hosts: Whole, by_c: float) -> None:
        self.floor.warmer_air[hosts] += by_c
        if self.cluster.heat:
            self._feel(self.now_h)
            self._watch()

    def _feel_heat(self) -> None:
        if self.now_h >= self.watched_h or self.now_h == 0:
            self.watched_h = float("inf")
            self._feel(self.now_h)
            self._watch()

    def _watch(self) -> None:
        """Looks again soon while something is warm, otherwise when the weather makes it so."""
        heat = self.cluster.heat
        assert heat is not None
        if bool(
            (self.floor.clock < 1).any() or self.floor.too_hot.any() or (self.floor.warmer_air > 0.01).any()
        ):
            next_h = self.now_h + heat.every_h
        else:
            later = np.searchsorted(self.moments, self.now_h, side="right")
            next_h = float(self.moments[later]) if later < len(self.moments) else float("inf")
        if next_h < min(self.watched_h, self.end_h):
            self.watched_h = next_h
            self.after(next_h - self.now_h, self._feel_heat)

    def _feel(self, now_h: float) -> None:
        heat, floor = self.cluster.heat, self.floor
        assert heat is not None
        air_c = warmth.inlet_c(heat, now_h) + floor.warmer_air
        clock, too_hot = warmth.clocks(heat, self.drawn.rack_warmer_c + self.drawn.chip_warmer_c, air_c)
        changed = np.flatnonzero(clock != floor.clock)
        went_off = np.flatnonzero(too_hot & ~floor.too_hot & floor.present)
        came_back = bool((floor.too_hot & ~too_hot).any())
        floor.clock, floor.too_hot = clock, too_hot
        self._change_speeds(changed)
        if len(went_off):
            self.ledger.failures[OVERHEATED] += 1
            self.ledger.record(self.now_h, OVERHEATED, len(went_off))
            for job in self._owners(went_off):
                self._stop_job(job, OVERHEATED, 0.0)
        if came_back:
            self._serve()

    def _change_speeds(self, hosts: Whole) -> None:
        for job in self._owners(hosts):
            if job.state is State.RUNNING:
                speed = job.speed_on(self.floor.slow, self.floor.clock)
                if speed != job.speed:
                    job.pass_to(self.now_h)
                    job.speed = speed
                    job.version += 1
                    self._foresee_end(job)

    def _foresee_end(self, job: Job) -> None:
        self.after(job.progress.hours_to(job.hours, job.speed), self._finish, job, job.version)

    # Who gets hosts

    def _finish(self, job: Job, version: int) -> None:
        if job.version != version:
            return
        job.pass_to(self.now_h)
        self.floor.owner[job.hosts] = FREE
        job.hosts, job.finished_h = NO_HOSTS, self.now_h
        job.change(State.DONE)
        del self.active[job.number]
        self.ledger.done_uses += job.uses
        self.left -= 1
        self._serve()

    def _serve(self) -> None:
        """Gives free hosts to jobs that wait for them, then to the queue; new jobs leave the spares alone."""
        for job in [job for job in self.active.values() if job.state is State.WAITING]:
            job.pass_to(self.now_h)
            self._wait_or_restart(job)
        if not self.queue:
            return
        free = self.floor.free()
        running = list(self.active.values()) if self.cluster.scheduler == "backfill" else []
        room = len(free) - self.cluster.spares
        begun = to_start(self.queue, room, running, self.now_h, self.cluster.scheduler)
        for job in begun:
            self._start(job)
        if begun:
            numbers = {job.number for job in begun}
            self.queue = [job for job in self.queue if job.number not in numbers]

    def _start(self, job: Job) -> None:
        self.active[job.number] = job
        job.since_h = job.started_h = self.now_h
        self._give(job, self.floor.free(), job.hosts_wanted)
        job.change(State.RUNNING)
        job.speed = job.speed_on(self.floor.slow, self.floor.clock)
        self._foresee_end(job)

    def _give(self, job: Job, free: Whole, count: int) -> None:
        chosen = self.floor.choose(free, count, job.hosts)
        self.floor.owner[chosen] = job.number
        job.hosts = np.sort(np.concatenate([job.hosts, chosen]))
        job.spread = self.floor.spread(job.hosts, job.work.spread_cost)
