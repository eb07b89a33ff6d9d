"""The instance of a scenario: thousands of chips, millions of dollars, megawatts, and work as share of what is asked for
at most in a month (of a training job: of all of it)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jumar.fleet import demand, futures, in_service
from jumar.fleet.number import HOURS_PER_MONTH, Floats
from jumar.fleet.plan.instance import Instance
from jumar.fleet.scenario import ChipOption, Scenario, Workload

THOUSAND, MILLION = 1e3, 1e6
RENTED = "rented"  # the place where chips of others stand


@dataclass(frozen=True)
class Posed:
    """An instance and what its axes stand for in the scenario."""

    scenario: Scenario
    instance: Instance
    moves: tuple[tuple[str, str], ...]  # workload and platform of each move
    futures: futures.Futures

    @property
    def money(self) -> float:
        """US dollars in one of the instance's."""
        return MILLION


def pose(scenario: Scenario, samples: int, seed: int) -> Posed:
    """The planner's question about a scenario, with so many futures of a seed."""
    drawn = futures.draw(scenario, samples, seed)
    activities, moves = _activities(scenario)
    parts = _chips(scenario, drawn) | _places(scenario) | activities | _moves(scenario, moves)
    parts |= _workloads(scenario, drawn) | _limits(scenario)
    instance = Instance(weight=np.full(samples, 1 / samples), **parts)
    instance.check()
    return Posed(scenario, instance, tuple(moves), drawn)


def discounts(scenario: Scenario) -> Floats:
    """What a dollar of each month is worth in the first."""
    return np.asarray((1 + scenario.money.discount.value) ** (-np.arange(scenario.months) / 12.0))


def _chips(scenario: Scenario, drawn: futures.Futures) -> dict[str, Any]:
    bought, rented, months = list(scenario.chips.values()), list(scenario.rentals.values()), scenario.months
    suppliers = tuple(scenario.suppliers)
    price = np.zeros((len(bought), months))
    for place, name in enumerate(drawn.supply.chips):
        price[list(scenario.chips).index(name)] = drawn.supply.price[:, place].mean(axis=0)
    worth = np.array([chip.resale.value * chip.price.value for chip in bought])
    discount = discounts(scenario)
    cost = drawn.paid @ discount - drawn.in_service[..., -1] * worth[:, None] * discount[-1]
    more = len(rented)
    stock = np.concatenate([drawn.stock_in_service, np.zeros((drawn.samples, more, months))], axis=1)
    for place, rental in enumerate(rented):
        stock[:, len(bought) + place] = rental.most.over(months)
    return {
        "chips": (*scenario.chips, *(f"{RENTED} {one.name}" for one in rented)),
        "suppliers": suppliers,
        "supplier": np.array([suppliers.index(chip.supplier) for chip in bought] + [-1] * more),
        "lot": np.array([_lot(chip) for chip in bought] + [1.0] * more) / THOUSAND,
        "order_most": np.stack([_lots(chip, months) for chip in bought] + [np.zeros(months, int)] * more),
        "price": np.concatenate([price, np.zeros((more, months))]) * THOUSAND / MILLION,
        "setup_cost": np.array([chip.setup.value for chip in bought] + [0.0] * more) / MILLION,
        "order_cost": _padded(cost, more) * THOUSAND / MILLION,
        "arrived": _padded(drawn.in_service, more),
        "stock": stock / THOUSAND,
        "liquid": np.array([chip.cooling == "liquid" for chip in bought] + [False] * more),
    }


def _lot(chip: ChipOption) -> float:
    return max(1.0, chip.supply.lot.value) if chip.supply else 1.0


def _lots(chip: ChipOption, months: int) -> Any:
    if chip.supply is None:
        return np.zeros(months, dtype=np.int64)
    last = months - 1 if chip.supply.last is None else chip.supply.last
    index = np.arange(months)
    taken = (index >= chip.supply.first) & (index <= last)
    return np.floor(chip.supply.most.over(months) * taken / _lot(chip) + 1e-9).astype(np.int64)


def _padded(array: Floats, more: int) -> Floats:
    """With zeros for chips that are not bought, on axis 1."""
    width = [(0, 0)] * array.ndim
    width[1] = (0, more)
    return np.pad(array, width)


