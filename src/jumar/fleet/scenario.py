"""A scenario as the program holds it: who needs what by when, which chips may be had, and what limits both.

`scenario_file.load` makes it from a file. Months are counted from `Scenario.start`: 0 is the first. Every number is
a `Number` in the unit that its comment names, with source and confidence; `number.value` is what one computes with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import pairwise
from typing import Any

from jumar.chips import Chip
from jumar.fleet.number import Month, Number, Series

TRAINING, INFERENCE, RECOMMENDATION = "training", "inference", "recommendation"
KINDS = {
    TRAINING: "so many tokens by a deadline",
    INFERENCE: "so many tokens a second, within a latency class",
    RECOMMENDATION: "so many requests a second, within a latency class",
}
COOLINGS = ("air", "liquid")
STOP, SURCHARGE = "stop", "surcharge"
EFFECTS = {
    STOP: "nothing is delivered while it holds; what was ordered comes later, or never (`cancels`)",
    SURCHARGE: "the price is higher by `share` while it holds",
}


@dataclass(frozen=True)
class Failures:
    """How often a chip fails in service, and what that costs in time."""

    per_year: Number  # failures of one chip in a year, "1/year"
    repair: Number  # days out of service each time, "day"
    lost: Number  # share of failures after which the chip is gone for good, "share"
    dead_on_arrival: Number  # share of delivered chips that never work, "share"


@dataclass(frozen=True)
class Heat:
    """How a chip slows down in warm air: full speed up to `full_speed_to`, then `loss` of it for each degree."""

    full_speed_to: Number  # inlet temperature, "°C"
    loss: Number  # share of speed for each degree above, "share/°C"
    stops_at: Number  # inlet temperature from which it is switched off, "°C"


@dataclass(frozen=True)
class Yield:
    """Share of made chips that are good: from `now` at the start of the scenario to `later` after `months`."""

    now: Number  # "share"
    later: Number  # "share"
    months: Number  # "month"
    planned: Number  # the share that the supplier counted on when it promised deliveries, "share"


@dataclass(frozen=True)
class Supply:
    """What a supplier takes and what becomes of it. Orders are taken in months first … last (inclusive)."""

    first: int  # month index; below 0: taken before the scenario begins
    last: int | None  # None: until the end
    most: Series  # most that may be ordered in a month, "chip/month"
    lot: Number  # orders are whole lots of so many chips, "chip"
    lead: Number  # months from order to the promised delivery, "month"
    ramp: Number  # months from `first` until the promised output is reached, "month"
    delay: Number  # months that deliveries come later than promised, "month"
    cancelled: Number  # probability that an order is cancelled altogether, "share"
    noise: Number  # relative standard deviation of a month's output, "share"
    good: Yield | None  # None: chips are bought tested, and all promised ones come


@dataclass(frozen=True)
class ChipOption:
    """A kind of chip that is owned or may be bought. `profile` has its physical numbers, if a chip file has them."""

    name: str
    title: str
    supplier: str  # key of Scenario.suppliers
    platform: str  # key of Scenario.platforms: what its software is
    profile: Chip | None = field(repr=False)
    stock: Number  # owned and in service at the start, "chip"
    price: Number  # with its share of server and network, "USD/chip"
    setup: Number  # paid once if any is ordered, with the first order: development, masks, "USD"
    price_change: Number  # of the price, "share/year": −0.1 is a tenth cheaper each year
    deposit: Number  # share of the price paid with the order, "share"
    refund: Number  # share of the deposit that comes back if the order is cancelled, "share"
    power: Number  # of the chip alone while it works, "W/chip"
    server_power: Number  # its share of server and network, "W/chip"
    per_rack: Number  # most chips in a rack, "chip/rack"
    cooling: str  # one of COOLINGS
    resale: Number  # share of the price that a chip is still worth at the end of the scenario, "share"
    upkeep: Number  # space, staff, maintenance, "USD/chip/month"
    failures: Failures
    heat: Heat
    supply: Supply | None  # None: cannot be bought, only what is in stock

    @property
    def whole_power(self) -> float:
        """Watts of a working chip with its share of server and network, without cooling."""
        return self.power.value + self.server_power.value


@dataclass(frozen=True)
class Supplier:
    """Who sells; what hits a supplier hits all its chips in the same months."""

    name: str
    title: str
    jurisdiction: str  # whose rules its exports follow, as in "US", "CN"
    domestic: bool  # in the buyer's own jurisdiction, `Scenario.jurisdiction`
    disruptions: Number  # expected interruptions of all its deliveries in a year, "1/year"
    disruption: Number  # how long one lasts, "month"


@dataclass(frozen=True)
class ExportRule:
    """A rule that may come or go, or has come: in months begin … end (exclusive) with `probability`. One draw a
    sample decides for all its chips together."""

    name: str
    title: str
    jurisdiction: str
    chips: tuple[str, ...]  # names of ChipOptions
    source: str  # who says so; "" if it is assumed
    effect: str  # one of EFFECTS
    begin: int  # month index
    end: int | None  # None: for good
    probability: Number  # that it holds in those months, "share"
    share: Number  # of the price, for a surcharge, "share"
    cancels: Number  # share of stopped deliveries that never come, "share"


@dataclass(frozen=True)
class ExportHazard:
    """Stops that nobody has announced: how many in a year are expected from a jurisdiction, and how long they last."""

    name: str
    jurisdiction: str
    chips: tuple[str, ...]
    stops: Number  # "1/year"
    lasting: Number  # "month"
    cancels: Number  # share of stopped deliveries that never come, "share"


@dataclass(frozen=True)
class Platform:
    """A software world. What is ported to it reaches `at_first` of the chips' throughput, and `later` after `months`."""

    name: str
    title: str
    at_first: Number  # "share"
    later: Number  # "share"
    months: Number  # "month"


