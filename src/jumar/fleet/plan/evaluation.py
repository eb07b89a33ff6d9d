"""What a plan costs over all samples, each with its best recourse; also how that changes with the plan."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.decision import Plan, Slope
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Instance, Integers
from jumar.fleet.plan.recourse import Course, Recourse

FEW = 24  # samples that are not worth further processes
ALIKE = 16  # groups of samples of which one helps to solve the next
SLIGHT = 1e-6


@dataclass(frozen=True)
class Outcome:
    """Cost of decisions [s], of running [s], of missing [s]; their value: the mean, bad cases of missing counted
    more. `slopes` bound from below what follows from any plan, one for each part of the samples."""

    decided: Floats
    running: Floats
    missed: Floats
    value: float
    slopes: tuple[Slope, ...]

    @property
    def cost(self) -> Floats:
        return self.decided + self.running + self.missed

    @property
    def slope(self) -> Slope:
        """All parts together: what is bad falls out, since the bad cases have their whole weight."""
        return Slope(
            sum(slope.at for slope in self.slopes),
            np.sum([slope.by_lot for slope in self.slopes], axis=0),
            np.sum([slope.by_move for slope in self.slopes], axis=0),
        )


class Samples:
    """Asks every sample of an instance, in processes of its own if there are many. To be closed. `parts` are samples
    that have a slope together: the more parts, the more a round tells."""

    def __init__(self, instance: Instance, workers: int = 1, parts: list[Integers] | None = None) -> None:
        self.instance = instance
        self.parts = parts or [np.arange(instance.samples)]
        self.workers = workers if instance.samples >= FEW else 1
        self._pools: list[ProcessPoolExecutor] = []
        # A sample is always asked in the same process, which knows where it ended the last time.
        self._owner = np.zeros(instance.samples, dtype=np.int64)
        self._order = np.concatenate(groups(instance, ALIKE))
        for owner, part in enumerate(np.array_split(self._order, self.workers)):
            self._owner[part] = owner
        self._here: list[Recourse] = []
        self._counts = np.ones(instance.samples)

    def __enter__(self) -> Samples:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def of_plan(self, plan: Plan) -> Outcome:
        return self.of(plan.lots, plan.begun(self.instance))

    def of(self, lots: Any, begun: Any, setups: Any = None) -> Outcome:
        """Lots [c,τ], moves [m,τ] and setups [c] may be fractions; without setups, those that the lots need.

        How much missing counts in each sample is guessed from the call before, and samples in which it turns out
        otherwise are asked once more; a wrong guess makes value and slope a little worse, never false.
        """
        instance = self.instance
        courses = dict(self._ask(self._order, lots, begun))
        if instance.risk > 0:
            counts = counted(np.array([courses[s].missed for s in range(instance.samples)]), instance)
            changed = np.flatnonzero(np.abs(counts - self._counts) > SLIGHT)
            self._counts = counts
            courses |= dict(self._ask(changed, lots, begun))
        if setups is None:
            setups = np.any(lots > 0, axis=1)
        return self._outcome([courses[s] for s in range(instance.samples)], lots, begun, setups)

    def _outcome(self, courses: list[Course], lots: Any, begun: Any, setups: Any) -> Outcome:
        instance, weight = self.instance, self.instance.weight
        running = np.array([course.running for course in courses])
        missed = np.array([course.missed for course in courses])
        chips = lots * instance.lot[:, None]
        fixed = (begun.sum(1) * instance.move_cost).sum() + (setups * instance.setup_cost).sum()
        decided = (instance.order_cost * chips).sum((1, 2)) + fixed
        value = float(weight @ (decided + running)) + risky(missed, instance)
        slopes = tuple(self._slope(part, [courses[s].slope for s in part]) for part in self.parts)
        return Outcome(decided, running, missed, value, slopes)

    def _slope(self, part: Integers, slopes: list[Slope]) -> Slope:
        """Σ_s weight · (running + counts · missed − (counts − 1 + risk) · bad) over the part, from below.

        A sample's share of the value is running + (1 − risk) · missed + risk / (1 − level) · max(0, missed − bad), and
        that is never below it with any counts from 1 − risk to 1 − risk + risk / (1 − level).
        """
        weight = self.instance.weight[part]
        beyond = (
            self._counts[part] - (1 - self.instance.risk) if self.instance.risk > 0 else np.zeros(len(part))
        )
        return Slope(
            float(weight @ [slope.at for slope in slopes]),
            np.tensordot(weight, np.stack([slope.by_lot for slope in slopes]), 1),
            np.tensordot(weight, np.stack([slope.by_move for slope in slopes]), 1),
            -float(weight @ beyond),
        )

    def _ask(self, samples: Any, lots: Any, begun: Any) -> Iterator[tuple[int, Course]]:
        asked = [(int(s), float(self._counts[s])) for s in samples]
        if self.workers == 1 or len(asked) < FEW:
            yield from courses(self._here, self.instance, asked, lots, begun)
            return
        if not self._pools:
            context = multiprocessing.get_context("spawn")  # a fork would copy half of the solver's threads
            self._pools = [
                ProcessPoolExecutor(1, context, _begin, (self.instance,)) for _ in range(self.workers)
            ]
        parts: list[list[tuple[int, float]]] = [[] for _ in self._pools]
        for one in asked:
            parts[self._owner[one[0]]].append(one)
        pairs = zip(self._pools, parts, strict=True)
        for future in [pool.submit(_there, part, lots, begun) for pool, part in pairs]:
            yield from future.result()


def courses(
    known: list[Recourse], instance: Instance, asked: list[tuple[int, float]], lots: Any, begun: Any
) -> Iterator[tuple[int, Course]]:
    """Sample and course for each sample and weight of missing; `known` keeps the programme."""
    if not known:
        known.append(Recourse(instance))
    for s, weight in asked:
        yield s, known[0].course(s, lots, begun, weight)


def counted(missed: Floats, instance: Instance) -> Floats:
    """How much missing counts [s]: 1 − risk everywhere, and more beyond the level, so that `risky` is their sum."""
    tail = _tail(missed, instance.weight, instance.level) / np.maximum(instance.weight, 1e-12)
    return np.asarray(1 - instance.risk + instance.risk * tail / (1 - instance.level), dtype=np.float64)


def risky(missed: Floats, instance: Instance) -> float:
    """(1 − risk) · mean + risk · mean of the worst cases."""
    weight = instance.weight
    return float((1 - instance.risk) * (weight @ missed)) + instance.risk * worst(
        missed, weight, instance.level
    )


def worst(values: Floats, weight: Floats, level: float) -> float:
    """Mean of the highest values, those beyond the level: the conditional value at risk."""
    return float(_tail(values, weight, level) @ values) / (1 - level)


def _tail(values: Floats, weight: Floats, level: float) -> Floats:
    """The weight of each sample that lies beyond the level."""
    order = np.argsort(-values, kind="stable")
    tail = np.zeros(len(values))
    tail[order] = np.diff(np.minimum(np.cumsum(weight[order]), 1 - level), prepend=0.0)
    return tail


_INSTANCE: Instance | None = None
_KNOWN: list[Recourse] = []


def _begin(instance: Instance) -> None:
    """Once in each process."""
    global _INSTANCE
    _INSTANCE = instance


def _there(asked: list[tuple[int, float]], lots: Any, begun: Any) -> list[tuple[int, Course]]:
    assert _INSTANCE is not None, "the process was not begun"
    return list(courses(_KNOWN, _INSTANCE, asked, lots, begun))
