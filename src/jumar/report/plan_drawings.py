"""Drawings of a plan: fans of supply, Gantt of assignments, frontier, tornado."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from jumar.report import amounts
from jumar.report.axes import Frame, colour, svg, text, thinned, ticks

WIDTH = 1040
LANE, LABEL = 16, 230
SHADES = (("low", "vector"), ("high", "copy"))  # ends of a number's range -> colours


def fan(months: Sequence[str], quantiles: Mapping[str, Sequence[float]], title: str, number: int) -> str:
    """A number of chips over months: the middle as a line, half and nine tenths of all samples as bands,
    what was promised as a dashed line."""
    promised = quantiles.get("promised") or ()
    top = max([*quantiles["high"], *promised], default=0.0)
    frame = Frame(500, 190, (0, max(1, len(months) - 1)), (0, top * 1.08 or 1))
    shade = colour(number)
    bands = "".join(
        f'<polygon points="{_between(frame, quantiles[low], quantiles[high])}" fill="{shade}" fill-opacity="{opacity}"/>'
        for low, high, opacity in (("low", "high", 0.16), ("quarter", "three_quarters", 0.3))
        if low in quantiles
    )
    middle = frame.line(list(enumerate(quantiles["middle"])))
    body = frame.rows(amounts.count) + frame.columns(thinned(months, 6), lambda at: months[int(at)]) + bands
    body += f'<polyline points="{middle}" fill="none" stroke="{shade}" stroke-width="2.2"/>'
    if promised:
        points = frame.line(list(enumerate(promised)))
        body += f'<polyline points="{points}" fill="none" stroke="var(--soft)" stroke-dasharray="4 3"/>'
    caption = f"<figcaption>{escape(title)}</figcaption>"
    return f"<figure>{caption}{frame.svg(f'{title}: chips in service by month', body)}</figure>"


def _between(frame: Frame, low: Sequence[float], high: Sequence[float]) -> str:
    return frame.line([*enumerate(high), *reversed(list(enumerate(low)))])


def gantt(
    months: Sequence[str],
    groups: Sequence[tuple[str, int, int | None, Sequence[tuple[str, int, Sequence[float]]]]],
) -> str:
    """Who computes what when. Groups: (workload, first month, deadline or None, lanes of (chip, colour's number,
    chips by month)). The darker, the more chips, against the most that the workload ever has."""
    height = sum(LANE * max(1, len(lanes)) + 6 for *_, lanes in groups) + 26
    step = (WIDTH - LABEL - 10) / max(1, len(months))
    parts, y = [], 2.0
    for name, first, deadline, lanes in groups:
        tall = LANE * max(1, len(lanes))
        parts.append(f'<path class="grid" d="M0 {y - 2:.1f}H{WIDTH}"/>')
        parts.append(text(LABEL - 8, y + 12, _short(name), "end", f' aria-label="{escape(name)}"'))
        end = (deadline if deadline is not None else len(months) - 1) + 1
        parts.append(
            f'<rect class="span" x="{LABEL + max(0, first) * step:.1f}" y="{y:.1f}" '
            f'width="{max(0, end - max(0, first)) * step:.1f}" height="{tall}"/>'
        )
        most = max((max(chips, default=0.0) for *_, chips in lanes), default=0.0)
        for at, (chip, number, chips) in enumerate(lanes):
            parts += _bars(months, chips, most, step, y + at * LANE, colour(number), f"{name} on {chip}")
        if deadline is not None and end <= len(months):
            parts.append(f'<path class="limit" d="M{LABEL + end * step:.1f} {y:.1f}v{tall}"/>')
        y += tall + 6
    for at in thinned(months):
        parts.append(text(LABEL + at * step, height - 8, months[at]))
    return svg(WIDTH, height, "which chips work at what, by month", "".join(parts))


def _bars(
    months: Sequence[str], chips: Sequence[float], most: float, step: float, y: float, shade: str, what: str
) -> list[str]:
    """Runs of months with about the same number of chips as one bar each; an empty month ends a bar."""
    levels = [0 if one < 0.5 else max(1, round(one / most * 8)) for one in chips]
    bars, begin = [], 0
    for at in range(1, len(levels) + 1):
        if at < len(levels) and levels[at] == levels[begin]:
            continue
        if levels[begin]:
            mean = sum(chips[begin:at]) / (at - begin)
            said = f"{what}, {months[begin]} to {months[at - 1]}: {amounts.count(mean)} chips"
            bars.append(
                f'<rect x="{LABEL + begin * step:.1f}" y="{y + 1:.1f}" width="{(at - begin) * step:.1f}" '
                f'height="{LANE - 2}" fill="{shade}" fill-opacity="{0.2 + 0.1 * levels[begin]:.2f}">'
                f"<title>{escape(said)}</title></rect>"
            )
            if (at - begin) * step > 44:
                bars.append(
                    text(LABEL + begin * step + 4, y + 12, amounts.count(mean), "start", ' class="inside"')
                )
        begin = at
    return bars


def frontier(points: Sequence[Mapping[str, Any]], delay_unit: str) -> str:
    """Cost against delay; the darker, the more of the spending goes to one supplier. A ring marks the plan."""
    costs, delays = ([one[key] for one in points] for key in ("cost", "delay"))
    frame = Frame(
        WIDTH, 340, _padded(costs), _padded(delays, zero=True), left=80, bottom=46, right=40, top=26
    )
    body = frame.rows(amounts.count) + frame.columns(ticks(*frame.x_range, 6), amounts.dollars)
    body += text(WIDTH / 2, 336, "expected cost", "middle") + text(4, 12, delay_unit)
    for point in sorted(points, key=lambda one: bool(one.get("chosen"))):
        x, y, share = frame.x(point["cost"]), frame.y(point["delay"]), point["dependence"]
        ring = ' stroke="var(--bad)" stroke-width="2.5"' if point.get("chosen") else ' stroke="var(--ink)"'
        said = (
            f"{point['label']}: {amounts.dollars(point['cost'])}, {amounts.count(point['delay'])} {delay_unit}, "
            f"{amounts.share(share)} with one supplier"
        )
        body += (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="var(--matrix)" fill-opacity="{0.1 + 0.9 * share:.2f}"{ring}>'
            f"<title>{escape(said)}</title></circle>"
        )
        end = x > WIDTH * 0.75
        label = f"{point['label']} · {share:.0%}".replace("%", " %")
        body += text(x - 12 if end else x + 12, y + 4, label, "end" if end else "start")
    return frame.svg("cost against delay against dependence on one supplier", body)


def tornado(rows: Sequence[Mapping[str, Any]], base: float) -> str:
    """How far the cost goes when one assumption is at the low or the high end of its range, widest first."""
    ordered = sorted(rows, key=lambda row: -abs(row["high_cost"] - row["low_cost"]))
    every = [base, *(row[end] for row in ordered for end in ("low_cost", "high_cost"))]
    height = 22 * len(ordered) + 46
    frame = Frame(WIDTH, height, _padded(every, share=0.16), (0, 1), left=320, right=20)
    body = f'<path class="axis" d="M{frame.x(base):.1f} 16V{height - 30}"/>'
    body += text(frame.x(base), 12, f"as planned: {amounts.dollars(base)}", "middle")
    for at, row in enumerate(ordered):
        body += _swing(frame, row, base, 22 + 22 * at)
    body += frame.columns(ticks(*frame.x_range, 6), amounts.dollars)
    return frame.svg("cost at either end of each assumption", body)


def _swing(frame: Frame, row: Mapping[str, Any], base: float, y: float) -> str:
    """Both ends of one number; where both are on one side of the base, each takes half of the height."""
    mark = " ◆" if row.get("other_decision") else ""
    body = text(frame.left - 10, y + 12, _short(row["name"], 50) + mark, "end")
    one_side = (row["low_cost"] - base) * (row["high_cost"] - base) > 0
    tall = 7.5 if one_side else 15
    longest = max(abs(row[f"{end}_cost"] - base) for end, _ in SHADES)
    for at, (end, shade) in enumerate(SHADES):
        cost, said = row[f"{end}_cost"], row[f"{end}_text"]
        first, last = sorted((frame.x(base), frame.x(cost)))
        told = f"{row['name']} at {said}: {amounts.dollars(cost)}"
        body += (
            f'<rect x="{first:.1f}" y="{y + (tall * at if one_side else 0)}" width="{max(1.0, last - first):.1f}" '
            f'height="{tall}" fill="var(--{shade})" fill-opacity=".75"><title>{escape(told)}</title></rect>'
        )
        if last - first > 2 and (not one_side or abs(cost - base) == longest):
            body += text(*((first - 4, y + 12, said, "end") if cost < base else (last + 4, y + 12, said)))
    return body


def _padded(values: Sequence[float], zero: bool = False, share: float = 0.08) -> tuple[float, float]:
    """Ends of an axis with room at both sides."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low or abs(high) or 1.0) * share
    return (0.0 if zero and low >= 0 else low - room, high + room)


def _short(name: str, most: int = 34) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