@dataclass(frozen=True)
class Migration:
    """What it takes to bring a workload to a platform. `done`: it runs there at the start, at full efficiency."""

    platform: str
    done: bool
    effort: Number  # "person-day"
    duration: Number  # months from the decision until it runs there, "month"


@dataclass(frozen=True)
class Workload:
    """Something the company has to compute. A training job has `amount` and `deadline`, the others have `rate`.

    A month of one chip does throughput × efficiency of the platform × usable share × SECONDS_PER_MONTH of `unit`.
    """

    name: str
    title: str
    kind: str  # one of KINDS
    unit: str  # "token" or "request"
    model: str
    first: int  # month index in which work may begin
    deadline: int | None  # training: last month index whose work is in time
    amount: Number | None  # training: `unit` in all
    rate: Series | None  # otherwise: `unit`/s, mean over the month
    throughput: Mapping[
        str, Number
    ]  # chip option -> `unit`/s of one chip; a chip that is absent cannot do it
    latency_class: str  # key of Scenario.latency, or ""
    latency: Mapping[str, Number]  # chip option -> "s" a token or request at that throughput
    too_slow: tuple[str, ...]  # chips that have a throughput but miss the latency class; not in `throughput`
    missed: Number  # cost of what is not done: "USD/unit", of all work after the deadline and of all rates not met
    late: Number  # training: cost of each month after the deadline that the job is unfinished, "USD/month"
    migrations: Mapping[str, Migration]  # platform -> what it takes
    must: bool  # may not be missed at all, in no future


@dataclass(frozen=True)
class Site:
    """Where chips stand. Limits by month; `inlet` is the mean temperature in each month of the year, January first."""

    name: str
    title: str
    power: Series  # at the meter, chips and cooling together, "W"
    racks: Series  # "rack"
    liquid_racks: Series  # of them, those with liquid cooling, "rack"
    rack_power: Number  # most that one air-cooled rack may take, "W/rack"
    liquid_rack_power: Number  # "W/rack"
    overhead: Number  # power at the meter for each watt of computing (PUE), "1"
    electricity: Number  # "USD/kWh"
    inlet: tuple[Number, ...]  # twelve, "°C"


