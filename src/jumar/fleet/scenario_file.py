"""Makes a scenario of its TOML file, and refuses one in which something is missing or does not fit together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from jumar import chips as shelf
from jumar.fleet import found
from jumar.fleet import scenario as parts
from jumar.fleet import scenario_checks as checks
from jumar.fleet.number import Month, Number
from jumar.fleet.quantity import Context, Finder
from jumar.fleet.reading import Section, parse, schema

SCHEMA = Path(__file__).with_name("scenario.tsv")
# What a chip's file says where the scenario does not.
FROM_PROFILE = {"price": "price.chip", "power": "power.typical"}


def load(path: Path, finders: Mapping[str, Finder] | None = None) -> parts.Scenario:
    """Reads a scenario. `finders` knows numbers that are kept elsewhere, by the word that asks for them (`run`);
    `scan` and `profile` are known here. BadFile names file, key and what is allowed."""
    record = parse(path)
    known: dict[str, Finder] = {"scan": found.Scans(path.parent), "profile": found.profile}
    known |= finders or {}
    return build(record, path, known, {})


def build(
    record: Mapping[str, Any], path: Path, finders: Mapping[str, Finder], values: Mapping[str, float]
) -> parts.Scenario:
    """The scenario that a parsed file describes, with `values` in the place of what stands at their keys."""
    whole = Section(schema(SCHEMA), Context(path.name), record)
    whole.check_names()
    sources = {name: whole.section("sources").read(name) for name in whole.section("sources").record}
    context = Context(path.name, sources, {}, values, finders)
    yuan: Number = Section(whole.schema, context, record).section("money").read("yuan")
    context = replace(context, rates={"CNY": 1.0 / yuan.value})
    start = _start(whole)
    made = _scenario(Section(whole.schema, context, record, start=start), start, sources, path)
    if unknown := sorted(set(values) - made.numbers().keys()):
        raise KeyError(f"no number at {', '.join(unknown)}")
    return replace(made, _rebuilt=partial(_again, record, path, finders, values))


def _again(
    record: Mapping[str, Any],
    path: Path,
    finders: Mapping[str, Finder],
    values: Mapping[str, float],
    more: Mapping[str, float],
) -> parts.Scenario:
    return build(record, path, finders, {**values, **more})


def _start(whole: Section) -> Month:
    try:
        return Month.of(whole.read("start"))
    except ValueError as error:
        raise whole.bad("start", str(error)) from error


def _months(whole: Section) -> int:
    months: Number = whole.read("months")
    if months.value != int(months.value):
        raise whole.bad("months", f"{months.value:g} are not whole months")
    return int(months.value)


def _scenario(whole: Section, start: Month, sources: Mapping[str, str], path: Path) -> parts.Scenario:
    made = whole.make(
        parts.Scenario,
        start=start,
        months=_months(whole),
        story=whole.read("story") or "",
        suppliers=_suppliers(whole),
        platforms={
            key: part.make(parts.Platform, name=key) for key, part in whole.sections("platforms").items()
        },
        chips={key: _chip(part, key, path.parent) for key, part in whole.sections("chips").items()},
        latency={name: whole.section("latency").read(name) for name in whole.section("latency").record},
        workloads={},
        sites={key: part.make(parts.Site, name=key) for key, part in whole.sections("sites").items()},
        rentals={key: part.make(parts.Rental, name=key) for key, part in whole.sections("rentals").items()},
        rules=tuple(_rule(part, key) for key, part in whole.sections("rules").items()),
        hazards=tuple(
            part.make(parts.ExportHazard, name=key) for key, part in whole.sections("hazards").items()
        ),
        money=whole.section("money").make(parts.Money),
        risk=whole.section("risk").make(parts.Risk),
        sources=sources,
        _rebuilt=_unbuilt,
    )
    checks.check_references(whole, made)
    workloads = {key: _workload(part, key, made) for key, part in whole.sections("workloads").items()}
    for name, held in (("chips", made.chips), ("workloads", workloads), ("sites", made.sites)):
        if not held:
            raise whole.bad("", f"no {name}; add a section [{name}.NAME]")
    whole_scenario = replace(made, workloads=workloads)
    checks.check_luck(whole, whole_scenario)
    return whole_scenario


def _unbuilt(values: Mapping[str, float]) -> parts.Scenario:
    raise LookupError("the scenario is not whole yet")


def _suppliers(whole: Section) -> dict[str, parts.Supplier]:
    home = whole.read("jurisdiction")
    return {
        key: part.make(parts.Supplier, name=key, domestic=part.read("jurisdiction") == home)
        for key, part in whole.sections("suppliers").items()
    }


def _chip(part: Section, name: str, folder: Path) -> parts.ChipOption:
    profile = _profile(part, folder)
    if profile is not None:
        known = {
            key: {"profile": profile, "quantity": quantity}
            for key, quantity in FROM_PROFILE.items()
            if quantity in profile.quantities
        }
        part = replace(part, record={**known, **part.record})
    if not part.has("supply"):  # what is not bought needs no price
        part = replace(part, record={"price": "0 USD/chip", **part.record})
    return part.make(
        parts.ChipOption,
        name=name,
        title=part.read("title") or (profile.title if profile else name),
        profile=profile,
        failures=part.section("failures").make(parts.Failures),
        heat=part.section("heat").make(parts.Heat),
        supply=_supply(part.section("supply")) if part.has("supply") else None,
    )


def _profile(part: Section, folder: Path) -> shelf.Chip | None:
    name = part.read("profile")
    if not name:
        return None
    try:
        return shelf.find(str(folder / name) if name.endswith(".toml") else name)
    except (shelf.UnknownChip, shelf.BadProfile) as error:
        raise part.bad("profile", str(error)) from error


def _supply(part: Section) -> parts.Supply:
    good = part.section("good").make(parts.Yield) if part.has("good") else None
    supply = part.make(parts.Supply, first=part.read("first") or 0, good=good)
    if supply.last is not None and supply.last < supply.first:
        raise part.bad("last", "before first; it is the last month in which orders are taken")
    return supply


def _rule(part: Section, name: str) -> parts.ExportRule:
    source = part.read("source") or ""
    if source and source not in part.context.sources:
        raise part.bad("source", f'"{source}" is not under [sources]; add the document there')
    said = part.context.sources.get(source, "")
    rule = part.make(parts.ExportRule, name=name, begin=part.read("begin") or 0, source=said)
    if rule.end is not None and rule.end <= rule.begin:
        raise part.bad("end", "not after begin; it is the first month in which the rule no longer holds")
    return rule


def _workload(part: Section, name: str, made: parts.Scenario) -> parts.Workload:
    part_of = part.section
    throughput = {chip: part_of("throughput").read(chip) for chip in part_of("throughput").record}
    latency = {chip: part_of("latency").read(chip) for chip in part_of("latency").record}
    latency_class = part.read("latency_class") or ""
    checks.check_names(part, "throughput", throughput, made.chips, "chips")
    checks.check_names(part, "latency", latency, made.chips, "chips")
    if latency_class:
        checks.check_names(part, "latency_class", [latency_class], made.latency, "latency")
    slow = _too_slow(latency, made.latency.get(latency_class))
    work = part.make(
        parts.Workload,
        name=name,
        model=part.read("model") or "",
        first=part.read("first") or 0,
        throughput={chip: rate for chip, rate in throughput.items() if chip not in slow},
        latency_class=latency_class,
        latency=latency,
        too_slow=tuple(chip for chip in throughput if chip in slow),
        migrations=_migrations(part, made, throughput),
    )
    checks.check_demand(part, work, made.months)
    checks.check_counted(part, work)
    return work


def _too_slow(latency: Mapping[str, Number], limit: Number | None) -> set[str]:
    return set() if limit is None else {chip for chip, needs in latency.items() if needs.value > limit.value}


def _migrations(
    part: Section, made: parts.Scenario, throughput: Collection[str]
) -> dict[str, parts.Migration]:
    """What it takes on each platform of the chips that can do the work."""
    runs_on = part.read("runs_on")
    nothing = Number(0.0, "person-day"), Number(0.0, "month")
    found = {one: parts.Migration(one, True, *nothing) for one in runs_on}
    for platform, section in part.sections("migrations").items():
        if platform in found:
            raise section.bad("", "the workload already runs there, says runs_on; drop one of the two")
        found[platform] = section.make(parts.Migration, platform=platform, done=False)
    checks.check_names(part, "runs_on", runs_on, made.platforms, "platforms")
    checks.check_names(part, "migrations", found, made.platforms, "platforms")
    for chip in throughput:
        platform = made.chips[chip].platform
        if platform not in found:
            raise part.bad(
                f"throughput.{chip}",
                f'the chip\'s platform is "{platform}"; add it to runs_on, '
                f"or add [{part.place('migrations')}.{platform}] with what the move takes",
            )
    return found
