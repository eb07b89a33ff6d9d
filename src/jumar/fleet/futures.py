"""Samples of the future as a planner takes them: chips in service and money paid for each chip ordered, and demand.

Everything is linear in what is ordered, so a plan multiplies its orders with these arrays and adds up. Sample s of a
seed is the same however many are drawn; another seed gives futures that a plan has not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jumar.fleet import in_service, supply
from jumar.fleet.chance import Chance
from jumar.fleet.number import SECONDS_PER_MONTH, Floats
from jumar.fleet.scenario import ChipOption, Scenario


@dataclass(frozen=True, eq=False)
class Futures:
    """Axes are sample s, chip c (all of `Scenario.chips`, in its order), workload w, order month τ, month t.

    in_service[s,c,τ,t]    of a chip ordered in τ, the share that works in t: delays, yield, stops, cancellations,
                           losses and repairs are off
    paid[s,c,τ,t]          US dollars paid in t for a chip ordered in τ: deposit, rest on arrival, refunds below 0
    stock_in_service[s,c,t] chips of the stock that work in t
    needed[s,w,t]          work that falls due in t (a training job's amount in its deadline's month)
    speed[c,t]             share of its throughput that a chip keeps in the warmth of the sites
    """

    supply: supply.SupplySamples
    in_service: Floats
    paid: Floats
    stock_in_service: Floats
    needed: Floats
    speed: Floats

    @property
    def samples(self) -> int:
        return len(self.needed)


def draw(scenario: Scenario, samples: int, seed: int) -> Futures:
    """So many futures."""
    chance = Chance(samples, seed)
    chips = list(scenario.chips.values())
    supplied = supply.sample(scenario, samples, seed)
    shape = (samples, len(chips), scenario.months, scenario.months)
    working, paid = np.zeros(shape), np.zeros(shape)
    staying = np.stack([_staying(chance, chip, scenario.months) for chip in chips], axis=1)
    for place, chip in enumerate(chips):
        if chip.supply is not None:
            arrives, cancelled, price = _of(supplied, chip)
            working[:, place] = _accumulated(arrives, staying[:, place])
            paid[:, place] = _paid(chip, arrives, cancelled, price)
    stock = np.array([chip.stock.value for chip in chips])
    return Futures(
        supplied, working, paid, staying * stock[:, None], _needed(scenario, chance), _speed(scenario, chips)
    )


def _of(supplied: supply.SupplySamples, chip: ChipOption) -> tuple[Floats, Floats, Floats]:
    place = supplied.chips.index(chip.name)
    return supplied.arrives[:, place], supplied.cancelled[:, place], supplied.price[:, place]


def _staying(chance: Chance, chip: ChipOption, months: int) -> Floats:
    """[sample, months since arrival]: share of chips that is there and not in repair."""
    failures = chip.failures
    often, lost, repair = (
        chance.value(one)[:, None] for one in (failures.per_year, failures.lost, failures.repair)
    )
    there = np.exp(-often * lost / 12.0 * np.arange(months)[None])
    return np.asarray(there / (1.0 + often * repair / in_service.DAYS_PER_YEAR))


def _accumulated(arrives: Floats, staying: Floats) -> Floats:
    """[sample, order month, month]: what has arrived and is still there; half of the month in which it arrives."""
    months = arrives.shape[2]
    age = np.arange(months)[None, :] - np.arange(months)[:, None]  # [arrival month, month]
    held = np.where(age >= 0, staying[:, np.maximum(age, 0)], 0.0) * np.where(age == 0, 0.5, 1.0)
    return np.asarray(np.matmul(arrives, held))


def _paid(chip: ChipOption, arrives: Floats, cancelled: Floats, price: Floats) -> Floats:
    """[sample, order month, month]: the deposit with the order, the rest as working chips arrive."""
    deposit, refund = chip.deposit.value, chip.refund.value
    shares = (1.0 - deposit) * arrives - deposit * refund * cancelled
    months = np.arange(arrives.shape[2])
    shares[:, months, months] += deposit
    return np.asarray(shares * price[:, :, None])


def _needed(scenario: Scenario, chance: Chance) -> Floats:
    """[sample, workload, month]: demand with a draw for each of its numbers."""
    found = np.zeros((chance.samples, len(scenario.workloads), scenario.months))
    for place, work in enumerate(scenario.workloads.values()):
        if work.amount is not None and work.deadline is not None:
            found[:, place, work.deadline] = chance.value(work.amount)
        elif work.rate is not None:
            begun = np.arange(scenario.months) >= work.first
            found[:, place] = chance.course(work.rate, scenario.months) * SECONDS_PER_MONTH * begun
    return found


def _speed(scenario: Scenario, chips: Sequence[ChipOption]) -> Floats:
    """[chip, month]: mean over the sites, by their power."""
    sites = list(scenario.sites.values())
    weights = np.stack([site.power.over(scenario.months) for site in sites])
    weights = np.where(weights.sum(axis=0) > 0.0, weights, 1.0)
    rows = []
    for chip in chips:
        kept = np.stack([in_service.derated(scenario, chip, site) for site in sites])
        rows.append((kept * weights).sum(axis=0) / weights.sum(axis=0))
    return np.stack(rows)
