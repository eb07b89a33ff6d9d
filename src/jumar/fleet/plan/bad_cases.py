"""What bad cases cost: how much of what is missed counts more, and what each sample then does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.instance import Instance, Integers
from jumar.fleet.plan.recourse import Course

SLIGHT = 1e-6
Asked = tuple[int, float]  # a sample, and how much missing counts in it


@dataclass(frozen=True)
class Doing:
    """What samples do if missing beyond a limit is bad: running [s], missed [s], what that costs [s], and the courses
    of which each is a mixture [2,s]: the one that misses less, the one that misses more; often the same."""

    running: Floats
    missed: Floats
    cost: Floats
    courses: Integers


class Courses:
    """Courses of samples, known for some weights of missing: 1 − risk counts it as in good cases, 1 − risk + risk /
    (1 − level) as in bad ones. Where a sample is bad with one weight and not with the other it does a part of both."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.good = 1 - instance.risk
        self.bad = self.good + instance.risk / (1 - instance.level)
        self._known: list[dict[float, Course]] = [{} for _ in range(instance.samples)]

    def add(self, found: Iterable[tuple[Asked, Course]]) -> None:
        for (s, weight), course in found:
            self._known[s][weight] = course
        width = max(map(len, self._known))
        padded = [[*one.items(), *[next(iter(one.items()))] * (width - len(one))] for one in self._known]
        self._weights, self._running, self._missed = (
            np.array(numbers).T
            for numbers in (
                [[weight for weight, _ in one] for one in padded],
                [[course.running for _, course in one] for one in padded],
                [[course.missed for _, course in one] for one in padded],
            )
        )

    def limit(self) -> float:
        """The cost of missing beyond which a case is best called bad: at the optimum the level's quantile."""
        limits, risk = np.unique(self._missed), self._instance.risk
        costs = [risk * limit + self._instance.weight @ self.doing(limit).cost for limit in limits]
        return float(limits[int(np.argmin(costs))])

    def doing(self, limit: float) -> Doing:
        """What costs least, of each course and of what misses just the limit by a part of two."""
        count = len(self._missed)
        less, more = (axis.ravel() for axis in np.indices((count, count)))
        low, high = self._missed[less], self._missed[more]
        between = (low < limit) & (limit < high)
        part = np.where(between, (limit - low) / np.where(between, high - low, 1.0), 0.0)
        running = self._running[less] + part * (self._running[more] - self._running[less])
        missed = low + part * (high - low)
        cost = running + self.good * missed + (self.bad - self.good) * np.maximum(0, missed - limit)
        best, every = cost.argmin(0), np.arange(cost.shape[1])
        pair = np.stack([less[best], np.where(between[best, every], more[best], less[best])])
        return Doing(running[best, every], missed[best, every], cost[best, every], pair)

    def unsettled(self, limit: float) -> Iterator[Asked]:
        """What is to be asked before it is sure what samples do at this limit."""
        doing = self.doing(limit)
        for s, (one, other) in enumerate(doing.courses.T):
            weight = self.good if doing.missed[s] < limit else self.bad
            if one != other:
                missed, running = self._missed[:, s], self._running[:, s]
                weight = float((running[one] - running[other]) / (missed[other] - missed[one]))
            elif abs(doing.missed[s] - limit) <= SLIGHT * limit:
                continue
            if not np.isclose(weight, list(self._known[s]), rtol=SLIGHT).any():
                yield s, weight

    def used(self, limit: float) -> list[list[float]]:
        """Weights of the courses that samples do [s]: those to ask first the next time."""
        return [
            np.unique(self._weights[pair, s]).tolist() for s, pair in enumerate(self.doing(limit).courses.T)
        ]

    def steepest(self, limit: float) -> list[tuple[float, Course]]:
        """Of each sample the weight and the course that cost most at least, if missing beyond the limit is bad."""
        totals = self._running + self._weights * self._missed - (self._weights - self.good) * limit
        weights = self._weights[totals.argmax(0), np.arange(totals.shape[1])].tolist()
        return [(weight, known[weight]) for weight, known in zip(weights, self._known, strict=True)]


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
