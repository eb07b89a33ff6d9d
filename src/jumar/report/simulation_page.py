"""The parts of a simulated cluster's page: what to expect, where time goes, what to change, what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jumar.report import amounts, markup, simulation_drawings, simulation_lines
from jumar.report.axes import PALETTE
from jumar.report.markup import Section
from jumar.report.plan_page import tiles

Facts = Mapping[str, Any]
# What a tile shows: key of a range, its name, how it is written.
TILES = (
    ("goodput", "goodput of the job's chips", "share"),
    ("useful_of_all", "useful of all chip-hours", "share"),
    ("ettr", "effective training time ratio", "share"),
    ("days_to_end", "time to train", "days"),
    ("interruptions", "interruptions of jobs", "count"),
    ("hours_between_stops", "between interruptions", "hours"),
)


def sections(facts: Facts) -> list[Section]:
    """Those parts for which the facts say something."""
    makers = (_summary, _time, _days, _timeline, _queue, _kinds, _checkpoints, _spares)
    return [found for make in makers if (found := make(facts))]


def _summary(facts: Facts) -> Section:
    figures = [
        {"name": name, "text": _written(_typical(one, how), how), "note": _range(one, how)}
        for key, name, how in TILES
        if (one := facts["ranges"].get(key)) and _known(_typical(one, how))
    ]
    jobs = markup.table(
        ("job", "chips", "undisturbed", "of them", "wait in the queue", "takes, times undisturbed"),
        [
            (
                one["name"],
                markup.number(f"{one['chips']:,.0f}", one["chips"]),
                amounts.seconds(3600 * one["hours"]) if _known(one["hours"]) else "until the end",
                one["count"],
                *(_of_jobs(one, key) for key in ("wait_h", "longer")),
            )
            for one in facts.get("jobs") or ()
        ],
        "jobs-table",
    )
    said = simulation_lines.headline(facts)
    advice = markup.points(simulation_lines.advice(facts))
    body = f'<p class="headline">{escape(said[0].upper() + said[1:])}.</p>{tiles(figures)}{advice}{jobs}'
    return Section("decision", "What to expect", body, "summary")


def _of_jobs(job: Facts, key: str) -> str:
    shown = simulation_lines.hours if key == "wait_h" else "{:.3g}".format
    return simulation_lines.span(job[key], shown) if key in job and _known(job[key]["mean"]) else ""


def _time(facts: Facts) -> Section | None:
    uses = [one for one in facts.get("uses") or () if _known(one["mean"])]
    if not uses:
        return None
    parts = [(one["name"], PALETTE[at % len(PALETTE)], one["mean"]) for at, one in enumerate(uses)]
    rows = [
        (one["name"], markup.part(one["mean"] / _sum(uses)), one["meaning"])
        for one in sorted(uses, key=lambda one: -one["mean"])
    ]
    body = markup.stack(parts, "where the time of jobs goes") + markup.table(
        ("", "share", "what it is"), rows
    )
    return Section("time", "Where the time goes", body, "time")


def _sum(uses: Sequence[Facts]) -> float:
    return sum(one["mean"] for one in uses) or 1.0


def _days(facts: Facts) -> Section | None:
    daily = facts.get("daily") or ()
    if len(daily) < 2:
        return None
    body = (
        "<h3>Useful share of all chip-hours</h3>"
        + simulation_drawings.days(daily)
        + "<h3>Failures a day</h3>"
        + simulation_drawings.failures(daily)
        + markup.small(
            "Line and bars: middle and mean of all replicas. Band and whiskers: nine tenths of them."
        )
    )
    return Section("days", "Day by day", body, "days")


def _timeline(facts: Facts) -> Section | None:
    events = facts.get("timeline") or ()
    if not events:
        return None
    whole = facts.get("timeline_of") or len(events)
    said = f"Replica {facts.get('replica', 0)}. Filled: a job stopped. The larger, the more hosts it hit."
    if whole > len(events):
        said += f" {len(events):,} of {whole:,} failures are drawn."
    return Section(
        "events", "Failures in time", markup.small(said) + simulation_drawings.timeline(events), "failures"
    )


def _queue(facts: Facts) -> Section | None:
    """The jobs of one replica; a single job needs no drawing."""
    jobs = facts.get("gantt") or ()
    if len(jobs) < 2:
        return None
    whole = facts.get("gantt_of") or len(jobs)
    said = f"Replica {facts.get('replica', 0)}. Pale: in the queue. Dark: at work."
    if whole > len(jobs):
        said += f" {len(jobs):,} of {whole:,} jobs are drawn."
    return Section("queue", "Jobs in time", markup.small(said) + simulation_drawings.queue(jobs), "jobs")


def _kinds(facts: Facts) -> Section | None:
    kinds = facts.get("kinds") or ()
    if not kinds:
        return None
    rows = [
        (
            one["name"],
            one["effect"],
            markup.number(amounts.count(one["failures"]["mean"]), one["failures"]["mean"]),
            _range(one["failures"], "count"),
            markup.number(amounts.count(one["stops"]["mean"]), one["stops"]["mean"]),
            _range(one["stops"], "count"),
        )
        for one in kinds
    ]
    headings = ("kind", "what it does", "failures", "range", "stops of jobs", "range")
    return Section("kinds", "Kinds of failure", markup.table(headings, rows, "kinds-table"), "kinds")


def _checkpoints(facts: Facts) -> Section | None:
    found = facts.get("checkpoints")
    if not found or len([one for one in found["points"] if _known(one["mean"])]) < 2:
        return None
    said = (
        "The same failures befall every interval. Whiskers: two standard errors, as far as the drawing goes."
    )
    return Section(
        "checkpoints",
        "How often to take checkpoints",
        markup.small(said) + simulation_drawings.intervals(found),
        "checkpoints",
    )


def _spares(facts: Facts) -> Section | None:
    found = facts.get("spares")
    if not found or len([one for one in found["points"] if _known(one["mean"])]) < 2:
        return None
    said = "Spares wait for failures; too few and the job waits for repairs, too many and they idle."
    return Section(
        "spares", "How many spare hosts", markup.small(said) + simulation_drawings.spares(found), "spares"
    )


def _typical(one: Facts, how: str) -> float:
    """The mean; of times until the end the middle, as single replicas may hardly ever end."""
    typical: float = one["middle"] if how == "days" else one["mean"]
    return typical


def _range(one: Facts, how: str) -> str:
    if not (_known(one["low"]) and _known(one["high"])):
        return ""
    low, high = _written(one["low"], how), _written(one["high"], how)
    return low if low == high else f"{low} to {high}"


def _written(value: float, how: str) -> str:
    if how == "share":
        return amounts.share(value)
    if how == "hours":
        return simulation_lines.hours(value)
    return f"{amounts.digits(value)} days" if how == "days" else amounts.count(value)


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
