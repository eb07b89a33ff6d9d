"""A step of a transformer job as a plan of segments, and its time: schedule, exposed communication, host, optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.physics.accelerator import Accelerator
from jumar.physics.blocks import Segment
from jumar.physics.link import collective_seconds
from jumar.physics.operator import price_table
from jumar.physics.parameters import Parameters, parameters_for
from jumar.physics.work import Floats, Work, WorkTable, table_of


@dataclass(frozen=True)
class Plan:
    """A step of one rank of the busiest pipeline stage.

    segments       what runs, each once; how often stands beside it in `stage`, `last`, `once`
    stage          counts of segments for one micro-batch on an ordinary stage
    last           the same on the stage with the head
    once           counts for the whole step, with the optimizer
    tokens         that the whole job handles in the step
    """

    segments: tuple[Segment, ...]
    stage: tuple[float, ...]
    last: tuple[float, ...]
    once: tuple[float, ...]
    micro_batches: int
    pipeline: int
    virtual: int
    tokens: float
    operations: float
    training: bool
    compiled: bool = False


@dataclass(frozen=True)
class StepPrice:
    """Seconds of a step with its range, and where they go; `parts` adds up to `seconds`."""

    seconds: float
    low: float
    high: float
    parts: Mapping[str, float]
    limit: str

    def tokens_per_second(self, plan: Plan) -> float:
        return plan.tokens / self.seconds


@dataclass(frozen=True, eq=False)
class PlanTable:
    """A plan made ready for pricing many times: distinct works, and how often each segment has each."""

    plan: Plan
    works: WorkTable
    counts: Floats  # segments × distinct works
    launches: Floats  # of each segment


def tabulate(plan: Plan) -> PlanTable:
    """The plan's works as columns."""
    seen: dict[Work, int] = {}
    for segment in plan.segments:
        for work, _ in segment.works:
            seen.setdefault(work, len(seen))
    counts = np.zeros((len(plan.segments), len(seen)))
    launches = np.zeros(len(plan.segments))
    for i, segment in enumerate(plan.segments):
        for work, count in segment.works:
            counts[i, seen[work]] += count
            launches[i] += count * work.launches
    return PlanTable(plan, table_of(tuple(seen)), counts, launches)


def price_step(
    plan: Plan | PlanTable, machine: Accelerator, parameters: Parameters | None = None
) -> StepPrice:
    """Time of the step."""
    chosen = parameters or parameters_for(machine.name, machine.generation)
    table = plan if isinstance(plan, PlanTable) else tabulate(plan)
    device_s = table.counts @ price_table(table.works, machine, chosen).seconds
    return combine(table, device_s, machine, chosen)


def combine(table: PlanTable, device_s: Floats, machine: Accelerator, parameters: Parameters) -> StepPrice:
    """The step's time from the chip's time of each segment."""
    plan = table.plan
    # What has no work of its own, the reduction of gradients, runs beside the last micro-batch.
    pass_s = float(np.dot(plan.stage, device_s))
    beside_s = [float(own_s) if s.works else pass_s for s, own_s in zip(plan.segments, device_s, strict=True)]
    exposed_s = np.array(
        [exposed(s, busy_s, machine, parameters) for s, busy_s in zip(plan.segments, beside_s, strict=True)]
    )
    kernel_s = 0.0 if plan.compiled else parameters.host_kernel_s
    passes = 0.0 if plan.compiled else parameters.host_pass_s

    def busy(counts: tuple[float, ...], more_s: float) -> tuple[float, float, float]:
        """Seconds of the chip, of communication, and what the host adds: a smooth maximum, as neither runs evenly."""
        chip_s, wait_s = float(np.dot(counts, device_s)), float(np.dot(counts, exposed_s))
        host_s, both_s = float(np.dot(counts, table.launches)) * kernel_s + more_s, chip_s + wait_s
        power = parameters.host_sharpness
        longer = max(host_s, both_s, 1e-30)
        together = longer * ((host_s / longer) ** power + (both_s / longer) ** power) ** (1 / power)
        return chip_s, wait_s, max(0.0, together - both_s)

    stage, last, once = busy(plan.stage, passes), busy(plan.last, passes), busy(plan.once, 0.0)
    longest = max(stage, last, key=sum)
    many = plan.micro_batches
    parts = {
        "chip": many * longest[0] + once[0],
        "communication": many * longest[1] + once[1],
        "host": many * longest[2] + once[2],
        "bubble": (plan.pipeline - 1) / plan.virtual * sum(stage),
        "outside": parameters.step_overhead_s if plan.training else 0.0,
    }
    seconds = sum(parts.values())
    factor = float(np.exp(parameters.spread["training" if plan.training else "inference"]))
    return StepPrice(
        seconds, seconds / factor, seconds * factor, parts, max(parts, key=lambda key: parts[key])
    )


def exposed(segment: Segment, busy_s: float, machine: Accelerator, parameters: Parameters) -> float:
    """Seconds of the segment's exchanges that its computation does not hide."""
    by_cover: dict[str, float] = {}
    for entry in segment.exchanges:
        seconds = entry.count * collective_seconds(entry.collective, machine, parameters)
        by_cover[entry.hidden_by] = by_cover.get(entry.hidden_by, 0.0) + seconds
    return sum(_left_over(cover, seconds, busy_s, parameters) for cover, seconds in by_cover.items())


def _left_over(cover: str, seconds: float, busy_s: float, parameters: Parameters) -> float:
    if not cover:
        return seconds
    share: Any = getattr(parameters, f"overlap_{cover}")
    return max(seconds * (1.0 - float(share)), seconds - busy_s)
