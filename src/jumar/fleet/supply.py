"""What becomes of an order: samples of how much of it arrives when.

Suppliers fill orders in turn. What they make in a month is what they promised, times ramp, times yield over the yield
they counted on, times noise; nothing while they are interrupted or export is stopped. Somebody who orders less than the
most that is taken waits in the same place of the queue, so all amounts are shares of an order, whatever its size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jumar.fleet.chance import Chance
from jumar.fleet.number import Floats
from jumar.fleet.scenario import STOP, SURCHARGE, ChipOption, Scenario, Supply

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class SupplySamples:
    """Futures of supply, chips in the order of `chips`.

    arrives[sample, chip, order month, month]    share of an order that arrives in a month and works
    cancelled[sample, chip, order month, month]  share of which it is known then that it never comes
    price[sample, chip, month]                   US dollars for a chip ordered in that month
    blocked[sample, chip, month]                 share of a month in which nothing is delivered
    """

    chips: tuple[str, ...]
    arrives: Floats
    cancelled: Floats
    price: Floats
    blocked: Floats
    seed: int

    @property
    def samples(self) -> int:
        return len(self.arrives)

    def of(self, samples: Sequence[int]) -> SupplySamples:
        """Only these samples."""
        rows = np.asarray(samples)
        named = ("arrives", "cancelled", "price", "blocked")
        kept = [np.asarray(getattr(self, name)[rows]) for name in named]
        return SupplySamples(self.chips, kept[0], kept[1], kept[2], kept[3], self.seed)

    def received(self, orders: Mapping[str, Floats]) -> dict[str, Floats]:
        """Chips received until the end of each month if so many are ordered in each: [sample, month] a chip."""
        return {
            chip: np.cumsum(np.einsum("t,stu->su", orders[chip], self.arrives[:, place]), axis=1)
            for place, chip in enumerate(self.chips)
            if chip in orders
        }


def sample(scenario: Scenario, samples: int, seed: int) -> SupplySamples:
    """Draws futures. The same seed gives the same, and more samples begin with those of fewer."""
    chance = Chance(samples, seed)
    bought = [chip for chip in scenario.chips.values() if chip.supply is not None]
    interrupted = _interruptions(scenario, chance)
    stops = _stops(scenario, chance)
    empty = np.zeros((samples, scenario.months, scenario.months))
    arrives, cancelled, blocked = [empty[:, None][:, :0]], [empty[:, None][:, :0]], [empty[:, :0]]
    for chip in bought:
        stopped, lost = stops[chip.name]
        fates = _fates(scenario, chance, chip, interrupted[chip.supplier], stopped, lost)
        arrives.append(fates[0][:, None])
        cancelled.append(fates[1][:, None])
        blocked.append(np.maximum(stopped, interrupted[chip.supplier])[:, None])
    return SupplySamples(
        tuple(chip.name for chip in bought),
        np.concatenate(arrives, axis=1),
        np.concatenate(cancelled, axis=1),
        _prices(scenario, chance, bought),
        np.concatenate(blocked, axis=1),
        seed,
    )


def fan(received: Floats, quantiles: Sequence[float] = QUANTILES) -> Floats:
    """[quantile, month] of what was received in samples: the bands of a fan chart."""
    return np.quantile(received, quantiles, axis=0)


@dataclass(frozen=True)
class Outlook:
    """What comes until the end if as much is ordered as may be: chips, and quantiles over futures."""

    ordered: float
    low: float
    middle: float
    high: float


def outlook(scenario: Scenario, samples: int = 200, seed: int = 0) -> dict[str, Outlook]:
    """For each chip that may be bought, how much of it can be had, with the 5 %, 50 % and 95 % quantiles."""
    bought = {chip.name: chip.supply for chip in scenario.chips.values() if chip.supply is not None}
    orders = {name: _taken(supply, scenario.months) for name, supply in bought.items()}
    received = sample(scenario, samples, seed).received(orders)
    found = {}
    for name, chips in received.items():
        low, _, middle, _, high = fan(chips)[:, -1]
        found[name] = Outlook(float(orders[name].sum()), float(low), float(middle), float(high))
    return found


def promised(scenario: Scenario) -> dict[str, Floats]:
    """[order month, month] a chip: the shares that arrive if everything comes as promised."""
    found = {}
    for chip in scenario.chips.values():
        if chip.supply is not None:
            taken = _taken(chip.supply, scenario.months)
            lead = np.array([chip.supply.lead.value])
            found[chip.name] = _places(taken, _due(taken, lead, scenario.months))[0]
    return found


def _interruptions(scenario: Scenario, chance: Chance) -> dict[str, Floats]:
    return {
        one.name: chance.interrupted(one.disruptions, one.disruption, scenario.months)
        for one in scenario.suppliers.values()
    }


def _stops(scenario: Scenario, chance: Chance) -> dict[str, tuple[Floats, Floats]]:
    """Share of each month in which export of a chip is stopped, and share of what is stopped then that is cancelled,
    both [sample, month]. A stop is one for all chips that it names."""
    months = scenario.months
    nothing = np.zeros((chance.samples, months))
    found = dict.fromkeys(scenario.chips, (nothing, nothing))
    for rule in scenario.rules:
        if rule.effect == STOP:
            holds = _held(rule.begin, rule.end, months)[None] * chance.happens(rule.probability)[:, None]
            _add(found, rule.chips, holds, chance.value(rule.cancels))
    for hazard in scenario.hazards:
        holds = chance.interrupted(hazard.stops, hazard.lasting, months)
        _add(found, hazard.chips, holds, chance.value(hazard.cancels))
    return found


def _add(
    found: dict[str, tuple[Floats, Floats]], chips: Sequence[str], holds: Floats, cancels: Floats
) -> None:
    for chip in chips:
        stopped, cancelled = found[chip]
        worse = np.where(holds > 0.0, np.maximum(cancelled, cancels[:, None]), cancelled)
        found[chip] = (np.maximum(stopped, holds), worse)


def _held(begin: int, end: int | None, months: int) -> Floats:
    """1 in the months in which a rule holds."""
    index = np.arange(months)
    return ((index >= begin) & (index < (months if end is None else end))).astype(float)


def _prices(scenario: Scenario, chance: Chance, bought: Sequence[ChipOption]) -> Floats:
    prices = np.ones((chance.samples, len(bought), scenario.months))
    years = np.arange(scenario.months) / 12.0
    for place, chip in enumerate(bought):
        yearly = 1.0 + chance.value(chip.price_change)
        prices[:, place] = chance.value(chip.price)[:, None] * yearly[:, None] ** years
        for rule in scenario.rules:
            if rule.effect == SURCHARGE and chip.name in rule.chips:
                holds = chance.happens(rule.probability)[:, None] * _held(
                    rule.begin, rule.end, scenario.months
                )
                prices[:, place] *= 1.0 + holds * chance.value(rule.share)[:, None]
    return prices


def _fates(
    scenario: Scenario, chance: Chance, chip: ChipOption, interrupted: Floats, stopped: Floats, lost: Floats
) -> tuple[Floats, Floats]:
    """[sample, order month, month], twice: share of an order that arrives and works, and that is cancelled."""
    supply = chip.supply
    assert supply is not None
    months = scenario.months
    taken = _taken(supply, months)
    lead = chance.value(supply.lead)
    due = _due(taken, lead + chance.value(supply.delay), months)
    output = _output(supply, chance, lead, months) * (1.0 - interrupted)
    passed = output * (
        1.0 - stopped + stopped * lost
    )  # what a stop cancels leaves the queue without arriving
    arriving = np.divide(output * (1.0 - stopped), passed, out=np.zeros_like(passed), where=passed > 0.0)
    places = _places(taken, _served(due, passed))
    dropped = chance.happens(supply.cancelled, months)[:, :, None]
    works = 1.0 - chance.value(chip.failures.dead_on_arrival)[:, None, None]
    arrives = np.where(dropped, 0.0, places * arriving[:, None, :] * works)
    cancelled = np.where(dropped, _places(taken, due), places * (1.0 - arriving[:, None, :]))
    return arrives, cancelled


def _taken(supply: Supply, months: int) -> Floats:
    """Most that is ordered in each month."""
    index = np.arange(months)
    last = months - 1 if supply.last is None else supply.last
    return np.where((index >= supply.first) & (index <= last), supply.most.over(months), 0.0)


def _due(taken: Floats, wait: Floats, months: int) -> Floats:
    """[sample, month]: orders that are due until the end of a month if each waits so long."""
    ordered = np.concatenate([[0.0], np.cumsum(taken)])
    moments = np.arange(1, months + 1)[None] - wait[:, None]
    return np.asarray(np.interp(moments, np.arange(months + 1), ordered, left=0.0))


def _output(supply: Supply, chance: Chance, lead: Floats, months: int) -> Floats:
    """[sample, month]: chips that the supplier makes for orders at the limit. Once nothing new is ordered it works
    off what is open at its last pace."""
    index = np.arange(months)
    taken = _taken(supply, months)
    open_months = np.nonzero(taken)[0]
    if not len(open_months):
        return np.zeros((chance.samples, months))
    ordered = np.clip(index[None] - np.rint(lead)[:, None].astype(int), open_months[0], open_months[-1])
    age = index[None] + 1.0 - supply.first - lead[:, None]
    ramped = np.clip(age / (1.0 + chance.value(supply.ramp))[:, None], 0.0, 1.0)
    spread = chance.value(supply.noise)[:, None]
    noise = np.exp(spread * chance.normal(supply.noise.key, months) - spread**2 / 2.0)
    return np.asarray(taken[ordered] * ramped * noise * _good(supply, chance, months))


def _good(supply: Supply, chance: Chance, months: int) -> Floats:
    """[sample, month]: yield over the yield that the supplier counted on."""
    if supply.good is None:
        return np.ones((chance.samples, months))
    now, later, over, planned = (
        chance.value(one)[:, None]
        for one in (supply.good.now, supply.good.later, supply.good.months, supply.good.planned)
    )
    progress = np.clip(np.arange(months)[None] / np.maximum(over, 1e-9), 0.0, 1.0)
    return np.asarray((now + (later - now) * progress) / planned)


def _served(due: Floats, output: Floats) -> Floats:
    """[sample, month]: orders that have left the queue until the end of a month: never more than is due."""
    served = np.zeros_like(due)
    so_far = np.zeros(len(due))
    for month in range(due.shape[1]):
        so_far = np.minimum(due[:, month], so_far + output[:, month])
        served[:, month] = so_far
    return served


def _places(taken: Floats, served: Floats) -> Floats:
    """[sample, order month, month]: the part of each order's place in the queue that is passed in a month."""
    end = np.cumsum(taken)
    begin = end - taken
    before = np.concatenate([np.zeros((len(served), 1)), served[:, :-1]], axis=1)
    upper = np.minimum(end[None, :, None], served[:, None, :])
    lower = np.maximum(begin[None, :, None], before[:, None, :])
    size = np.where(taken > 0.0, taken, 1.0)[None, :, None]
    return np.asarray(np.maximum(0.0, upper - lower) / size)
