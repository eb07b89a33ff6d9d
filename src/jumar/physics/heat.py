"""Thermal network of a server: die, memory stacks, sink or cold plate and coolant of each chip, solved exactly in steps.

Each node stores heat, gives it to its neighbours, and coolant carries it from chip to chip and out. Units: °C, J, W, s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from jumar.physics.heat_constants import Constants, Cooling, constants
from jumar.physics.power import Supply
from jumar.physics.work import Floats

NODES = ("die", "stack", "sink", "coolant")
DIE, STACK, SINK, COOLANT = range(len(NODES))
EACH = len(NODES)


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes of a server: node `EACH * chip + DIE` is the die of a chip, and so on in the order of NODES.

    capacity_j_k      heat that each node stores
    conductance_w_k   between nodes, symmetric
    carried_w_k       [i, j]: heat capacity of the coolant that flows from node j into node i in a second
    inflow_w_k        the same from the inlet into each node
    placed            [i, input]: share of each power input that node i takes
    chips             inputs are the powers of all dies, then of all stacks, then the inlet's temperature
    """

    capacity_j_k: Floats
    conductance_w_k: Floats
    carried_w_k: Floats
    inflow_w_k: Floats
    placed: Floats
    chips: int

    @property
    def leaving_w_k(self) -> Floats:
        """Heat capacity of the coolant that leaves the server from each node in a second."""
        entering = self.inflow_w_k + self.carried_w_k.sum(axis=1)
        return cast(Floats, entering - self.carried_w_k.sum(axis=0))

    def inputs(self, die_w: Floats, stack_w: Floats, inlet_c: float) -> Floats:
        """Inputs in the order that the matrices take them."""
        return np.concatenate([die_w, stack_w, [inlet_c]])

    def rates(self) -> tuple[Floats, Floats]:
        """Matrices of dT/dt = F T + H u."""
        exchange = self.conductance_w_k + self.carried_w_k
        entering = self.inflow_w_k + self.carried_w_k.sum(axis=1)
        losing = self.conductance_w_k.sum(axis=1) + entering
        each = 1.0 / self.capacity_j_k[:, None]
        return (exchange - np.diag(losing)) * each, np.column_stack([self.placed, self.inflow_w_k]) * each


def discrete(network: Network, step_s: float) -> tuple[Floats, Floats]:
    """Matrices A, B of T(t + step) = A T(t) + B u, exact while the inputs stay the same in the step."""
    if not step_s > 0:
        raise ValueError(f"a step of {step_s} s: give a time above 0")
    system, drive = network.rates()
    nodes, inputs = drive.shape
    block = np.zeros((nodes + inputs, nodes + inputs))
    block[:nodes, :nodes], block[:nodes, nodes:] = system * step_s, drive * step_s
    whole = exponential(block)
    return whole[:nodes, :nodes], whole[:nodes, nodes:]


def exponential(matrix: Floats) -> Floats:
    """The exponential of a square matrix: a Taylor series of the matrix halved until it is small, squared as often."""
    norm = float(np.abs(matrix).sum(axis=1).max(initial=0.0))
    halvings = max(0, int(np.ceil(np.log2(max(norm, 1e-300)))) + 1)
    small = matrix / 2.0**halvings
    term = total = np.eye(len(matrix))
    for order in range(1, 19):  # the rest is below one part in 10^16 for a norm of at most a half
        term = term @ small / order
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def steady(network: Network, inputs: Floats) -> Floats:
    """Temperatures at which nothing changes any more."""
    system, drive = network.rates()
    return cast(Floats, np.linalg.solve(system, -drive @ inputs))


def stored_j(network: Network, before_c: Floats, after_c: Floats) -> float:
    """Heat that the nodes took up between two states."""
    return float(network.capacity_j_k @ (after_c - before_c))


def carried_off_w(network: Network, temperatures_c: Floats, inlet_c: float) -> float:
    """Heat that leaves the server with its coolant."""
    return float(network.leaving_w_k @ temperatures_c - network.inflow_w_k.sum() * inlet_c)


def network_of(supply: Supply, chips: int, cooling: str, given: Constants | None = None) -> Network:
    """The network of a server of so many equal chips, in rows one behind the other in the coolant."""
    known = given or constants()
    if chips < 1:
        raise ValueError(f"a server of {chips} chips: give at least 1")
    if cooling not in known.cooling:
        raise ValueError(f"cooling {cooling!r}: use one of {', '.join(known.cooling)}")
    return _built(supply, chips, known.cooling[cooling], cooling == "liquid", known)


def _built(supply: Supply, chips: int, way: Cooling, liquid: bool, known: Constants) -> Network:
    node, limit_w = known.node, supply.limit_w
    stack_w = supply.range_w * known.power.memory_share * known.power.memory_in_stacks
    die_g, stack_g = limit_w / node.die_rise_k, stack_w / node.stack_rise_k
    full_g = limit_w / way.sink_rise_k
    sink_g = full_g * way.flow**node.flow_exponent
    carried = limit_w / way.coolant_rise_k * way.flow
    sink_j_k = (node.plate_s if liquid else node.sink_s) * full_g
    one = np.array(
        [node.die_s * die_g, node.stack_s * stack_g, sink_j_k, node.coolant_s * limit_w / way.coolant_rise_k]
    )
    count = EACH * chips
    conductance, flow, inflow = np.zeros((count, count)), np.zeros((count, count)), np.zeros(count)
    placed = np.zeros((count, 2 * chips))
    row = int(node.chips_a_row)
    for chip in range(chips):
        at = EACH * chip
        placed[at + DIE, chip] = placed[at + STACK, chips + chip] = 1.0
        for first, second, value in (
            (DIE, SINK, die_g),
            (STACK, SINK, stack_g),
            (SINK, COOLANT, sink_g),
        ):
            _join(conductance, at + first, at + second, value)
        if chip % row and chip >= 1:
            _join(conductance, at + SINK, at - EACH + SINK, node.board_share * full_g)
        before = chip - row
        # Rows of one board stand behind each other; the next board of eight has air of its own.
        if chip % (2 * row) >= row:
            flow[at + COOLANT, EACH * before + COOLANT] = carried
        else:
            inflow[at + COOLANT] = carried
    return Network(np.tile(one, chips), conductance, flow, inflow, placed, chips)


def _join(conductance: Floats, first: int, second: int, value: float) -> None:
    conductance[first, second] = conductance[second, first] = value
