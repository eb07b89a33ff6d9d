"""Who gets free hosts: jobs that wait for replacements first, then the queue, in order or with backfilling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jumar.fleet.simulation.jobs import Job, State

LOOK_AHEAD = 500  # jobs of the queue that backfilling considers


def to_start(
    queue: Sequence[Job], free: int, running: Iterable[Job], now_h: float, scheduler: str
) -> list[Job]:
    """Jobs that begin now on `free` hosts, first those at the head of the queue."""
    chosen: list[Job] = []
    for head in queue:
        if head.hosts_wanted > free:
            break
        chosen.append(head)
        free -= head.hosts_wanted
    if scheduler == "backfill" and len(chosen) < len(queue) and free > 0:
        chosen += _ahead(queue[len(chosen) :], free, [*running, *chosen], now_h)
    return chosen


def _ahead(waiting: Sequence[Job], free: int, running: Iterable[Job], now_h: float) -> list[Job]:
    """Jobs that fit beside the first of `waiting` without delaying it, as estimated without failures."""
    head, chosen = waiting[0], []
    begins_h, extra = _reservation(head, free, running, now_h)
    for job in waiting[1 : LOOK_AHEAD + 1]:
        if job.hosts_wanted > free:
            continue
        ends_in_time = end_h(job, now_h) <= begins_h
        if not ends_in_time and job.hosts_wanted > extra:
            continue
        chosen.append(job)
        free -= job.hosts_wanted
        extra -= 0 if ends_in_time else job.hosts_wanted
        if free == 0:
            break
    return chosen


def _reservation(head: Job, free: int, running: Iterable[Job], now_h: float) -> tuple[float, int]:
    """When enough hosts are free for the head of the queue, and how many are left over then."""
    ends = sorted((end_h(job, now_h), max(len(job.hosts), job.hosts_wanted)) for job in running)
    for when_h, hosts in ends:
        free += hosts
        if free >= head.hosts_wanted:
            return when_h, free - head.hosts_wanted
    return float("inf"), 0


def end_h(job: Job, now_h: float) -> float:
    """When it ends if nothing happens. What a running job has done is booked as of `since_h`."""
    if job.state is State.RUNNING:
        return job.since_h + job.progress.hours_to(job.hours, max(job.speed, 1e-9))
    return now_h + job.progress.hours_to(job.hours, 1.0)
