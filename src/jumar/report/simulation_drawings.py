"""Drawings of a simulated cluster: days, failures in time, the interval of checkpoints, the number of spares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jumar.report import amounts
from jumar.report.axes import Frame, colour, text, ticks

WIDTH = 1040
# What is marked beside simulated intervals: key, name, style of the line.
MARKS = (
    ("best_h", "best, simulated", "here"),
    ("young_h", "Young", "limit"),
    ("daly_h", "Daly", "limit"),
    ("given_h", "as given", "axis"),
)


def days(daily: Sequence[Mapping[str, Any]]) -> str:
    """Share of chip-hours that was useful, day by day: the middle of all replicas, and nine tenths of them."""
    last = daily[-1]["day"]
    frame = Frame(WIDTH, 220, (1, max(2, last)), (0, 1), right=30)
    useful = [(day["day"], day["useful"]) for day in daily]
    band = [(at, one["high"]) for at, one in useful] + [(at, one["low"]) for at, one in reversed(useful)]
    middle = frame.line([(at, one["middle"]) for at, one in useful])
    body = frame.rows(lambda share: f"{share:.0%}".replace("%", " %"))
    body += frame.columns(ticks(1, last, 10), lambda day: f"day {day:.0f}")
    body += f'<polygon points="{frame.line(band)}" fill="var(--matrix)" fill-opacity=".22"/>'
    body += f'<polyline class="line" points="{middle}"/>'
    return frame.svg("useful share of chip-hours by day", body)


def failures(daily: Sequence[Mapping[str, Any]]) -> str:
    """Failures by day: the mean of all replicas as a bar, nine tenths of them as a whisker."""
    last = daily[-1]["day"]
    top = max(day["failures"]["high"] for day in daily)
    frame = Frame(WIDTH, 170, (0.5, last + 0.5), (0, top * 1.05 or 1), right=30)
    step = (frame.x(2) - frame.x(1)) * 0.8
    body = frame.rows(amounts.count, 3) + frame.columns(ticks(1, last, 10), lambda day: f"day {day:.0f}")
    for day in daily:
        one, x = day["failures"], frame.x(day["day"])
        said = f"day {day['day']}: {amounts.count(one['mean'])} failures on average"
        body += (
            f'<rect class="bar bad" x="{x - step / 2:.1f}" y="{frame.y(one["mean"]):.1f}" width="{step:.1f}" '
            f'height="{max(0.0, frame.y(0) - frame.y(one["mean"])):.1f}"><title>{escape(said)}</title></rect>'
            f'<path class="whisker thin" d="M{x:.1f} {frame.y(one["low"]):.1f}V{frame.y(one["high"]):.1f}"/>'
        )
    return frame.svg("failures by day", body)


def timeline(events: Sequence[Mapping[str, Any]]) -> str:
    """Every failure of one replica at its day, a lane for each kind; filled where a job stopped."""
    kinds = list(dict.fromkeys(event["kind"] for event in events))
    height = 20 * len(kinds) + 40
    last = max(event["day"] for event in events)
    frame = Frame(WIDTH, height, (0, last * 1.01 or 1), (0, 1), left=190)
    body = frame.columns(ticks(0, last, 10), lambda day: f"day {day:.0f}")
    for at, kind in enumerate(kinds):
        y = 20 + 20 * at
        body += f'<path class="grid" d="M190 {y}H{WIDTH - 14}"/>' + text(182, y + 4, kind, "end")
        body += "".join(_dot(frame, event, y, at) for event in events if event["kind"] == kind)
    return frame.svg("failures of one replica in time", body)


def queue(jobs: Sequence[Mapping[str, Any]]) -> str:
    """Each job of one replica: pale while it waits in the queue, dark while it holds hosts."""
    height = 18 * len(jobs) + 34
    last = max(job["until"] for job in jobs)
    frame = Frame(WIDTH, height, (0, last or 1), (0, 1), left=190)
    body = frame.columns(ticks(0, last, 10), lambda day: f"day {day:.0f}")
    for at, job in enumerate(jobs):
        y = 4 + 18 * at
        begins = job["until"] if job["begins"] is None else job["begins"]
        said = f"{job['name']}: {job['chips']:,} chips, {job['stops']:,} stops, " + (
            f"done on day {job['ends']:.1f}" if job["ends"] is not None else "not done"
        )
        body += text(182, y + 11, job["name"], "end")
        for first, end, opacity in ((job["arrives"], begins, 0.2), (begins, job["until"], 0.85)):
            width = frame.x(end) - frame.x(first)
            if width > 0:
                body += (
                    f'<rect x="{frame.x(first):.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour(0)}" '
                    f'fill-opacity="{opacity}"><title>{escape(said)}</title></rect>'
                )
    return frame.svg("jobs of one replica in time", body)


def _dot(frame: Frame, event: Mapping[str, Any], y: float, kind: int) -> str:
    hosts = event.get("hosts") or 1
    radius = min(8.0, 2.5 + math.log2(hosts))
    stopped = event.get("stopped_job")
    said = f"day {event['day']:.1f}: {event['kind']}, {hosts:,} host{'s' if hosts != 1 else ''}"
    said += ", a job stopped" if stopped else ""
    if event.get("hours_lost"):
        said += f", {amounts.count(event['hours_lost'])} h of work lost"
    fill = f'fill="{colour(kind)}" fill-opacity=".75"' if stopped else f'fill="none" stroke="{colour(kind)}"'
    x, title = frame.x(event["day"]), f"<title>{escape(said)}</title>"
    return f'<circle cx="{x:.1f}" cy="{y}" r="{radius:.1f}" {fill}>{title}</circle>'


def intervals(found: Mapping[str, Any]) -> str:
    """Goodput against the interval of checkpoints, with what formulas would choose."""
    points = _known(found["points"], "hours")
    hours = [one["hours"] for one in points] + [found[key] for key, *_ in MARKS if found.get(key)]
    frame = Frame(
        WIDTH,
        280,
        (min(hours) / 1.1, max(hours) * 1.1),
        _around([one["mean"] for one in points]),
        top=62,
        bottom=44,
        logarithmic=True,
    )
    body = frame.rows(amounts.share) + frame.columns([one["hours"] for one in points], _hours)
    body += text(WIDTH / 2, 276, "time between checkpoints", "middle")
    named = [(found[key], said, kind) for key, said, kind in MARKS if found.get(key)]
    for at, (value, said, kind) in enumerate(sorted(named)):
        body += frame.upright(value, f"{said} {_hours(value)}", f"{kind} upright", at - 4)
    body += _measured(frame, points, "hours")
    return frame.svg("goodput by interval of checkpoints", body)


def spares(found: Mapping[str, Any]) -> str:
    """Useful share of all chip-hours against the number of spare hosts."""
    points = _known(found["points"], "hosts")
    numbers = [one["hosts"] for one in points]
    frame = Frame(
        WIDTH,
        240,
        (min(numbers), max(numbers) * 1.04 + 1),
        _around([one["mean"] for one in points]),
        top=50,
        bottom=44,
    )
    body = frame.rows(amounts.share) + frame.columns(ticks(*frame.x_range, 8), lambda one: f"{one:,.0f}")
    body += text(WIDTH / 2, 236, "spare hosts", "middle")
    marks = [
        (found.get("down_on_average"), "down on average", "limit"),
        (found.get("given"), "as given", "axis"),
        (found.get("best"), "best", "here"),
    ]
    for at, (value, said, kind) in enumerate(marks):
        if value is not None and frame.x_range[0] <= value <= frame.x_range[1]:
            body += frame.upright(value, f"{said} {amounts.count(value)}", f"{kind} upright", at - 3)
    body += _measured(frame, points, "hosts")
    return frame.svg("useful share by number of spare hosts", body)


def _measured(frame: Frame, points: Sequence[Mapping[str, Any]], key: str) -> str:
    """A line through simulated points, each with two standard errors."""
    line = frame.line([(one[key], one["mean"]) for one in points])
    body = f'<polyline class="line" points="{line}"/>'
    for one in points:
        x, error = frame.x(one[key]), one.get("error")
        if error is not None and math.isfinite(error):
            low, high = frame.y_range
            ends = frame.y(max(low, one["mean"] - 2 * error)), frame.y(min(high, one["mean"] + 2 * error))
            body += f'<path class="whisker" d="M{x:.1f} {ends[0]:.1f}V{ends[1]:.1f}"/>'
        body += f'<circle cx="{x:.1f}" cy="{frame.y(one["mean"]):.1f}" r="3.5" fill="var(--accent)"/>'
    return body


def _known(points: Sequence[Mapping[str, Any]], key: str) -> list[Mapping[str, Any]]:
    known = [one for one in points if one["mean"] is not None and math.isfinite(one["mean"])]
    return sorted(known, key=lambda one: float(one[key]))


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.15 or 0.01
    return low - room, high + room


def _hours(value: float) -> str:
    return amounts.seconds(3600 * value)
