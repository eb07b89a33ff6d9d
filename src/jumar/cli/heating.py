"""`--inlet` and `--cooling`: where the server stands, for `jumar price`, `jumar report` and `jumar run`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jumar.runs.heating import Surroundings

COOLINGS = ("air", "liquid", "degraded", "failed")
# What air or water in a machine room may be; beyond it somebody mistook the unit.
COLDEST_C, HOTTEST_C = -20.0, 80.0


def arguments(parser: argparse._ActionsContainer, default: str = "as in the run, else air") -> None:
    parser.add_argument(
        "--cooling",
        choices=COOLINGS,
        help=f"air, liquid (cold plates), degraded (half of the air) or failed (fans stand still); default: {default}",
    )
    parser.add_argument(
        "--inlet",
        type=inlet,
        metavar="TEMPERATURE",
        help="of the air or water that cools, as in 35C (default: 25C, water 30C)",
    )


def inlet(text: str) -> float:
    """35, 35C or 35.5°C, in degrees Celsius."""
    found = re.fullmatch(r"\s*([+-]?\d+(?:\.\d+)?)\s*(?:°?\s*[Cc])?\s*", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no temperature: give degrees Celsius, as in 35C")
    value = float(found[1])
    if not COLDEST_C <= value <= HOTTEST_C:
        raise argparse.ArgumentTypeError(
            f"{text}: air or water of {value:g} °C cools no server; give {COLDEST_C:g}C to {HOTTEST_C:g}C"
        )
    return value


def asked(chosen: argparse.Namespace) -> bool:
    """Whether anything was said about heat."""
    return chosen.cooling is not None or chosen.inlet is not None


def surroundings(chosen: argparse.Namespace, facts: Mapping[str, Any] | None = None) -> Surroundings:
    """What was asked for, else what the stored run says, else air as usual."""
    return kept_or(chosen.cooling, chosen.inlet, facts or {})


def kept_or(cooling: str | None, inlet_c: float | None, facts: Mapping[str, Any]) -> Surroundings:
    """The same without a command line. The inlet of another cooling says nothing about this one."""
    from jumar.runs.heating import Surroundings

    kept = facts.get("heat") or {}
    usual = kept.get("cooling")
    usual = usual if usual in COOLINGS else COOLINGS[0]
    chosen = cooling or usual
    if inlet_c is None and chosen == kept.get("cooling") and isinstance(kept.get("inlet_c"), (int, float)):
        inlet_c = float(kept["inlet_c"])
    return Surroundings(chosen, inlet_c)


def said(cooling: str, inlet_c: float | None) -> dict[str, Any]:
    """For run.json: what holds, with what was not asked for filled in."""
    from jumar.runs.heating import Surroundings

    where = Surroundings(cooling or COOLINGS[0], inlet_c)
    return {"cooling": where.cooling, "inlet_c": where.inlet}
