"""Makes a cluster of plain values by dotted key, as a file has them or a replica has drawn them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumar.fleet.simulation.cluster import (
    Checkpoints,
    Cluster,
    Delivery,
    Duration,
    Failure,
    Heat,
    Layout,
    Work,
)

Values = dict[str, Any]
Names = Mapping[str, tuple[str, ...]]
SECONDS_AN_HOUR = 3600.0
NEVER = float("inf")


def build(values: Values, names: Names) -> Cluster:
    rates = values["operation.rates"]
    return Cluster(
        name=values["name"],
        days=values["days"],
        layout=_layout(values),
        failures=tuple(_failure(_below(values, f"failures.{one}"), one, rates) for one in names["failures"]),
        work=tuple(_work(_below(values, f"work.{one}"), one) for one in names["work"]),
        heat=_heat(_below(values, "heat")) if names["heat"] else None,
        deliveries=tuple(_delivery(_below(values, f"deliveries.{one}")) for one in names["deliveries"]),
        spares=round(values["operation.spares"]),
        crews=round(values["operation.crews"]),
        age_h=values["operation.age"],
        unevenness=values["operation.unevenness"],
        scheduler=values["operation.scheduler"],
        placement=values["operation.placement"],
    )


def _below(values: Values, key: str) -> Values:
    start = f"{key}."
    return {name.removeprefix(start): value for name, value in values.items() if name.startswith(start)}


def _layout(values: Values) -> Layout:
    return Layout(**{name: round(value) for name, value in _below(values, "layout").items()})


def _heat(given: Values) -> Heat:
    return Heat(
        inlet_c=given["inlet"],
        daily_c=given["daily"],
        yearly_c=given["yearly"],
        rack_spread_c=given["rack_spread"],
        chip_spread_c=given["chip_spread"],
        resistance=given["resistance"],
        power_w=given["power"],
        idle_w=min(given["idle"], given["power"]),
        throttle_c=given["throttle"],
        shutdown_c=given["shutdown"],
        lowest_clock=given["lowest_clock"],
        exponent=given["exponent"],
        first_day=given["first_day"],
    )


def _failure(given: Values, name: str, rates: float) -> Failure:
    return Failure(
        name=name,
        unit=given["unit"],
        effect=given["effect"],
        hours_between=given["between"] / rates,
        early=given["early"],
        early_h=given["early_for"],
        wear_h=NEVER if given["wear_life"] is None else given["wear_life"],
        wear_shape=given["wear_shape"],
        doubling_c=NEVER if given["doubling"] is None else given["doubling"],
        recovers=given["recovers"],
        notice=Duration(given["notice"], given["notice_law"]),
        repair=Duration(given["repair"], given["repair_law"]),
        speed=given["speed"],
        lasts=Duration(given["lasts"]),
        rise_c=given["rise"],
        busy_only=given["busy_only"],
    )


def _work(given: Values, name: str) -> Work:
    return Work(
        name=name,
        chips=round(given["chips"]),
        hours=hours_of(given),
        checkpoints=Checkpoints(given["checkpoint"], given["blocks"], given["writes"], given["drag"]),
        least_chips=round(given["least_chips"] or given["chips"]),
        clock_share=given["clock_share"],
        chips_share=given["chips_share"],
        spread_cost=given["spread_cost"],
        restart_h=given["restart"],
        swap_h=given["swap"],
        count=round(given["count"]),
        arrives_h=given["arrives"],
        every_h=given["every"],
        law=given["law"],
    )


def hours_of(given: Values) -> float:
    """Hours of a job if nothing happens: as given, or from tokens and speed, or from steps and their time."""
    if given["hours"] is not None:
        return float(given["hours"])
    if given["tokens"] is not None:
        return float(given["tokens"] / (given["speed"] * given["chips"] * SECONDS_AN_HOUR))
    return float(given["steps"] * given["step"] / SECONDS_AN_HOUR)


def _delivery(given: Values) -> Delivery:
    return Delivery(
        day=given["day"],
        chips=round(given["chips"]),
        delay=Duration(given["delay"], given["delay_law"]),
        yield_share=given["good"],
        repair=Duration(given["repair"]),
    )
