"""Health events of a run: which belong together, how long they lasted and what they cost."""

import json
from pathlib import Path

import numpy as np
import pytest

from jumar.physics.course import Course
from jumar.runs import incidents
from jumar.runs.account.heat import slow_rate
from jumar.runs.cost import Money

HOUR = Money(3.6, "USD")  # a thousandth a second


def event(name: str, chip: int, second: float | None, **more: str) -> dict[str, object]:
    return {"time": "2026-11-22T08:00:00+00:00", "virtual_s": second, "chip": chip, "event": name, **more}


def written(folder: Path, *lines: object) -> Path:
    (folder / incidents.FILE).write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return folder


def test_beginnings_find_their_endings_on_the_same_chip(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        event("throttle", 3, 10.0),
        event("fault", 1, 12.0, kind="link_down", code="81078603", health="Warning"),
        event("full clock", 1, 13.0),
        event("recovered", 1, 15.0, kind="hbm_ecc"),
        event("recovered", 1, 16.0, kind="link_down"),
        event("full clock", 3, 30.0),
        event("shutdown", 2, 40.0, kind="over_temperature"),
    )
    events, unreadable = incidents.read(folder)
    assert unreadable == 0
    found = [(one.event, one.chip, one.start_s, one.end_s) for one in incidents.incidents(events)]
    assert found == [("throttle", 3, 10.0, 30.0), ("fault", 1, 12.0, 16.0), ("shutdown", 2, 40.0, None)]


def test_what_each_costs() -> None:
    events = [
        event("throttle", 0, 0.0),
        event("full clock", 0, 100.0),
        event("fault", 1, 100.0, kind="aicore_timeout"),
        event("reset", 1, 160.0),
        event("shutdown", 0, 180.0),
    ]
    rows = incidents.costs(incidents.incidents(events), 200.0, 8, HOUR, slow_rate=lambda _: 0.9)
    assert [(row["lasted_s"], pytest.approx(row["lost_s"])) for row in rows] == [
        (100.0, 10.0),
        (60.0, 60.0),
        (20.0, 20.0),
    ]
    assert [row["cost"] for row in rows] == pytest.approx([0.08, 0.48, 0.16])
    assert rows[2]["end_s"] is None
    unknown = incidents.costs(
        incidents.incidents(events), 200.0, 8, Money(None, missing="price.chip"), lambda _: 0.9
    )
    assert unknown[0]["cost"] is None


def test_a_torn_line_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    written(tmp_path, event("fault", 0, 1.0))
    with (tmp_path / incidents.FILE).open("a") as file:
        file.write(
            '{"event": "fau\n[1]\n{"event": "fault", "chip": "x", "virtual_s": 1}\n{"event": "fault", "chip": 1}\n'
        )
    events, unreadable = incidents.read(tmp_path)
    assert len(events) == 1 and unreadable == 4
    assert incidents.read(tmp_path / "none") == ([], 0)


def test_without_a_virtual_clock_the_wall_clock_counts() -> None:
    first, second = event("throttle", 0, None), event("full clock", 0, None)
    second["time"] = "2026-11-22T08:01:30+00:00"
    (one,) = incidents.incidents([first, second])
    assert one.end_s is not None and one.end_s - one.start_s == 90.0


def test_throttling_costs_what_the_clock_lost_in_that_time() -> None:
    """Ten seconds at full clock, ten at nine tenths, then at half."""
    rate = np.concatenate([np.ones(100), np.full(100, 0.9), np.full(300, 0.5)])
    none = np.zeros((500, 1))
    found = Course(0.1 * np.arange(1.0, 501.0), none, none, none, none, rate, 0.0, np.array([np.inf]))
    assert slow_rate(found, 5.0) == pytest.approx(0.9)
    assert slow_rate(found, 20.0) == pytest.approx(0.7)
    assert slow_rate(found, 1000.0) == pytest.approx((10 * 0.9 + 990 * 0.5) / 1000)
    cool = Course(found.time_s, none, none, none, none, np.ones(500), 0.0, found.stopped)
    assert slow_rate(cool, 5.0) == 1.0
