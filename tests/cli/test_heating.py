"""`--inlet` and `--cooling`: what is read of them, what is kept of a run, and what holds where nothing is said."""

from __future__ import annotations

import argparse

import pytest

from jumar.cli import heating, tracing
from jumar.cli.main import parser
from jumar.machine import server
from jumar.physics.heat_constants import COOLINGS
from jumar.runs.heating import Surroundings


@pytest.mark.parametrize(
    ("text", "value"), [("35", 35.0), ("35C", 35.0), ("35.5 °C", 35.5), ("-5c", -5.0), ("+0", 0.0)]
)
def test_temperatures_that_are_read(text: str, value: float) -> None:
    assert heating.inlet(text) == value


@pytest.mark.parametrize("text", ["", "C", "hot", "35F", "3e1", "nan", "inf", "-21", "80.1", "35 36"])
def test_temperatures_that_are_not(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        heating.inlet(text)


def test_names_of_coolings_are_those_of_physics() -> None:
    assert heating.COOLINGS == COOLINGS


def test_what_a_run_is_asked_for_reaches_its_server_and_its_facts() -> None:
    chosen = parser().parse_args(["run", "--cooling", "degraded", "--inlet", "40C", "ls"])
    wanted = tracing.wish(chosen)
    assert wanted is not None and wanted.heat == server.Heat(40.0, "degraded")
    assert heating.said(wanted.heat.cooling, wanted.heat.inlet_c) == {"cooling": "degraded", "inlet_c": 40.0}
    plain = tracing.wish(parser().parse_args(["run", "ls"]))
    assert plain is not None and plain.heat == server.Heat()
    assert heating.said("", None) == {"cooling": "air", "inlet_c": 25.0}


@pytest.mark.parametrize(
    ("cooling", "inlet_c", "kept", "expected"),
    [
        (None, None, {}, Surroundings("air", None)),
        (None, None, {"cooling": "liquid", "inlet_c": 33.0}, Surroundings("liquid", 33.0)),
        ("liquid", None, {"cooling": "liquid", "inlet_c": 33.0}, Surroundings("liquid", 33.0)),
        ("air", None, {"cooling": "liquid", "inlet_c": 33.0}, Surroundings("air", None)),
        (None, 20.0, {"cooling": "liquid", "inlet_c": 33.0}, Surroundings("liquid", 20.0)),
        (None, None, {"cooling": "fog", "inlet_c": "warm"}, Surroundings("air", None)),
    ],
)
def test_what_is_asked_goes_before_what_is_kept(
    cooling: str | None, inlet_c: float | None, kept: dict[str, object], expected: Surroundings
) -> None:
    assert heating.kept_or(cooling, inlet_c, {"heat": kept}) == expected
