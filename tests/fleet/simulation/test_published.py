"""Published clusters against what the simulation says of them, also where it is known not to hold."""

from __future__ import annotations

import pytest

from jumar.fleet.simulation import published
from jumar.fleet.simulation.published import Published

# At the edge of it, which side depends on the replicas: its rate is the highest of those published.
AT_THE_EDGE = ("rsc1", 131072, "hours_between_stops")
ROWS = published.to_predict()
# What lies outside of the predicted range, and why that is no surprise.
OUTSIDE = {
    ("rsc1", 1024, "hours_between_stops"): "small jobs there fail far more often than their share of chips",
    ("huawei", 10000, "hours_between_stops"): "the vendor's claim: five times as rare as measured anywhere",
    ("huawei", 10000, "ettr"): "the vendor's claim, and what it counts is not said",
}


def name(one: Published) -> tuple[str, int, str]:
    return one.cluster, one.chips, one.quantity


@pytest.mark.parametrize("one", ROWS, ids=lambda one: " ".join(map(str, name(one))))
def test_what_was_published_is_inside_the_predicted_range(one: Published) -> None:
    predicted = published.predict(one, replicas=40)
    if name(one) == AT_THE_EDGE:
        assert 0.8 * predicted.low < one.low < 1.2 * predicted.low
    else:
        assert predicted.holds(one) == (name(one) not in OUTSIDE)
    assert predicted.high < 10 * predicted.low  # a range that holds everything would say nothing


def test_419_interruptions_come_out_of_their_own_rates() -> None:
    one = next(row for row in ROWS if row.cluster == "llama3" and row.quantity == "stops")
    predicted = published.predict(one, replicas=40, own_rate=True)
    assert predicted.holds(one)
    assert predicted.high - predicted.low < 0.25 * 419


def test_a_clusters_own_rate_is_not_used_for_it() -> None:
    everywhere, _ = published.rates_elsewhere("none")
    without, _ = published.rates_elsewhere("rsc1")  # where most fails
    assert without < 0.9 * everywhere


def test_the_projection_of_metas_arithmetic() -> None:
    """1.8 h and 0.23 h between failures of 16,384 and 131,072 chips follow from one rate."""
    rate = next(row for row in published.table() if row.cluster == "rsc1" and "chip_hours" in row.quantity)
    for chips, hours in ((16384, 1.8), (131072, 0.23)):
        assert rate.low / chips == pytest.approx(hours, rel=0.03)


def test_published_rates_on_as_many_chips() -> None:
    said = {one["cluster"]: one["hours"] for one in published.between_stops(16384)}
    assert said["llama3"] == pytest.approx(54 * 24 / 419, rel=0.01)
    assert said["rsc1"] == pytest.approx(1.8, rel=0.01)
    assert said["huawei"] == pytest.approx(24 * 10000 / 16384)
