"""Faults at random: times between them are exponential, kinds follow published shares; the same seed draws the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jumar.machine.faults.catalogue import BadKind, Kind, kinds
from jumar.machine.faults.injection import Injection
from jumar.machine.faults.scenario import BadScenario, Rate, Scenario

SHARES = Path(__file__).with_name("shares.tsv")
COLUMNS = ("cause", "interruptions", "kinds", "source")


@dataclass(frozen=True)
class Share:
    """Of how many interruptions a published cause was the reason, and which kinds stand for it, in equal parts."""

    cause: str
    interruptions: int
    kinds: tuple[str, ...]
    source: str


@cache
def shares(path: Path = SHARES) -> tuple[Share, ...]:
    """The rows of the table. BadKind for one that cannot be used."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise BadKind(f"{path.name}:1: the first line must be the columns {', '.join(COLUMNS)}")
    found = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(COLUMNS) or not fields[1].isdecimal() or not fields[3]:
            raise BadKind(f"{path.name}:{number}: wanted {', '.join(COLUMNS)}, separated by tabs")
        names = tuple(fields[2].split())
        if unknown := [name for name in names if name not in kinds()]:
            raise BadKind(f"{path.name}:{number}: {unknown[0]} is no kind of kinds.toml")
        found.append(Share(fields[0], int(fields[1]), names, fields[3]))
    return tuple(found)


def weights() -> dict[str, float]:
    """How often each kind strikes of 1, by the shares."""
    total = sum(share.interruptions for share in shares())
    found: dict[str, float] = {}
    for share in shares():
        for name in share.kinds:
            part = share.interruptions / total / len(share.kinds)
            found[name] = found.get(name, 0.0) + part
    return found


def drawn(scenario: Scenario, devices: int) -> list[Injection]:
    """All faults of a scenario on a server of so many chips, its rates drawn. BadScenario if one names another chip."""
    named = [one.chip for one in scenario.faults] + [chip for rate in scenario.rates for chip in rate.chips]
    if named and max(named) >= devices:
        raise BadScenario(f"{scenario.name}: chip {max(named)}: the server has chips 0 to {devices - 1}")
    found = list(scenario.faults)
    for number, rate in enumerate(scenario.rates):
        found += random_faults(rate, devices, f"{scenario.seed}/{number}")
    return found


def random_faults(rate: Rate, devices: int, seed: int | str) -> list[Injection]:
    """The first `most` faults of a rate, the earliest first."""
    chance = random.Random(str(seed))
    chips = rate.chips or range(devices)
    names, parts = zip(*weights().items(), strict=True)
    found, reached = [], 0.0
    for _ in range(rate.most):
        reached += chance.expovariate(1.0) * rate.mean
        kind = rate.kind or kinds()[chance.choices(names, parts)[0]]
        found.append(_at(kind, chance.choice(chips), reached, rate.in_operators, chance.getrandbits(31)))
    return found


def _at(kind: Kind, chip: int, reached: float, in_operators: bool, seed: int) -> Injection:
    if in_operators:
        return Injection(kind, chip, after_operators=round(reached), seed=seed)
    return Injection(kind, chip, at_s=reached, seed=seed)


def text(wanted: Sequence[Injection]) -> str:
    """One line a fault, for people."""
    lines = []
    for one in wanted:
        when = "now" if one.after_operators is None else f"operator {one.after_operators}"
        when = when if one.at_s is None else f"{one.at_s:.3g} s"
        lines.append(f"{when:>14}  chip {one.chip}  {one.kind.name}")
    return "\n".join(lines)
