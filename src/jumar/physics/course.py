"""What heat makes of a long run: a job's power over hours through network and governor, its clock, and how far it comes.

The clock feeds back: a slower chip draws less, and the same work takes longer. Chips of one job wait for the slowest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jumar.physics import governor as governing
from jumar.physics.governor import Governor
from jumar.physics.heat import DIE, EACH, STACK, Network, discrete, steady
from jumar.physics.power import Supply, stretch
from jumar.physics.work import Floats


@dataclass(frozen=True, eq=False)
class Load:
    """What a job asks of each chip at full clock, averaged over a step: dynamic watts of die and stacks, and the share of
    the time that the clock bounds."""

    die_w: Floats
    stack_w: Floats
    bound: Floats

    @property
    def chips(self) -> int:
        return len(self.die_w)


@dataclass(frozen=True, eq=False)
class Course:
    """A run through time; rows are times, columns chips. `rate`: work done in a second, 1 as if all were cool."""

    time_s: Floats
    die_c: Floats
    stack_c: Floats
    power_w: Floats
    clock_share: Floats
    rate: Floats
    energy_j: float
    stopped: Floats  # when each chip stopped, in seconds; infinite where it did not

    @property
    def slower(self) -> float:
        """How many times longer the work takes than with cool chips: over the whole time, infinite if nothing was done."""
        done = float(self.rate.mean())
        return 1.0 / done if done > 0 else float("inf")

    @property
    def last_rate(self) -> float:
        """Work done in a second at the end: the mean of the last tenth, in which a governor may still go up and down."""
        return float(self.rate[-max(1, len(self.rate) // 10) :].mean())


def drawn_w(
    supply: Supply, load: Load, clock: Floats, rate: float, die_c: Floats, stopped: Floats
) -> tuple[Floats, Floats]:
    """Watts of dies and stacks at these clocks, while the job advances at `rate`; a stopped chip draws nothing."""
    idle_w = supply.idle_at(die_c)
    alive = 1.0 - stopped
    in_stacks = supply.shares.idle_in_stacks
    die_w = rate * load.die_w * supply.energy_factor(clock) + idle_w * (1.0 - in_stacks)
    return alive * die_w, alive * (rate * load.stack_w + idle_w * in_stacks)


def rate_of(load: Load, clock: Floats, stopped: Floats) -> float:
    """Work in a second relative to full clock: that of the slowest chip; none once one has stopped."""
    if stopped.any():
        return 0.0
    return float(1.0 / stretch(load.bound, clock).max())


def follow(
    network: Network,
    supply: Supply,
    governor: Governor,
    load: Load,
    inlet_c: float,
    seconds: float,
    *,
    step_s: float | None = None,
    start_c: Floats | None = None,
    to_the_end: bool = True,
) -> Course:
    """The job on that server for so long, from an idle server on (or `start_c`, temperatures of all nodes).

    The governor decides at the end of each step; `step_s` is its own period unless given. Unless `to_the_end`, it is not
    followed further once a chip has stopped and the job with it.
    """
    if network.chips != load.chips:
        raise ValueError(f"a network of {network.chips} chips, but a load of {load.chips}")
    each_s = governor.period_s if step_s is None else step_s
    advance, push = discrete(network, each_s)
    count = max(1, round(seconds / each_s))
    followed = count
    temperatures = idle(network, supply, inlet_c) if start_c is None else start_c
    state = governing.beginning(load.chips)
    found = np.zeros((count, 4, load.chips))
    rates = np.zeros(count)
    ended = np.full(load.chips, np.inf)
    for at in range(count):
        clock = governor.clock_shares[state.row]
        rate = rate_of(load, clock, state.stopped.astype(float))
        die_c = temperatures[DIE::EACH]
        die_w, stack_w = drawn_w(supply, load, clock, rate, die_c, state.stopped.astype(float))
        temperatures = advance @ temperatures + push @ network.inputs(die_w, stack_w, inlet_c)
        die_c, stack_c = temperatures[DIE::EACH], temperatures[STACK::EACH]
        found[at] = die_c, stack_c, die_w + stack_w, state.clock_shares(governor)
        rates[at] = rate
        before, state = state, governing.step(governor, state, die_c, stack_c, die_w + stack_w)
        ended[state.stopped > before.stopped] = (at + 1) * each_s
        if not to_the_end and state.stopped.any():
            followed = at + 1
            break
    found, rates = found[:followed], rates[:followed]
    time_s: Floats = each_s * np.arange(1.0, followed + 1.0)
    energy_j = float(found[:, 2].sum()) * each_s
    return Course(time_s, found[:, 0], found[:, 1], found[:, 2], found[:, 3], rates, energy_j, ended)


def idle(network: Network, supply: Supply, inlet_c: float) -> Floats:
    """Temperatures of a server on which nothing runs."""
    nothing = np.zeros(network.chips)
    return settled(network, supply, Load(nothing, nothing, nothing), inlet_c)


def settled(network: Network, supply: Supply, load: Load, inlet_c: float) -> Floats:
    """Temperatures that the job would reach at full clock if nothing slowed it. Leakage depends on them: a few rounds,
    each ten times closer."""
    full, running = np.ones(load.chips), np.zeros(load.chips)
    die_c = np.full(load.chips, inlet_c)
    temperatures = np.full(EACH * load.chips, inlet_c)
    for _ in range(20):
        watts = drawn_w(supply, load, full, 1.0, die_c, running)
        temperatures = steady(network, network.inputs(*watts, inlet_c))
        die_c = np.minimum(temperatures[DIE::EACH], 300.0)  # without cooling it would grow for ever
    return temperatures
