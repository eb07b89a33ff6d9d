"""Samples that are alike, put together.

The mean of a group never costs more than its members on average: whatever they do, the mean can do the mean of it. So
a programme of means bounds the programme of all samples from below, whoever is in which group.
"""

from __future__ import annotations

import numpy as np

from jumar.fleet.number import Floats
from jumar.fleet.plan.instance import Instance, Integers

ROUNDS = 12


def groups(instance: Instance, number: int) -> list[Integers]:
    """At most so many groups of samples, by when how much is there and what is asked for."""
    if number >= instance.samples:
        return [np.array([s]) for s in range(instance.samples)]
    points = features(instance)
    centres = points[_spread(points, number)]
    for _ in range(ROUNDS):
        nearest = ((points[:, None, :] - centres[None]) ** 2).sum(2).argmin(1)
        centres = np.stack(
            [points[nearest == g].mean(0) if (nearest == g).any() else centres[g] for g in range(number)]
        )
    return [np.flatnonzero(nearest == g) for g in range(number) if (nearest == g).any()]


def features(instance: Instance) -> Floats:
    """[s, …]: how much of each chip works in each third of the time if it is ordered in each third, and demand."""
    thirds = np.array_split(np.arange(instance.months), 3)
    parts = [
        instance.arrived[:, :, a][:, :, :, b].mean((2, 3)) for i, a in enumerate(thirds) for b in thirds[i:]
    ]
    parts += [instance.stock.mean(2), instance.demand.mean(2)]
    scaled = []
    for part in parts:
        size = np.abs(part).max(0)
        scaled.append(part / np.where(size > 0, size, 1.0))
    return np.concatenate(scaled, axis=1)


def _spread(points: Floats, number: int) -> list[int]:
    """Indices of points far from each other, beginning with the one nearest to the middle."""
    chosen = [int(((points - points.mean(0)) ** 2).sum(1).argmin())]
    distance = ((points - points[chosen[0]]) ** 2).sum(1)
    while len(chosen) < number:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(1))
    return chosen
