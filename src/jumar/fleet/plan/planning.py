"""Finds a good plan for many samples, and a bound that says how much better any other could be.

Small programmes are solved as they are, all samples at once. Larger ones in three steps: bounds from groups of
samples and from single ones make up for samples that the programme itself leaves out, until the best fractions are
known; fractions become whole numbers; if that is not near enough, the solver looks for whole plans under these bounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from jumar.fleet.plan.decision import Plan, broken, without_idle_moves
from jumar.fleet.plan.evaluation import Outcome, Samples
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Instance, Integers
from jumar.fleet.plan.programme import Programme
from jumar.fleet.plan.solving import Impossible, Limits, build, solve, steepen

SMALL = 6_000  # work variables up to which a programme is solved as it is
PARTS = 16  # of alike samples, each with slopes of its own; their means are asked before all samples are
ROUNDS = 40  # most bounds on one level
SLIGHT = 1e-6
SHARES = (
    0.5,
    0.2,
)  # of the best point so far in the next, in turn: half finds better ones, less raises the bound
NEARER = 0.3  # of that share after a round that told nothing
EARLY = (0.5, 0.9)  # how lots are made whole, in turn
TOUCHED = (0.1, 0.02, 0.2)  # part of a move that is a wish for it, in turn
NEARNESS = (0.5, 0.1)  # of the gap, within which fractions are known before they become whole
FRACTIONS_UNTIL = 0.7  # of the time is for bounds with fractions, the rest for whole plans
POLISHES = 6  # most bounds for given moves
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Planned:
    """The best plan found, its outcome over the samples, and a value that no plan goes below."""

    plan: Plan
    outcome: Outcome
    bound: float
    seconds: float
    rounds: int

    @property
    def value(self) -> float:
        return self.outcome.value

    @property
    def gap(self) -> float:
        return max(0.0, self.value - self.bound) / max(abs(self.value), 1e-9)


@dataclass(frozen=True)
class Effort:
    """How near to the best a plan has to come, and what may be spent on that."""

    gap: float = 0.01
    seconds: float = 120.0
    workers: int = 1


def best(instance: Instance, effort: Effort = Effort(), tell: Tell = lambda _: None) -> Planned:
    """The best plan. `solving.Impossible` if none keeps to the limits."""
    begun = time.monotonic()
    if len(instance.activity_chip) * instance.months * instance.samples <= SMALL:
        return _at_once(instance, effort, begun)
    return _Search(instance, effort, tell, begun).run()


def _at_once(instance: Instance, effort: Effort, begun: float) -> Planned:
    solved = solve(build(instance), Limits(min(effort.gap, 1e-4), effort.seconds))
    plan = without_idle_moves(instance, solved.plan)
    with Samples(instance) as samples:
        outcome = samples.of_plan(plan)
    value = min(outcome.value, solved.value)
    planned = Planned(plan, replace(outcome, value=value), solved.bound, 0.0, 1)
    return replace(planned, seconds=time.monotonic() - begun)


@dataclass
class Centre:
    """The best point so far (lots, moves, setups, what is bad), and its value. A point without a value was not asked yet."""

    point: Any = None
    value: float = np.inf


class _Search:
    """The master programme has the mean of all samples; slopes tell it about the others. It is there twice: with
    fractions, for bounds and for places to ask at, and whole, for plans."""

    def __init__(self, instance: Instance, effort: Effort, tell: Tell, begun: float) -> None:
        self.instance, self.effort, self.tell, self.begun = instance, effort, tell, begun
        self.parts = groups(instance, PARTS)
        mean = instance.group([np.arange(instance.samples)])
        self.relaxed = build(mean, whole=False, parts=len(self.parts))
        self.master = build(mean, whole=True, parts=len(self.parts))
        self.rounds, self.bound = 0, -np.inf
        self.point: Any = None  # the best one found with fractions
        self.found: tuple[Plan, Outcome] | None = None

    def run(self) -> Planned:
        if self.instance.samples > 2 * PARTS:
            means = [np.array([part]) for part in range(len(self.parts))]
            with Samples(self.instance.group(self.parts), self.effort.workers, means) as some:
                centre = Centre(self.point)
                self._descend(some, centre, self.effort.gap / 2, f"{len(means)} groups")
                self.point = centre.point
        with Samples(self.instance, self.effort.workers, self.parts) as samples:
            centre = Centre(self.point)
            for share in NEARNESS:
                self._descend(samples, centre, self.effort.gap * share, "all samples")
                self.point = centre.point
                self._make_whole(samples)
                if self.found is not None and self._wanting():
                    self._with_moves(samples, self.found[0])
                if not self._wanting():
                    break
            self._whole(samples)
        assert self.found is not None, "the solver found no whole plan"
        plan, outcome = self.found
        return Planned(plan, outcome, self.bound, self._spent(), self.rounds)

    def _descend(
        self,
        samples: Samples,
        centre: Centre,
        gap: float,
        name: str,
        rounds: int = ROUNDS,
        bounds: bool = True,
    ) -> None:
        """Bounds at points between the best so far and the master's, until both have nearly the same value. `bounds`:
        no move is fixed, so the master's value bounds all plans."""
        stalled = 0
        for number in range(rounds):
            solved, before = solve(self.relaxed), (self.bound, centre.value)
            if bounds:
                self.bound = max(self.bound, solved.value)
            elif solved.value > self._value():
                break
            # Where neither value moves, the bound has to come nearer to the point that the master wants.
            share = SHARES[number % len(SHARES)] * NEARER**stalled
            self._ask(samples, centre, solved.point, share)
            stalled = 0 if _moved(before, (self.bound, centre.value)) else stalled + 1
            self._say(f"{name}: between {solved.value:,.1f} and {centre.value:,.1f}")
            late = self._spent() > self.effort.seconds * (FRACTIONS_UNTIL if bounds else 0.9)
            if late or centre.value - solved.value <= gap * abs(centre.value):
                break

    def _make_whole(self, samples: Samples) -> None:
        """Whole plans from the best fractions, until one is good enough."""
        lots, begun, *_ = self.point
        tried: set[bytes] = set()
        for early, touched in product(EARLY, TOUCHED):
            plan = Plan(
                in_whole_lots(lots, self.instance, early), in_whole_moves(begun, self.instance, touched)
            )
            known = plan.lots.tobytes() + plan.begins.tobytes()
            if known not in tried and self._wanting():
                tried.add(known)
                self._try(samples, plan)

    def _ask(self, samples: Samples, centre: Centre, new: Any, share: float) -> None:
        """A bound between a new point and the centre, which moves there if it is better. A centre without a value is
        asked itself."""
        here = new
        if centre.point is not None and centre.value == np.inf:
            here = centre.point
        elif centre.point is not None:
            here = tuple(
                (1 - share) * one + share * other for one, other in zip(new, centre.point, strict=True)
            )
        outcome = samples.of(*here)
        self._add(outcome)
        if outcome.value < centre.value:
            centre.point, centre.value = (*here[:3], outcome.bad), outcome.value

    def _whole(self, samples: Samples) -> None:
        """Whole plans of the master, and what else is best with their moves. Each brings a bound for the next."""
        while self._wanting():
            seconds = max(5.0, self.effort.seconds - self._spent())
            solved = solve(self.master, Limits(self.effort.gap / 3, seconds))
            self.bound = max(self.bound, solved.bound)
            self._try(samples, solved.plan)
            if self._wanting():
                self._with_moves(samples, solved.plan)

    def _with_moves(self, samples: Samples, plan: Plan) -> None:
        """The best orders with this plan's moves and setups."""
        begun, setups = plan.begun(self.instance), plan.lots.any(axis=1).astype(np.float64)
        _fix(self.relaxed, begun, setups)
        _fix(self.master, begun, setups)
        try:
            near = Centre((self.point[0], begun, setups, self.point[3]))
            self._descend(samples, near, self.effort.gap / 3, "with moves made whole", POLISHES, bounds=False)
            for early in EARLY:
                self._try(samples, Plan(in_whole_lots(near.point[0], self.instance, early), plan.begins))
            if self._wanting() and solve(self.relaxed).value < self._value():
                limits = Limits(self.effort.gap / 4, self.effort.seconds / 10)
                self._try(samples, solve(self.master, limits).plan)
        except Impossible:
            pass  # these moves together need more engineers than there are
        finally:
            _fix(self.relaxed)
            _fix(self.master)

    def _try(self, samples: Samples, plan: Plan) -> None:
        plan = without_idle_moves(self.instance, plan)
        if broken(self.instance, plan):
            return
        outcome = samples.of_plan(plan)
        self._add(outcome)
        if outcome.value < self._value():
            self.found = plan, outcome
        self._say(f"a whole plan: {outcome.value:,.1f}; none is below {self.bound:,.1f};")

    def _add(self, outcome: Outcome) -> None:
        self.rounds += 1
        for programme in (self.relaxed, self.master):
            steepen(programme, outcome.slopes)

    def _value(self) -> float:
        return self.found[1].value if self.found else np.inf

    def _gap(self) -> float:
        return (self._value() - self.bound) / max(abs(self._value()), 1e-9) if self.found else np.inf

    def _wanting(self) -> bool:
        """Whether a better plan is wanted, and there is time to look for it; a first one is, at any time."""
        near = self._gap() <= self.effort.gap
        return self.found is None or not (near or self._spent() > self.effort.seconds)

    def _spent(self) -> float:
        return time.monotonic() - self.begun

    def _say(self, words: str) -> None:
        self.tell(f"{words} after {self._spent():.0f} s")


