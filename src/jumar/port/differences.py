"""Two runs beside each other: the first tensor of a module that differs, by how much, and which side is right."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from jumar.port.records import Event, Key, Process, distance, sizes

# How far two runs may be apart, by the coarsest type computed in so far. On one device the same arithmetic is done;
# on two the order of sums differs, and steps of an optimizer let that grow.
SAME_DEVICE = {"float64": 1e-12, "float32": 1e-5, "float16": 5e-3, "bfloat16": 3e-2, "other": 0.05}
OTHER_DEVICE = {"float64": 1e-9, "float32": 2e-3, "float16": 3e-2, "bfloat16": 0.15, "other": 0.2}
COARSENESS = ("float64", "float32", "float16", "bfloat16", "other")
# Tensors far smaller than the largest of their kind may hold nothing but rounding, as a bias before a normalisation.
SMALL = 0.03
CLEARLY = 3.0  # times farther from float64 than the other side


@dataclass(frozen=True)
class Referee:
    """How far each side is from the run in double precision, and which is right: a name, `both` or `unknown`."""

    first: float
    second: float
    right: str


@dataclass(frozen=True)
class Difference:
    """A tensor in which `second` is farther from `first` than `allowed`, relative to its size."""

    process: str
    kind: str
    module: str
    call: int
    index: int
    by: float
    allowed: float
    dtype: str
    inputs_alike: bool | None
    referee: Referee | None = None

    def text(self) -> str:
        by = "shape or infinities" if math.isinf(self.by) else f"{self.by:.2g} (allowed {self.allowed:.2g})"
        return f"{self.kind} of {self.module}, call {self.call}: by {by}, {self.dtype}{self._cause()}"

    def _cause(self) -> str:
        if self.kind == "input":
            return "; all modules before it agree, so it comes from code between them"
        if self.inputs_alike:
            return "; its inputs agree, so it comes from this module"
        return ""


@dataclass
class Comparison:
    """`first` and `second` name the runs. `compared`: tensors looked at; `missing`: those that one side alone has."""

    first: str
    second: str
    compared: int = 0
    compared_modules: int = 0
    losses: int = 0
    largest: float = 0.0
    missing: list[str] = field(default_factory=list)
    difference: Difference | None = None
    skipped: dict[str, int] = field(default_factory=dict)

    def is_rounding(self) -> bool:
        """Whether what differs is as near to double precision on both sides as their type allows."""
        referee = self.difference.referee if self.difference else None
        return referee is not None and referee.right == "both"

    def alike(self) -> bool:
        return (self.difference is None or self.is_rounding()) and not self.missing

    def exact(self) -> bool:
        return self.alike() and self.difference is None and self.largest == 0.0

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "alike": self.alike()}


Runs = dict[str, Process]


def compare(
    first: tuple[str, Runs], second: tuple[str, Runs], same_device: bool, referee: Runs | None = None
) -> Comparison:
    """Events in the order of the first run, up to the first that differs."""
    result = Comparison(first[0], second[0])
    modules: set[str] = set()
    for name in sorted(first[1].keys() | second[1].keys()):
        one, other = first[1].get(name), second[1].get(name)
        if one is None or other is None:
            result.missing.append(f"process {name} recorded only by the {first[0] if one else second[0]} run")
            continue
        for kind, count in {**one.skipped, **other.skipped}.items():
            result.skipped[kind] = max(count, result.skipped.get(kind, 0))
        if result.difference is None:
            _compare_process(result, one, other, same_device, (referee or {}).get(name), modules)
    result.compared_modules = len(modules)
    return result


def _compare_process(
    result: Comparison,
    one: Process,
    other: Process,
    same_device: bool,
    truth: Process | None,
    modules: set[str],
) -> None:
    limits = SAME_DEVICE if same_device else OTHER_DEVICE
    theirs = {event.key: event for event in other.events}
    largest = sizes(one.events)
    coarsest = 0
    inputs: dict[tuple[str, int], bool] = {}
    for event in one.events:
        match = theirs.pop(event.key, None)
        if match is None:
            result.missing.append(f"{event.name()} is only in the {result.first} run")
            continue
        coarsest = max(coarsest, _coarseness(event), _coarseness(match))
        least = SMALL * largest[event.kind, event.call]
        by, allowed = distance(match, event, least), limits[COARSENESS[coarsest]]
        result.compared += 1
        result.losses += event.kind == "loss"
        modules.add(event.module)
        call = (event.module, event.call)
        if event.kind == "input":
            inputs[call] = inputs.get(call, True) and by <= allowed
        if by > allowed:
            # An input that differs is told at the module that it goes into, if no module gave it.
            result.difference = _difference(
                result, one, event, match, by, allowed, inputs.get(call), truth, least
            )
            return
        result.largest = max(result.largest, by)
    result.missing += [f"{event.name()} is only in the {result.second} run" for event in theirs.values()]


def _coarseness(event: Event) -> int:
    return COARSENESS.index(event.dtype) if event.dtype in COARSENESS else len(COARSENESS) - 1


def _difference(
    result: Comparison, process: Process, event: Event, match: Event, by: float, allowed: float,
    inputs_alike: bool | None, truth: Process | None, least: float,
) -> Difference:  # fmt: skip
    return Difference(
        process.name, event.kind, event.module, event.call, event.index, by, allowed, match.dtype,
        inputs_alike if event.kind == "activation" else None,
        judge((result.first, event), (result.second, match), truth, least),
    )  # fmt: skip


def judge(
    first: tuple[str, Event], second: tuple[str, Event], truth: Process | None, least: float = 0.0
) -> Referee | None:
    """None where there is no run in double precision, or that has not got so far."""
    by_key: dict[Key, Event] = {event.key: event for event in truth.events} if truth else {}
    right = by_key.get(first[1].key)
    if right is None:
        return None
    errors = distance(first[1], right, least), distance(second[1], right, least)
    if errors[0] * CLEARLY < errors[1]:
        side = first[0]
    elif errors[1] * CLEARLY < errors[0]:
        side = second[0]
    else:
        side = "both" if max(errors) < OTHER_DEVICE[_coarsest(first[1], second[1])] else "unknown"
    return Referee(errors[0], errors[1], side)


def _coarsest(one: Event, other: Event) -> str:
    return COARSENESS[max(_coarseness(one), _coarseness(other))]
