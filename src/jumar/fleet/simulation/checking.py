"""What no single number of a cluster's file can tell: whether they fit together."""

from __future__ import annotations

from collections.abc import Callable

from jumar.fleet.simulation.building import Names, Values

Bad = Callable[[str, str], Exception]
# Ways to say how long a job is; exactly one is needed.
LENGTHS = (("hours",), ("tokens", "speed"), ("steps", "step"))
# What an effect cannot do without.
NEEDED_BY = {"slow": ("speed", "lasts"), "heat": ("rise", "lasts")}


def check(values: Values, names: Names, bad: Bad) -> None:
    """Raises what `bad(key, what)` gives for the first thing that does not fit."""
    if not names["work"]:
        raise bad("work", "missing; add a job, as in [work.training] with chips and hours")
    for name in names["work"]:
        _check_work(values, f"work.{name}", _chips_in_all(values, names), bad)
    for name in names["failures"]:
        _check_failure(values, f"failures.{name}", bad)
    if names["heat"]:
        _check_heat(values, bad)


def _chips_in_all(values: Values, names: Names) -> float:
    delivered: float = sum(values[f"deliveries.{name}.chips"] for name in names["deliveries"])
    per_host = values["layout.chips_per_host"]
    spares: float = values["operation.spares"] * per_host
    return float(values["layout.chips"] + delivered - spares)


def _check_work(values: Values, key: str, chips: float, bad: Bad) -> None:
    given = [way for way in LENGTHS if any(values[f"{key}.{part}"] is not None for part in way)]
    if len(given) != 1:
        raise bad(key, "how long is it? Give hours, or tokens and speed, or steps and step; one of these")
    for part in given[0]:
        if not values[f"{key}.{part}"]:
            raise bad(f"{key}.{part}", f"missing or 0; {' and '.join(given[0])} go together")
    if values[f"{key}.chips"] > chips:
        raise bad(
            f"{key}.chips",
            f"{values[f'{key}.chips']:,.0f}; without spares there are never more than {chips:,.0f}",
        )
    if (values[f"{key}.least_chips"] or 0) > values[f"{key}.chips"]:
        raise bad(f"{key}.least_chips", "more than chips; give fewer, or leave it out")
    every, writes = values[f"{key}.checkpoint"], values[f"{key}.writes"]
    if 0 < every <= writes:
        raise bad(f"{key}.checkpoint", "the next is due before the last is written; give more than `writes`")
    if values[f"{key}.drag"] >= 1:
        raise bad(f"{key}.drag", "nothing is left of the speed; give it as `blocks` instead")


def _check_failure(values: Values, key: str, bad: Bad) -> None:
    for part in NEEDED_BY.get(values[f"{key}.effect"], ()):
        if values[f"{key}.{part}"] in (0, None) or (part == "speed" and values[f"{key}.speed"] == 1):
            raise bad(f"{key}.{part}", f'missing; "{values[f"{key}.effect"]}" needs it')
    if values[f"{key}.effect"] == "heat" and values[f"{key}.unit"] in ("chip", "link"):
        raise bad(f"{key}.unit", "air gets warm for a host or more; choose host, rack, domain or cluster")
    if values[f"{key}.unit"] == "link" and not values["layout.links_per_chip"]:
        raise bad(f"{key}.unit", "there are no links; give layout.links_per_chip")


def _check_heat(values: Values, bad: Bad) -> None:
    if values["heat.throttle"] >= values["heat.shutdown"]:
        raise bad("heat.throttle", "not below heat.shutdown; correct one of them")
    if values["heat.idle"] >= values["heat.power"]:
        raise bad("heat.idle", "not below heat.power; correct one of them")
    resting = values["heat.inlet"] + values["heat.resistance"] * values["heat.idle"]
    if resting >= values["heat.shutdown"]:
        raise bad(
            "heat.inlet", f"chips at rest would be at {resting:.0f} °C and never on; correct a number of it"
        )