def _moved(before: tuple[float, float], after: tuple[float, float]) -> bool:
    return any(abs(one - other) > SLIGHT * abs(other) for one, other in zip(before, after, strict=True))


def in_whole_moves(begun: Any, instance: Instance, touched: float) -> Integers:
    """The month in which each move begins of which at least the part `touched` does: the first with any of it in which
    there are engineers. To move early costs no more than late, and what a part costs less is little."""
    part = begun.sum(axis=1)
    free = instance.engineers * (1 + SLIGHT)
    begins = np.full(len(part), -1)
    for m in np.argsort(-part, kind="stable"):
        lasts, effort = int(instance.move_months[m]), instance.move_effort[m]
        if part[m] < touched or part[m] < SLIGHT:
            break
        for month in range(int((begun[m] > SLIGHT).argmax()), instance.months - lasts):
            if (free[month : month + lasts] >= effort).all():
                free[month : month + lasts] -= effort
                begins[m] = month
                break
    return begins


def in_whole_lots(lots: Any, instance: Instance, early: float) -> Any:
    """Whole lots of which at each time about as many are ordered as of the fractions: the nearest number, or with 0.9 a
    little more and earlier."""
    whole = np.diff(np.floor(np.cumsum(lots, axis=1) + early), axis=1, prepend=0.0)
    return np.clip(whole, 0, instance.order_most).astype(np.int64)


def _fix(programme: Programme, begun: Any = None, setups: Any = None) -> None:
    """Moves and setups as they are given; free again without."""
    for variables, given in ((programme.begin, begun), (programme.setup, setups)):
        for cell, variable in variables.items():
            low, high = (0.0, 1.0) if given is None else (float(given[cell]), float(given[cell]))
            programme.model.set_variable_bounds(variable, low, high)
