"""What has to fit together in a scenario: names that lead somewhere, demand that is whole, one unit for a workload."""

from __future__ import annotations

from collections.abc import Collection

from jumar.fleet import scenario as parts
from jumar.fleet.number import Number
from jumar.fleet.reading import Section


def check_demand(part: Section, work: parts.Workload, months: int) -> None:
    """A training job has an amount and a deadline, everything else a rate."""
    training = work.kind == parts.TRAINING
    for name, wanted in (("amount", training), ("deadline", training), ("rate", not training)):
        given = getattr(work, name) is not None
        if given != wanted:
            verb = "add it" if wanted else "take it out"
            raise part.bad(
                name, f"{'missing' if wanted else 'not for'} a workload of kind {work.kind}; {verb}"
            )
    if work.first >= months:
        raise part.bad("first", "after the end of the scenario; take the workload out, or plan more months")
    if work.deadline is not None and not work.first <= work.deadline < months:
        raise part.bad("deadline", "must lie between first and the end of the scenario")
    if not work.throughput and not work.too_slow:
        raise part.bad("throughput", f"missing; add [{part.place('throughput')}] with a line for each chip")


def check_counted(part: Section, work: parts.Workload) -> None:
    """Everything of a workload counts the same unit."""
    counted: dict[str, tuple[Number, ...]] = {
        "amount": (work.amount,) if work.amount else (),
        "rate": tuple(number for _, number in work.rate.steps) if work.rate else (),
        "throughput": tuple(work.throughput.values()),
        "missed": (work.missed,),
    }
    for name, numbers in counted.items():
        for number in numbers:
            if work.unit not in number.unit.split("/"):
                raise part.bad(name, f'in {number.unit}, but the unit of the workload is "{work.unit}"')


def check_references(whole: Section, made: parts.Scenario) -> None:
    """Every name that a section gives is that of another section."""
    for chip in made.chips.values():
        check_names(whole, f"chips.{chip.name}.supplier", [chip.supplier], made.suppliers, "suppliers")
        check_names(whole, f"chips.{chip.name}.platform", [chip.platform], made.platforms, "platforms")
    for chapter, group in (("rules", made.rules), ("hazards", made.hazards)):
        for one in group:
            check_names(whole, f"{chapter}.{one.name}.chips", one.chips, made.chips, "chips")
    for rental in made.rentals.values():
        check_names(whole, f"rentals.{rental.name}.chip", [rental.chip], made.chips, "chips")


def check_luck(whole: Section, made: parts.Scenario) -> None:
    """Every number that shares its luck does so with one that is drawn by itself."""
    numbers = made.numbers()
    for key, number in numbers.items():
        other = numbers.get(number.like)
        if number.like and (other is None or other.like):
            raise whole.bad(
                key,
                f'like "{number.like}" is not the key of a number that is drawn by itself; --check lists keys',
            )


def check_names(
    part: Section, name: str, given: Collection[str], known: Collection[str], chapter: str
) -> None:
    for one in given:
        if one not in known:
            raise part.bad(name, f'"{one}" is not under [{chapter}]; there are {", ".join(known) or "none"}')
