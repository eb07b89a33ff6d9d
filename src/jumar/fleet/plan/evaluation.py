"""What a plan costs over all samples, each with its best recourse; also how that changes with the plan."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.bad_cases import Asked, Courses, Doing, risky
from jumar.fleet.plan.decision import Plan, Slope
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Instance, Integers
from jumar.fleet.plan.recourse import Course, Recourse

FEW = 24  # samples that are not worth further processes
ALIKE = 16  # groups of samples of which one helps to solve the next
TRIES = 4  # at what counts as bad


@dataclass(frozen=True)
class Outcome:
    """Cost of decisions [s], of running [s], of missing [s]; the cost of missing beyond which a case is bad; their
    value: the mean, bad cases of missing counted more. `slopes` bound from below what follows from any plan, one for
    each part of the samples."""

    decided: Floats
    running: Floats
    missed: Floats
    bad: float
    value: float
    slopes: tuple[Slope, ...]

    @property
    def cost(self) -> Floats:
        return self.decided + self.running + self.missed


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
        self._weights = [[1 - instance.risk]] * instance.samples  # of missing, with which each is asked first

    def __enter__(self) -> Samples:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def of_plan(self, plan: Plan) -> Outcome:
        return self.of(plan.lots, plan.begun(self.instance))

    def of(self, lots: Any, begun: Any, setups: Any = None, bad: float | None = None) -> Outcome:
        """Lots [c,τ], moves [m,τ] and setups [c] may be fractions; without setups, those that the lots need. `bad` is
        the cost of missing for which the slopes are made; without it, the one that is best here.

        How much missing counts in each sample is guessed from the call before; samples in which it turns out otherwise
        are asked once more.
        """
        known = Courses(self.instance)
        asked = [(s, weight) for s in self._order.tolist() for weight in self._weights[s]]
        for _ in range(TRIES):
            known.add(self._ask(asked, lots, begun))
            limit = known.limit()
            limits = {limit} if bad is None else {limit, bad}
            asked = sorted({one for wanted in limits for one in known.unsettled(wanted)})
            if not asked:
                break
        self._weights = known.used(limit)
        if setups is None:
            setups = np.any(lots > 0, axis=1)
        steepest = known.steepest(limit if bad is None else bad)
        slopes = tuple(self._slope(part, [steepest[s] for s in part]) for part in self.parts)
        return self._outcome(known.doing(limit), limit, slopes, (lots, begun, setups))

    def _outcome(self, doing: Doing, limit: float, slopes: tuple[Slope, ...], point: Any) -> Outcome:
        instance, weight = self.instance, self.instance.weight
        lots, begun, setups = point
        chips = lots * instance.lot[:, None]
        fixed = (begun.sum(1) * instance.move_cost).sum() + (setups * instance.setup_cost).sum()
        decided = (instance.order_cost * chips).sum((1, 2)) + fixed
        value = float(weight @ (decided + doing.running)) + risky(doing.missed, instance)
        return Outcome(decided, doing.running, doing.missed, limit, value, slopes)

    def _slope(self, part: Integers, steepest: list[tuple[float, Course]]) -> Slope:
        """Σ_s weight · (running + counts · missed − (counts − 1 + risk) · bad) over the part, from below.

        A sample's share of the value is running + (1 − risk) · missed + risk / (1 − level) · max(0, missed − bad), and
        that is never below it with any counts from 1 − risk to 1 − risk + risk / (1 − level).
        """
        weight = self.instance.weight[part]
        beyond = np.array([counts for counts, _ in steepest]) - (1 - self.instance.risk)
        slopes = [course.slope for _, course in steepest]
        return Slope(
            float(weight @ [slope.at for slope in slopes]),
            np.tensordot(weight, np.stack([slope.by_lot for slope in slopes]), 1),
            np.tensordot(weight, np.stack([slope.by_move for slope in slopes]), 1),
            -float(weight @ beyond),
        )

    def _ask(self, asked: list[Asked], lots: Any, begun: Any) -> Iterator[tuple[Asked, Course]]:
        if self.workers == 1 or len(asked) < FEW:
            yield from courses(self._here, self.instance, asked, lots, begun)
            return
        if not self._pools:
            context = multiprocessing.get_context("spawn")  # a fork would copy half of the solver's threads
            self._pools = [
                ProcessPoolExecutor(1, context, _begin, (self.instance,)) for _ in range(self.workers)
            ]
        parts: list[list[Asked]] = [[] for _ in self._pools]
        for one in asked:
            parts[self._owner[one[0]]].append(one)
        pairs = zip(self._pools, parts, strict=True)
        for future in [pool.submit(_there, part, lots, begun) for pool, part in pairs]:
            yield from future.result()


def courses(
    known: list[Recourse], instance: Instance, asked: list[Asked], lots: Any, begun: Any
) -> Iterator[tuple[Asked, Course]]:
    """The course of each sample with each weight of missing; `known` keeps the programme."""
    if not known:
        known.append(Recourse(instance))
    for s, weight in asked:
        yield (s, weight), known[0].course(s, lots, begun, weight)


_INSTANCE: Instance | None = None
_KNOWN: list[Recourse] = []


def _begin(instance: Instance) -> None:
    """Once in each process."""
    global _INSTANCE
    _INSTANCE = instance


def _there(asked: list[Asked], lots: Any, begun: Any) -> list[tuple[Asked, Course]]:
    assert _INSTANCE is not None, "the process was not begun"
    return list(courses(_KNOWN, _INSTANCE, asked, lots, begun))
