"""What a simulated cluster is: its layout, what fails in it, how hot it gets, which jobs it runs. Times are in hours."""

from __future__ import annotations

from dataclasses import dataclass

# What a failure can befall, from the smallest to the largest; each is a run of neighbouring hosts.
UNITS = ("chip", "link", "host", "rack", "domain", "cluster")
EFFECTS = {
    "stop": "the job on it stops",
    "slow": "what it touches runs slower and the job with it, until somebody notices",
    "silent": "results are wrong; once noticed, the job goes back to a checkpoint from before",
    "heat": "cooling fails: the air at the inlet is warmer for a while",
}
LAWS = ("lognormal", "exponential", "fixed")
SCHEDULERS = {
    "fifo": "in the order of arrival; nobody overtakes",
    "backfill": "as fifo, but a job may run ahead where it delays nobody before it",
}
PLACEMENTS = {"packed": "over as few power domains and racks as possible", "any": "wherever hosts are free"}


@dataclass(frozen=True)
class Layout:
    """How chips stand: a host holds chips, a rack hosts, a domain the racks that share power and cooling."""

    chips: int
    chips_per_host: int = 8
    hosts_per_rack: int = 4
    racks_per_domain: int = 16
    links_per_chip: int = 1

    @property
    def hosts(self) -> int:
        return -(-self.chips // self.chips_per_host)

    @property
    def hosts_per_domain(self) -> int:
        return self.hosts_per_rack * self.racks_per_domain

    def hosts_per(self, unit: str) -> float:
        """Hosts that one such unit spans; below 1 where a host has several."""
        return {
            "chip": 1 / self.chips_per_host,
            "link": 1 / (self.chips_per_host * max(self.links_per_chip, 1)),
            "host": 1,
            "rack": self.hosts_per_rack,
            "domain": self.hosts_per_domain,
            "cluster": self.hosts,
        }[unit]


@dataclass(frozen=True)
class Duration:
    """A random time: mean in hours; `spread` is the standard deviation of its logarithm where the law is lognormal."""

    mean_h: float
    law: str = "lognormal"
    spread: float = 0.7


@dataclass(frozen=True)
class Failure:
    """One kind of failure.

    hours_between   of one unit in its middle age, so that N units fail N times as often
    early, early_h  a new unit fails (1 + early) times as often; the excess falls by e every early_h
    wear_h, wear_shape  scale and shape of a Weibull law that is added; no wear if wear_h is infinite
    doubling_c      degrees of chip temperature that double the rate; infinite: temperature does not matter
    recovers        share after which the host goes on without a repair
    notice, repair  time until the job knows; time until the host is back
    speed, lasts    of "slow": what is left of the speed, and for how long if nobody notices
    rise_c          of "heat": by how much the inlet warms, for `lasts`
    busy_only       befalls only hosts that work (software)
    """

    name: str
    unit: str
    effect: str
    hours_between: float
    early: float = 0.0
    early_h: float = 720.0
    wear_h: float = float("inf")
    wear_shape: float = 3.0
    doubling_c: float = float("inf")
    recovers: float = 0.0
    notice: Duration = Duration(0.0, "fixed")
    repair: Duration = Duration(24.0)
    speed: float = 1.0
    lasts: Duration = Duration(2.0)
    rise_c: float = 0.0
    busy_only: bool = False


@dataclass(frozen=True)
class Heat:
    """The law of heat: a chip is `resistance` × its power warmer than the air at its rack's inlet.

    Where that exceeds `throttle_c` the clock falls until it does not; at the lowest clock and above `shutdown_c` the
    host goes off. Power above idle goes with the clock to the power `exponent`.
    """

    inlet_c: float
    daily_c: float
    yearly_c: float
    rack_spread_c: float
    chip_spread_c: float
    resistance: float
    power_w: float
    idle_w: float
    throttle_c: float
    shutdown_c: float
    lowest_clock: float
    exponent: float
    warmest_hour: float = 15.0
    first_day: float = 0.0
    warmest_day: float = 200.0
    every_h: float = 0.5


@dataclass(frozen=True)
class Checkpoints:
    """A checkpoint every `every_h` of work: it blocks the job, is then written while the job runs `drag` slower, and
    counts once it is written. `every_h` 0 means: as Daly's formula says."""

    every_h: float = 0.0
    blocks_h: float = 30 / 3600
    writes_h: float = 0.0
    drag: float = 0.0


@dataclass(frozen=True)
class Work:
    """Jobs of one kind. `hours` each would take with nothing going wrong on all its chips at full clock.

    clock_share, chips_share  share of the step time that goes with 1/clock and 1/chips
    spread_cost   by how much a step is longer if it runs over many domains instead of the fewest
    least_chips   it goes on with so many rather than wait; equal to `chips` if it cannot shrink
    count, every_h, law  so many arrive, on average `every_h` apart, or all at `arrives_h` where that is 0
    restart_h, swap_h    to start again on the same hosts, and more to bring in a spare
    """

    name: str
    chips: int
    hours: float
    checkpoints: Checkpoints = Checkpoints()
    least_chips: int = 0
    clock_share: float = 0.7
    chips_share: float = 1.0
    spread_cost: float = 0.0
    restart_h: float = 10 / 60
    swap_h: float = 0.0
    count: int = 1
    arrives_h: float = 0.0
    every_h: float = 0.0
    law: str = "fixed"
    spread: float = 0.7
    step_s: float = 0.0


@dataclass(frozen=True)
class Delivery:
    """Chips that come on a day. `delay` is added; of the hosts `yield_share` work at once, the rest after a repair."""

    day: float
    chips: int
    delay: Duration = Duration(0.0, "fixed")
    yield_share: float = 1.0
    repair: Duration = Duration(24.0 * 14)


@dataclass(frozen=True)
class Cluster:
    """All of it. `crews` 0: every repair begins at once. `age_h` is how long what is there on the first day has run;
    `unevenness` the coefficient of variation of how prone hosts are to fail. `spares`: hosts that no new job takes."""

    name: str
    days: float
    layout: Layout
    failures: tuple[Failure, ...]
    work: tuple[Work, ...]
    heat: Heat | None = None
    deliveries: tuple[Delivery, ...] = ()
    spares: int = 0
    crews: int = 0
    age_h: float = 8760.0
    unevenness: float = 0.0
    scheduler: str = "fifo"
    placement: str = "packed"