@dataclass(frozen=True)
class Rental:
    """Chips of others by the hour: the way out when one's own are missing."""

    name: str
    chip: str  # a ChipOption, whose throughput and platform hold
    price: Number  # "USD/chip/hour"
    most: Series  # "chip"


@dataclass(frozen=True)
class Money:
    """What holds for all: costs are in US dollars of the first month."""

    discount: Number  # "share/year"
    yuan: Number  # yuan for a dollar, "1"
    person_day: Number  # "USD/person-day"
    engineers: Series  # person-days that migrations may take in a month, "person-day/month"
    budget: Series | None  # most to be spent on chips in a month, "USD/month"; None: no limit


@dataclass(frozen=True)
class Risk:
    """What the company fears, and how much."""

    weight: Number  # 0: only the expected cost counts, 1: only the bad cases, "share"
    level: Number  # bad cases are those beyond this share of all, as in 0.9, "share"
    largest_supplier: Number  # most of all spending on chips that may go to one supplier, "share"


TITLED = ("chips", "suppliers", "platforms", "workloads", "sites")


@dataclass(frozen=True)
class Scenario:
    """The whole question. `numbers()` lists every number in it; `with_values` answers "what if it were otherwise"."""

    name: str
    title: str
    story: str
    jurisdiction: str  # of the buyer
    start: Month
    months: int
    chips: Mapping[str, ChipOption]
    suppliers: Mapping[str, Supplier]
    platforms: Mapping[str, Platform]
    workloads: Mapping[str, Workload]
    sites: Mapping[str, Site]
    rentals: Mapping[str, Rental]
    rules: tuple[ExportRule, ...]
    hazards: tuple[ExportHazard, ...]
    latency: Mapping[str, Number]  # class -> most seconds a token or a request may take, "s"
    money: Money
    risk: Risk
    sources: Mapping[str, str]  # short name -> document
    _rebuilt: Callable[[Mapping[str, float]], Scenario] = field(repr=False, compare=False)

    def month(self, index: int) -> Month:
        return self.start + index

    def numbers(self) -> dict[str, Number]:
        """Key in the file -> number, all that the scenario holds, in the order of the file's chapters."""
        return {number.key: number for number in _numbers(self) if number.key}

    def called(self, key: str) -> str:
        """A key in words, with the titles of what it names: chips.ascend_910b.supply.ramp → Ascend 910B, supply, ramp."""
        tables: dict[str, Mapping[str, Any]] = {
            **{name: getattr(self, name) for name in TITLED},
            "migrations": self.platforms,
            "throughput": self.chips,
            "latency": self.chips,
        }
        words = key.split(".")
        known = [tables.get(before, {}).get(word) for before, word in pairwise(words)]
        titles = [
            one.title if one else word.replace("_", " ") for one, word in zip(known, words[1:], strict=True)
        ]
        return ", ".join(titles if words[0] in TITLED else [words[0], *titles])

    def with_values(self, values: Mapping[str, float]) -> Scenario:
        """The same scenario with other values for these keys, in the unit of each number, each certain: for sensitivity."""
        return self._rebuilt(values)

    def __reduce__(self) -> tuple[Callable[[Mapping[str, float]], Scenario], tuple[dict[str, float]]]:
        """Goes to another process as the file's contents, and is made of them again there."""
        return self._rebuilt, ({},)


def _numbers(part: Any) -> Iterator[Number]:
    """All numbers inside a part of a scenario, in the order of its fields."""
    if isinstance(part, Number):
        yield part
    elif isinstance(part, Chip):
        return
    elif is_dataclass(part):
        for one in fields(part):
            yield from _numbers(getattr(part, one.name))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _numbers(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from _numbers(value)
