"""What the planner computes with: plain arrays, no names of files, no units of one's own.

Whoever makes an instance chooses units in which numbers lie near 1 (thousands of chips, millions of dollars, work as
share of what is asked for): solvers lose digits otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jumar.fleet.number import Floats

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class BadInstance(ValueError):
    """An array of an instance does not fit the others; says which."""


@dataclass(frozen=True)
class Instance:
    """Axes: s samples, c kinds of chips, p places, w workloads, a activities, m moves, u suppliers, t and τ months.

    An activity is one kind of chip working at one workload. A move brings a workload to a platform; activities that
    need it name it, and `activity_wait` counts the months from its beginning until they are possible.
    """

    chips: tuple[str, ...]
    places: tuple[str, ...]
    workloads: tuple[str, ...]
    moves: tuple[str, ...]
    suppliers: tuple[str, ...]

    weight: Floats  # [s] probability of a sample; they add up to 1
    supplier: Integers  # [c] who sells it; −1: nobody, it is in stock or rented
    lot: Floats  # [c] chips in a lot
    order_most: Integers  # [c,τ] lots that may be ordered
    price: Floats  # [c,τ] list price of a chip: what budgets and shares of suppliers are counted in
    setup_cost: Floats  # [c] paid once if any is ordered
    order_cost: Floats  # [s,c,τ] what a chip ordered then costs until the end, less what it is worth by then
    arrived: Floats  # [s,c,τ,t] share of the chips ordered in τ that work in t
    stock: Floats  # [s,c,t] chips that are there without an order

    run_cost: Floats  # [c,p,t] a chip switched on for the month
    speed: Floats  # [c,p,t] share of full speed at which it runs there; 0: it cannot stand there
    power: Floats  # [c,p] power of a chip
    racks: Floats  # [c,p] racks that a chip takes
    liquid: Flags  # [c] stands in racks with liquid cooling only
    power_most: Floats  # [p,t] inf: no limit
    racks_most: Floats  # [p,t]
    liquid_most: Floats  # [p,t] of the racks, those with liquid cooling

    activity_chip: Integers  # [a]
    activity_workload: Integers  # [a]
    activity_rate: Floats  # [a] work of a chip in a month at full speed
    activity_move: Integers  # [a] −1: none is needed
    activity_wait: Integers  # [a]
    move_cost: Floats  # [m]
    move_effort: Floats  # [m] of engineers, each month while it lasts
    move_months: Integers  # [m]
    engineers: Floats  # [t] inf: no limit

    job: Flags  # [w] work in all until a deadline; otherwise work each month
    first: Integers  # [w] month in which it begins
    deadline: Integers  # [w] last month that is in time
    demand: Floats  # [s,w,t] work asked for in a month; of jobs all of it, in their first month
    missed_cost: Floats  # [w,t] each unit not done in the month; of jobs each unit unfinished at its end
    must: Flags  # [w] may not be missed at all

    budget: Floats  # [τ] list prices of what is ordered in a month; inf: no limit
    share_most: float  # largest share of one supplier in all spending, at list prices
    risk: float  # how much bad cases count: 0 means of all, 1 bad cases only
    level: float  # bad cases are those beyond this share of all

    @property
    def months(self) -> int:
        return int(self.price.shape[1])

    @property
    def samples(self) -> int:
        return len(self.weight)

    def group(self, members: list[Integers]) -> Instance:
        """The same with one sample for each group: the mean of its members, with their weights together."""
        means: dict[str, Any] = {"weight": np.array([self.weight[group].sum() for group in members])}
        for name in SAMPLED:
            array = getattr(self, name)
            means[name] = np.stack(
                [np.average(array[group], axis=0, weights=self.weight[group]) for group in members]
            )
        return replace(self, **means)

    def sample(self, number: int) -> Instance:
        """The same with this sample alone, as if it were certain."""
        return replace(self.group([np.array([number])]), weight=np.ones(1))

    def check(self) -> None:
        """BadInstance if shapes do not fit, numbers are not numbers or indices lead nowhere."""
        axes = {"s": len(self.weight), "t": self.months, "c": len(self.chips), "p": len(self.places)}
        axes |= {"w": len(self.workloads), "m": len(self.moves), "a": len(self.activity_chip)}
        for name, shape in SHAPES.items():
            array, wanted = np.asarray(getattr(self, name)), tuple(axes[axis] for axis in shape)
            if array.shape != wanted:
                raise BadInstance(f"{name}: shape {array.shape}, but {wanted} is needed")
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise BadInstance(f"{name}: has a value that is no number")
        for name, axis in INDICES.items():
            array = getattr(self, name)
            if len(array) and not (array.min() >= -1 and array.max() < len(getattr(self, axis))):
                raise BadInstance(f"{name}: leads outside of {axis}")


SAMPLED = ("order_cost", "arrived", "stock", "demand")
SHAPES = {
    "weight": "s",
    "supplier": "c",
    "lot": "c",
    "order_most": "ct",
    "price": "ct",
    "setup_cost": "c",
    "order_cost": "sct",
    "arrived": "sctt",
    "stock": "sct",
    "run_cost": "cpt",
    "speed": "cpt",
    "power": "cp",
    "racks": "cp",
    "liquid": "c",
    "power_most": "pt",
    "racks_most": "pt",
    "liquid_most": "pt",
    "activity_chip": "a",
    "activity_workload": "a",
    "activity_rate": "a",
    "activity_move": "a",
    "activity_wait": "a",
    "move_cost": "m",
    "move_effort": "m",
    "move_months": "m",
    "engineers": "t",
    "job": "w",
    "first": "w",
    "deadline": "w",
    "demand": "swt",
    "missed_cost": "wt",
    "must": "w",
    "budget": "t",
}
INDICES = {
    "supplier": "suppliers",
    "activity_chip": "chips",
    "activity_workload": "workloads",
    "activity_move": "moves",
}
