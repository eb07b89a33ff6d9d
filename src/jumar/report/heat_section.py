"""Temperature, clock, power and faults of a run on the page, an hour of it, and what other air would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jumar.report import amounts, markup
from jumar.report.axes import Frame, colour, text, ticks
from jumar.report.markup import Cell, Section

WIDTH, HEIGHT = 720, 190
NAMES = {"air": "air", "liquid": "liquid", "degraded": "half the air", "failed": "no fans"}
BASIS = (
    "Power from what the typical step does, temperatures from a thermal network, the clock from the governor's table: "
    "docs/heat.md says how, jumar/physics/heat.toml lists the constants, most of them assumptions."
)


def section(heat: dict[str, Any]) -> Section:
    """`heat` is what `jumar.runs.account.heat_of` says."""
    body = (
        markup.facts(facts(heat))
        + _hour(heat)
        + _recorded(heat)
        + _incidents(heat)
        + _what_if(heat)
        + markup.small(BASIS)
    )
    return Section("heat", "Heat, clock and faults", body, "heat")


def facts(heat: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values; also what `jumar report` prints of it."""
    chips = f"{heat['chips']} chip{'s' if heat['chips'] != 1 else ''}"
    limits = heat["thresholds"]
    return [
        ("cooling", f"{heat['words']}, coming in at {heat['inlet_c']:.0f} °C, {chips} at work"),
        ("power of a chip", f"{watts(heat)}; idle {heat['idle_w']:.0f} W, limit {heat['limit_w']:.0f} W"),
        ("hottest die", f"{heat['die_c']:.0f} °C; {_said(limits, 'throttle', 'slows down')}"),
        ("hottest memory", f"{heat['stack_c']:.0f} °C; {_said(limits, 'memory', 'slows down')}"),
        ("an hour of this", hour(heat)),
        (
            "with one poor part",
            f"a chip that draws a tenth more, at {heat['poor_part']['die_c']:.0f} °C: {hour(heat['poor_part'])}",
        ),
    ]


def line(heat: dict[str, Any]) -> str:
    """All of it in one line of a terminal."""
    return (
        f"{heat['cooling']} at {heat['inlet_c']:.0f} °C: die {heat['die_c']:.0f} °C, memory {heat['stack_c']:.0f} °C, "
        f"{watts(heat)}; {hour(heat)}"
    )


def watts(heat: dict[str, Any]) -> str:
    """Power as the step begins, and where heat has brought it."""
    first, last = heat["dynamic_w"] + heat["idle_w"], heat["power_w"]
    return f"{last:.0f} W" if abs(last - first) < 5.0 else f"{first:.0f} W at first, {last:.0f} W in the end"


def warning(heat: dict[str, Any] | None) -> str:
    """A sentence for the top of the page where heat costs time, else nothing."""
    if not heat or (heat["stopped_s"] is None and heat["slower"] <= 1.0005):
        return ""
    return f"With cooling “{heat['cooling']}” and {heat['inlet_c']:.0f} °C coming in, an hour of this: {hour(heat)}."


def hour(heat: dict[str, Any]) -> str:
    """What an hour of the typical step comes to, in one sentence."""
    if heat["stopped_s"] is not None:
        return f"a chip switches itself off after {amounts.seconds(heat['stopped_s'])}, and the job ends"
    if heat["slower"] <= 1.0005:
        return "full clock throughout"
    return f"{100 * (heat['slower'] - 1):.1f} % longer: the slowest clock is {100 * heat['clock_share']:.0f} % of full"


def _said(limits: dict[str, Any], name: str, does: str) -> str:
    one = limits.get(name)
    return f"it {does} at {one['value']:.0f} °C ({one['confidence']})" if one else "no threshold known"


def _hour(heat: dict[str, Any]) -> str:
    found = heat["course"]
    limits = {
        name: heat["thresholds"][key]["value"]
        for name, key in (
            ("die slows down", "throttle"),
            ("memory slows down", "memory"),
            ("shutdown", "shutdown"),
        )
        if key in heat["thresholds"]
    }
    warm = (("hottest die", found["die_c"]), ("hottest memory", found["stack_c"]))
    shares = (
        ("slowest clock, % of full", [100 * one for one in found["clock_share"]]),
        ("mean power, % of the limit", [100 * one / heat["limit_w"] for one in found["power_w"]]),
    )
    title = f"<h3>The typical step, repeated for {amounts.seconds(found['time_s'][-1])}</h3>"
    return (
        title
        + _legend(warm)
        + curves(found["time_s"], warm, "°C", "temperature over time", limits)
        + _legend(shares)
        + curves(found["time_s"], shares, "%", "clock and power over time", {}, least=0.0)
    )


