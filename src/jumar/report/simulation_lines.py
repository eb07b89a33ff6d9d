"""A simulated cluster for a terminal: the answer first, then where time goes, what stops jobs, and what it rests on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]
MOST_KINDS = 12
BAR = 24  # characters of the longest bar


def text(facts: Facts) -> str:
    parts = [_answer(facts), advice(facts), _jobs(facts), _uses(facts), _kinds(facts), _evidence(facts)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def headline(facts: Facts) -> str:
    """One sentence: what is useful of the time, and when the work is done."""
    good = facts["ranges"]["goodput"]
    return (
        f"{percent(good['mean'])} of the chip-hours of jobs are useful work "
        f"({percent(good['low'])} to {percent(good['high'])}); {_end(facts)}"
    )


def _end(facts: Facts) -> str:
    ends, days = facts["ranges"]["days_to_end"], facts["days"]
    if facts["finished"] == facts["replicas"]:
        return f"all work is done after {number(ends['middle'])} days ({number(ends['low'])} to {number(ends['high'])})"
    if not math.isfinite(ends["middle"]):
        return f"in {number(days)} days not all of the work is begun"
    within = (
        f"in {facts['finished']} of {facts['replicas']} replicas all work is done within {number(days)} days"
    )
    return f"{within}; at its pace it takes {number(ends['middle'])} ({number(ends['low'])} to {number(ends['high'])})"


def _answer(facts: Facts) -> list[str]:
    ranges = facts["ranges"]
    plan = "; ".join(
        f"{one['count']:,} × {one['name']} on {one['chips']:,} chips, {one['hours']:,.4g} hours undisturbed"
        for one in facts["jobs"]
    )
    return [
        f"{facts['name']}: {headline(facts)}",
        f"  {facts['chips']:,} chips in {facts['hosts']:,} hosts; {plan}; {facts['replicas']} replicas",
        f"  effective training time (ETTR) {span(ranges['ettr'], percent)}; "
        f"stopped {span(ranges['interruptions'], number)} times, every {span(ranges['hours_between_stops'], hours)}",
        f"  of all chip-hours {percent(ranges['useful_of_all']['mean'])} useful, {percent(ranges['idle']['mean'])} idle, "
        f"{percent(ranges['down']['mean'])} in repair" + _waits(ranges),
        *_elsewhere(facts),
    ]


def _elsewhere(facts: Facts) -> list[str]:
    """How often a job of this size would stop at the rates that were published."""
    rates = ", ".join(
        f"{one['cluster']} {hours(one['hours'])} ({one['confidence']})" for one in facts["published"]
    )
    return [f"  at published rates so many chips stop every: {rates}"] if rates else []


def _waits(ranges: Facts) -> str:
    wait = ranges["wait_h"]
    return f"; jobs wait {span(wait, hours)} in the queue" if wait["high"] > 0 else ""


def advice(facts: Facts) -> list[str]:
    """Which checkpoints and spares would be best, as far as that was looked for."""
    return [line for line in (_checkpoints(facts.get("checkpoints")), _spares(facts.get("spares"))) if line]


def _checkpoints(found: Facts | None) -> str:
    if not found or not found["best_h"]:
        return ""
    formulas = (
        f"; Young says {hours(found['young_h'])}, Daly {hours(found['daly_h'])}" if "daly_h" in found else ""
    )
    return (
        f"checkpoints of {found['job']}: best every {hours(found['best_h'])} of work "
        f"(hardly worse: {hours(found['good_from_h'])} to {hours(found['good_to_h'])}){formulas}; "
        f"simulated with {hours(found['given_h'])}"
    )


def _spares(found: Facts | None) -> str:
    if not found or found["best"] is None:
        return ""
    how = "all others on the job" if found["one_job"] else "what new jobs leave alone"
    gain = (
        f", {100 * found['gain']:.2g} points more useful than now" if found["best"] != found["given"] else ""
    )
    return (
        f"spare hosts: best of those tried {found['best']:,} ({how}{gain}); "
        f"{number(found['down_on_average'])} are in repair on average, "
        f"{found['binomial_99']:,} or fewer 99 % of the time; simulated with {found['given']:,}"
    )


def _jobs(facts: Facts) -> list[str]:
    """Kinds of jobs, where there are several."""
    if len(facts["jobs"]) < 2:
        return []
    rows = [
        f"  {one['name']:<20}{span(one['wait_h'], hours):<32}{span(one['longer'], lambda times: f'{times:.3g}')}"
        for one in facts["jobs"]
    ]
    return [f"{'jobs':<22}{'wait in the queue':<32}time from begin to end, times undisturbed", *rows]


def _uses(facts: Facts) -> list[str]:
    largest = max((one["mean"] for one in facts["uses"]), default=0.0) or 1.0
    rows = [
        f"  {one['name']:<12}{percent(one['mean']):>8}  {_bar(one['mean'] / largest)}  {one['meaning']}"
        for one in facts["uses"]
    ]
    return ["where the chip-hours of jobs go", *rows]


def _bar(share: float) -> str:
    return ("█" * round(BAR * max(share, 0.0))).ljust(BAR)


def _kinds(facts: Facts) -> list[str]:
    shown = [one for one in facts["kinds"] if one["failures"]["mean"] > 0][:MOST_KINDS]
    if not shown:
        return ["nothing failed"]
    rows = [
        f"  {one['name']:<20}{span(one['stops'], number):<28}{span(one['failures'], number):<28}{one['effect']}"
        for one in shown
    ]
    return [f"{'what fails':<22}{'stops of jobs':<28}{'failures':<28}effect", *rows]


def _evidence(facts: Facts) -> list[str]:
    numbers = facts["numbers"]
    given = Counter(one["confidence"] for one in numbers if one["given"])
    said = ", ".join(f"{count} {confidence}" for confidence, count in given.most_common())
    absent = len(numbers) - given.total()
    lines = [
        f"rests on {given.total()} numbers of the file: {said}; {absent} more are taken where it says nothing"
    ]
    for one in numbers:
        others = "; ".join(f"{other['text']} ({other['confidence']})" for other in one["others"])
        lines += [f"  sources disagree on {one['key']}: {one['text']} taken; also {others}"] if others else []
    return lines


def percent(share: float) -> str:
    digits = 3 if abs(share) >= 0.1 else 2
    return "–" if math.isnan(share) else f"{share * 100:.{digits}g} %"


def number(value: float) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def hours(value: float) -> str:
    """A time in the unit that suits it."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "never"
    if value == 0:
        return "0"
    for unit, size in (("days", 24.0), ("h", 1.0), ("min", 1 / 60)):
        if value >= 2 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 3600:.3g} s"


def span(found: Facts, shown: Any) -> str:
    """Mean and 90 % range."""
    if found["low"] == found["high"]:
        return str(shown(found["mean"]))
    return f"{shown(found['mean'])} ({shown(found['low'])} to {shown(found['high'])})"
