"""What befell the chips of a run, from its `events.jsonl`: from when to when, and what each incident cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jumar.runs import cost

FILE = "events.jsonl"
# Event that begins an incident -> those that end it, on the same chip.
ENDINGS = {
    "fault": ("recovered", "reset"),
    "throttle": ("full clock", "reset", "shutdown"),
    "shutdown": ("reset",),
}
SLOWER = "throttle"


@dataclass(frozen=True)
class Incident:
    """One incident on one chip, in seconds of the clock that its events are given in. `end_s` is None where it lasted
    until the end of the run."""

    event: str
    chip: int
    code: str
    kind: str
    level: str
    health: str
    text: str
    start_s: float
    end_s: float | None


def read(folder: Path) -> tuple[list[dict[str, Any]], int]:
    """The events of a run's folder in order, and how many lines could not be read: a process may die while it writes."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return [], 0
    found = [one for line in lines if (one := _event(line)) is not None]
    return found, len(lines) - len(found)


def _event(line: str) -> dict[str, Any] | None:
    try:
        one = json.loads(line)
    except ValueError:
        return None
    if not isinstance(one, dict) or not isinstance(one.get("event"), str) or _seconds(one) is None:
        return None
    return one if isinstance(one.get("chip"), int) else None


def _seconds(event: dict[str, Any]) -> float | None:
    """Virtual seconds where the run has a trace, else those of the wall clock."""
    if isinstance(event.get("virtual_s"), (int, float)):
        return float(event["virtual_s"])
    try:
        return datetime.fromisoformat(str(event.get("time"))).timestamp()
    except ValueError:
        return None


def incidents(events: Sequence[dict[str, Any]]) -> list[Incident]:
    """Beginnings with their endings. What strikes again before it ended is an incident of its own."""
    found = []
    for place, event in enumerate(events):
        if event["event"] not in ENDINGS:
            continue
        ending = next((_seconds(later) for later in events[place + 1 :] if _ends(event, later)), None)
        words = {name: str(event.get(name) or "") for name in ("code", "kind", "level", "health", "text")}
        found.append(
            Incident(
                event=event["event"],
                chip=event["chip"],
                start_s=_seconds(event) or 0.0,
                end_s=ending,
                **words,
            )
        )
    return found


def _ends(event: dict[str, Any], later: dict[str, Any]) -> bool:
    if later["chip"] != event["chip"] or later["event"] not in ENDINGS[event["event"]]:
        return False
    return later["event"] != "recovered" or not later.get("kind") or later["kind"] == event.get("kind")


def costs(
    found: Sequence[Incident],
    ending_s: float,
    chips: int,
    hour: cost.Money,
    slow_rate: Callable[[float], float],
) -> list[dict[str, Any]]:
    """Each incident with the time that the job lost and what that is worth.

    `slow_rate`: of how long it was throttled, the mean work in a second relative to full clock; after a fault or shutdown
    the job stands still.
    What has no end lasted until `ending_s`. All chips of the job wait for the one.
    """
    rows = []
    for one in found:
        lasted_s = max(0.0, (ending_s if one.end_s is None else one.end_s) - one.start_s)
        lost_s = lasted_s * (1.0 - slow_rate(lasted_s)) if one.event == SLOWER else lasted_s
        money = cost.of_time(hour, lost_s, chips)
        rows.append(
            {
                **one.__dict__,
                "lasted_s": lasted_s,
                "lost_s": lost_s,
                "cost": money.value,
                "currency": money.currency,
            }
        )
    return rows