def _recorded(heat: dict[str, Any]) -> str:
    found = heat["recorded"]
    if len(found["time_s"]) < 2 or found["time_s"][-1] <= 0:
        return ""
    said = f"<h3>The recorded run</h3>{markup.small(_run_said(found))}"
    limit = {"limit": heat["limit_w"]}
    return said + curves(
        found["time_s"], (("mean power", found["power_w"]),), "W", "power of the run", limit, 0.0
    )


def _run_said(found: dict[str, Any]) -> str:
    return (
        f"Mean power of its chips over {amounts.seconds(found['time_s'][-1])} from an idle server on, before any cap, "
        f"{amounts.energy(found['energy_j'])} in all; the hottest die reaches {max(found['die_c']):.1f} °C."
    )


def _incidents(heat: dict[str, Any]) -> str:
    rows = heat["incidents"]
    unreadable = heat["unreadable_events"]
    note = markup.small(f"{unreadable} lines of events.jsonl could not be read.") if unreadable else ""
    if not rows:
        return note
    headings = ("chip", "what", "code", "health", "from", "lasted", "time lost", "cost")
    table = markup.table(headings, [_incident(one) for one in rows], "incidents-table")
    return f"<h3>Incidents</h3>{table}{note}"


def _incident(one: dict[str, Any]) -> tuple[Any, ...]:
    what = one["kind"] or one["event"]
    lasted = amounts.seconds(one["lasted_s"]) + (", to the end" if one["end_s"] is None else "")
    cost = f"{amounts.digits(one['cost'])} {one['currency']}" if one["cost"] is not None else "–"
    return (
        Cell(f"npu:{one['chip']}"),
        what
        if one["event"] == "fault"
        else f"{one['event']}: {one['kind']}"
        if one["kind"]
        else one["event"],
        one["code"] or "–",
        one["health"] or "–",
        amounts.seconds(one["start_s"]),
        lasted,
        amounts.seconds(one["lost_s"]),
        cost,
    )


def _what_if(heat: dict[str, Any]) -> str:
    rows = heat["what_if"]
    if not rows:
        return ""
    headings = ("coming in at", *(NAMES[cell["cooling"]] for cell in rows[0]["cells"]))
    table = markup.table(
        headings, [(f"{row['inlet_c']:.0f} °C", *(cell(one) for one in row["cells"])) for row in rows]
    )
    said = "How much longer an hour of the typical step takes, and the hottest die; or when a chip switches itself off."
    return f"<h3>Other air, other cooling</h3>{markup.small(said)}{table}"


def cell(one: dict[str, Any]) -> str:
    """One inlet temperature and cooling in a few words; also for tables of a terminal."""
    if one["stopped_s"] is not None:
        return f"off after {amounts.seconds(one['stopped_s'])}"
    slower = f"+{100 * (one['slower'] - 1):.1f} %" if one["slower"] > 1.0005 else "full clock"
    return f"{slower}, {one['die_c']:.0f} °C"


def curves(
    time_s: Sequence[float],
    lines: Sequence[tuple[str, Sequence[float]]],
    unit: str,
    label: str,
    limits: dict[str, float],
    least: float | None = None,
) -> str:
    """Values over time, each in a colour of its own, with limits where they are near."""
    values = [one for _, points in lines for one in points]
    highest, lowest = max(values), min(values) if least is None else least
    near = {
        name: value for name, value in limits.items() if value <= highest + max(15.0, 0.25 * abs(highest))
    }
    top = max([highest, *near.values()])
    margin = 0.06 * ((top - lowest) or 1.0)
    unit_s, said_s = (60.0, "{:g} min") if time_s[-1] > 150 else (1.0, "")
    frame = Frame(
        WIDTH, HEIGHT, (0.0, time_s[-1]), (lowest - (margin if least is None else 0), top + margin), right=34
    )
    body = frame.rows(lambda value: f"{value:g} {unit}")
    at_s = [unit_s * one for one in ticks(0.0, time_s[-1] / unit_s, 8)]
    body += frame.columns(at_s, lambda one: said_s.format(one / unit_s) if said_s else amounts.seconds(one))
    for at, (name, value) in enumerate(near.items()):
        y = frame.y(value)
        body += f'<path class="limit" d="M{frame.left} {y:.1f}H{WIDTH - frame.right}"/>'
        body += text(frame.left + 6 + 150 * at, y - 4, f"{name}, {value:g} {unit}")
    for at, (_, points) in enumerate(lines):
        drawn = frame.line(list(zip(time_s, points, strict=True)))
        body += f'<polyline points="{drawn}" fill="none" stroke="{colour(at)}" stroke-width="2"/>'
    return frame.svg(label, body)


def _legend(lines: Sequence[tuple[str, Sequence[float]]]) -> str:
    keys = "".join(
        f'<li><i class="key" style="background:{colour(at)}"></i>{name}</li>'
        for at, (name, _) in enumerate(lines)
    )
    return f'<ul class="legend">{keys}</ul>'
