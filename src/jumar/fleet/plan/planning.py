"""Finds a good plan for many samples, and a bound that says how much better any other could be.

Small programmes are solved as they are, all samples at once. Larger ones in three steps: bounds from groups of
samples and from single ones make up for samples that the programme itself leaves out; fractions become whole numbers;
then the solver looks for whole plans under these bounds until value and bound meet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jumar.fleet.plan.decision import Plan, broken, without_idle_moves
from jumar.fleet.plan.evaluation import Outcome, Samples
from jumar.fleet.plan.grouping import groups
from jumar.fleet.plan.instance import Instance
from jumar.fleet.plan.programme import Programme
from jumar.fleet.plan.solving import Impossible, Limits, Solution, build, rounded, solve, steepen

SMALL = 6_000  # work variables up to which a programme is solved as it is
PARTS = 16  # of alike samples, each with slopes of its own; their means are asked before all samples are
ROUNDS = 40  # most bounds on one level
SLIGHT = 1e-6
SHARES = (
    0.5,
    0.2,
)  # of the best point so far in the next, in turn: half finds better ones, less raises the bound
EARLY = (0.9, 0.5)  # how lots are made whole, in turn
NEARLY = 0.8  # of the gap, which leaves the rest to lots that become whole
FRACTIONS_UNTIL = 0.7  # of the time is for bounds with fractions, the rest for whole plans
POLISHES = 12  # most bounds for given moves
TOUCHED = 1e-3  # parts of a move below this are no wish for it
ROUNDED_UP = (0.003, 0.0, 0.01)  # shares of the value that may be spent on making moves whole, in turn
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
    """The best point so far (lots, moves, setups), and its value. A point without a value was not asked yet."""

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
            self._meet(samples)
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
        for number in range(rounds):
            solved = solve(self.relaxed)
            if bounds:
                self.bound = max(self.bound, solved.value)
            elif solved.value > self._value():
                break
            new = (solved.lots, solved.begun, solved.setups)
            self._ask(samples, centre, new, SHARES[number % len(SHARES)])
            self._say(f"{name}: between {solved.value:,.1f} and {centre.value:,.1f}")
            late = self._spent() > self.effort.seconds * (FRACTIONS_UNTIL if bounds else 0.9)
            if late or centre.value - solved.value <= gap * abs(centre.value):
                break

    def _meet(self, samples: Samples) -> None:
        """In turn a bound where moves are fractions, and one where they are whole, until both values meet; then lots
        are made whole too."""
        free, whole, best_whole = Centre(self.point), Centre(), Centre()
        chosen: Any = None
        choices = asked = 0
        for number in range(2 * ROUNDS):
            solved = solve(self.relaxed)
            self.bound = max(self.bound, solved.value)
            share = SHARES[number // 2 % len(SHARES)]
            if number % 2 == 0:
                self._ask(samples, free, (solved.lots, solved.begun, solved.setups), share)
                continue
            if chosen is None or asked == POLISHES:
                chosen, choices, asked = _made_whole(solved, self.instance, choices), choices + 1, 0
                whole = Centre((free.point[0], *chosen))
            lots = self._lots(chosen, best_whole.value)
            if lots is None:
                chosen = None
                continue
            self._ask(samples, whole, (lots, *chosen), share)
            asked += 1
            best_whole = min(best_whole, whole, key=lambda one: one.value)
            self._say(
                f"all samples: none is below {self.bound:,.1f}; with whole moves {best_whole.value:,.1f}"
            )
            late = self._spent() > self.effort.seconds * FRACTIONS_UNTIL
            if late or best_whole.value - self.bound <= self.effort.gap * NEARLY * abs(best_whole.value):
                break
        self.point = free.point
        if best_whole.point is not None:
            lots, begun, _ = best_whole.point
            for early in EARLY:
                whole_lots = in_whole_lots(lots, self.instance, early)
                self._try(samples, Plan(whole_lots, rounded(lots, begun).begins))

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
            centre.point, centre.value = here, outcome.value

    def _lots(self, chosen: Any, least: float) -> Any:
        """The orders that look best with these moves and setups; None if they cannot beat the least value."""
        _fix(self.relaxed, *chosen)
        try:
            solved = solve(self.relaxed)
        except Impossible:
            return None  # these moves together need more engineers than there are
        finally:
            _fix(self.relaxed)
        return solved.lots if solved.value < least else None

    def _whole(self, samples: Samples) -> None:
        """Whole plans of the master, and what else is best with their moves. Each brings a bound for the next."""
        while self.found is None or (self._gap() > self.effort.gap and self._spent() < self.effort.seconds):
            seconds = max(5.0, self.effort.seconds - self._spent())
            solved = solve(self.master, Limits(self.effort.gap / 3, seconds))
            self.bound = max(self.bound, solved.bound)
            self._try(samples, solved.plan)
            if self._gap() > self.effort.gap:
                setups = solved.plan.lots.any(axis=1)
                self._with_moves(samples, solved.plan.begun(self.instance), setups)

    def _with_moves(self, samples: Samples, begun: Any, setups: Any) -> None:
        """The best orders with these moves and setups."""
        _fix(self.relaxed, begun, setups)
        _fix(self.master, begun, setups)
        try:
            near = Centre((self.point[0], begun, setups))
            self._descend(samples, near, self.effort.gap / 3, "with moves made whole", POLISHES, bounds=False)
            lots = near.point[0]
            self._try(samples, Plan(in_whole_lots(lots, self.instance), rounded(lots, begun).begins))
            if self._gap() > self.effort.gap and solve(self.relaxed).value < self._value():
                plan = solve(self.master, Limits(self.effort.gap / 4, self.effort.seconds / 10)).plan
                self._try(samples, plan)
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

    def _spent(self) -> float:
        return time.monotonic() - self.begun

    def _say(self, words: str) -> None:
        self.tell(f"{words} after {self._spent():.0f} s")


def _made_whole(solved: Solution, instance: Instance, number: int) -> tuple[Any, Any]:
    """Moves that begin by half, and others of which a part begins, those first for whose part the rest costs least, up
    to a share of the whole value: a move that is there in all futures helps in bad ones, too. And the setups that are
    wanted at all, in turn with none."""
    part = solved.begun.sum(axis=1)
    rest = instance.move_cost * (1 - np.minimum(part, 1))
    order = np.argsort(rest / np.maximum(part, SLIGHT), kind="stable")
    paid = np.empty(len(part))
    paid[order] = np.cumsum(rest[order])
    most = ROUNDED_UP[number % len(ROUNDED_UP)] * abs(solved.value)
    chosen = (part >= 0.5) | ((part > TOUCHED) & (paid <= most))
    when = (solved.begun.cumsum(axis=1) < 0.3 * part[:, None]).sum(axis=1)
    whole = np.zeros_like(solved.begun)
    moves = np.flatnonzero(chosen)
    whole[moves, np.minimum(when[moves], instance.months - 1 - instance.move_months[moves])] = 1.0
    return whole, (solved.setups > (SLIGHT if number % 2 == 0 else 1.0)).astype(np.float64)


def in_whole_lots(lots: Any, instance: Instance, early: float = 0.5) -> Any:
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