def _places(scenario: Scenario) -> dict[str, Any]:
    bought, rented = list(scenario.chips.values()), list(scenario.rentals.values())
    sites, months = list(scenario.sites.values()), scenario.months
    shape = (len(bought) + len(rented), len(sites) + 1)
    run, speed = np.zeros((*shape, months)), np.zeros((*shape, months))
    power, racks = np.zeros(shape), np.zeros(shape)
    discount = discounts(scenario)
    for c, chip in enumerate(bought):
        for p, site in enumerate(sites):
            in_rack = in_service.chips_in_rack(chip, site)
            if in_rack >= 1:
                speed[c, p] = in_service.derated(scenario, chip, site)
                racks[c, p] = THOUSAND / in_rack
            run[c, p] = in_service.monthly_cost(chip, site) * discount * THOUSAND / MILLION
            power[c, p] = in_service.power_at_meter(chip, site) * THOUSAND / MILLION
    for place, rental in enumerate(rented):
        speed[len(bought) + place, -1] = 1.0
        run[len(bought) + place, -1] = rental.price.value * HOURS_PER_MONTH * discount * THOUSAND / MILLION
    free = np.full((1, months), np.inf)
    limits = {
        "power_most": [site.power.over(months) / MILLION for site in sites],
        "racks_most": [site.racks.over(months) for site in sites],
        "liquid_most": [site.liquid_racks.over(months) for site in sites],
    }
    return {
        "places": (*scenario.sites, RENTED),
        "run_cost": run,
        "speed": speed,
        "power": power,
        "racks": racks,
        **{name: np.concatenate([np.stack(rows), free]) for name, rows in limits.items()},
    }


def _activities(scenario: Scenario) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Each chip at each workload: at full efficiency where that runs already, otherwise after a move, slower at first."""
    rows: list[tuple[int, int, float, int, int]] = []
    moves: list[tuple[str, str]] = []
    used = [*scenario.chips, *(rental.chip for rental in scenario.rentals.values())]
    for w, work in enumerate(scenario.workloads.values()):
        for c, name in enumerate(used):
            rate = demand.done_in_a_month(work, name) * THOUSAND / scale(scenario, work)
            migration = work.migrations.get(scenario.chips[name].platform)
            if rate <= 0.0 or migration is None:
                continue
            if migration.done:
                rows.append((c, w, rate, -1, 0))
                continue
            if (work.name, migration.platform) not in moves:
                moves.append((work.name, migration.platform))
            platform = scenario.platforms[migration.platform]
            first = _months(migration.duration.value)
            settling = math.ceil(platform.months.value)
            number = moves.index((work.name, migration.platform))
            if settling > 0 and platform.later.value != platform.at_first.value:
                middle = (platform.at_first.value + platform.later.value) / 2
                rows.append((c, w, rate * middle, number, first))
            rows.append((c, w, rate * platform.later.value, number, first + max(0, settling)))
    columns = np.array(rows).reshape(-1, 5)
    names = ("chip", "workload", "rate", "move", "wait")
    found: dict[str, Any] = {
        f"activity_{name}": columns[:, k].astype(np.float64 if name == "rate" else np.int64)
        for k, name in enumerate(names)
    }
    return found, moves


def _months(duration: float) -> int:
    return max(1, math.ceil(duration - 1e-9))


def _moves(scenario: Scenario, moves: list[tuple[str, str]]) -> dict[str, Any]:
    each = [scenario.workloads[work].migrations[platform] for work, platform in moves]
    months = np.array([_months(one.duration.value) for one in each], dtype=np.int64)
    effort = np.array([one.effort.value for one in each], dtype=np.float64)
    return {
        "moves": tuple(f"{work} to {platform}" for work, platform in moves),
        "move_cost": effort * scenario.money.person_day.value / MILLION,
        "move_effort": effort / np.maximum(months, 1) / THOUSAND,
        "move_months": months,
        "engineers": scenario.money.engineers.over(scenario.months) / THOUSAND,
    }


def scale(scenario: Scenario, work: Workload) -> float:
    """Work that counts as 1."""
    return max(float(demand.needed(scenario, work).max()), 1e-9)


def _workloads(scenario: Scenario, drawn: futures.Futures) -> dict[str, Any]:
    works, months = list(scenario.workloads.values()), scenario.months
    asked = drawn.needed.copy()
    missed = np.zeros((len(works), months))
    discount = discounts(scenario)
    for w, work in enumerate(works):
        unit = scale(scenario, work)
        asked[:, w] /= unit
        missed[w] = work.missed.value * unit * discount / MILLION
        if work.deadline is not None:
            asked[:, w] = np.where(np.arange(months) == max(0, work.first), asked[:, w].sum(1)[:, None], 0.0)
            missed[w] = np.where(np.arange(months) == work.deadline, missed[w], 0.0)
            due = np.arange(months) >= work.deadline
            missed[w] += work.late.value * due * discount / MILLION
    return {
        "workloads": tuple(scenario.workloads),
        "job": np.array([work.deadline is not None for work in works]),
        "first": np.array([max(0, work.first) for work in works]),
        "deadline": np.array([work.deadline or 0 for work in works]),
        "demand": asked,
        "missed_cost": missed,
        "must": np.array([work.must for work in works]),
    }


def _limits(scenario: Scenario) -> dict[str, Any]:
    budget = scenario.money.budget
    months = scenario.months
    return {
        "budget": np.full(months, np.inf) if budget is None else budget.over(months) / MILLION,
        "share_most": min(1.0, scenario.risk.largest_supplier.value),
        "risk": scenario.risk.weight.value,
        "level": min(scenario.risk.level.value, 0.999),
    }


def without(posed: Posed, **changes: Any) -> Posed:
    """The same question with some arrays of the instance replaced."""
    return replace(posed, instance=replace(posed.instance, **changes))
