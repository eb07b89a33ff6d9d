"""What becomes of orders: exact where nothing is uncertain, and as often as probabilities say where it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jumar.fleet import supply
from jumar.fleet.chance import Chance, triangular
from jumar.fleet.number import Floats, Number
from jumar.fleet.scenario import Scenario

Changed = Callable[..., Scenario]
LEAD = 'supply.lead = "3 months"'
SAMPLES = 20_000
NEAR, FAR = 0, 1


def arrives(made: Scenario, chip: int = NEAR, samples: int = 3) -> Floats:
    return supply.sample(made, samples, 1).arrives[:, chip]


def near_mean(values: Floats, expected: float) -> None:
    """Within four standard errors of the mean."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) < 4 * error + 1e-12, (values.mean(), expected, error)


def test_what_is_certain_comes_as_promised(changed: Changed) -> None:
    made = changed()
    whole = np.eye(12, k=3)
    assert np.array_equal(arrives(made), np.stack([whole] * 3))
    assert np.array_equal(supply.promised(made)["near"], whole)
    assert np.array_equal(supply.promised(made)["far"], np.eye(12, k=2))


def test_half_the_yield_takes_twice_as_long(changed: Changed) -> None:
    good = 'supply.good = { now = "40 %", later = "40 %", planned = "80 %" }'
    share = arrives(changed((LEAD, f"{LEAD}\n{good}")))[0]
    for order in range(4):
        filled = np.zeros(12)
        filled[3 + 2 * order : 5 + 2 * order] = 0.5
        assert share[order] == pytest.approx(filled), order
    assert share[5].sum() == 0  # its turn comes after the end


def test_yield_rises_on_a_straight_line(changed: Changed) -> None:
    good = 'supply.good = { now = "40 %", later = "80 %", months = 4, planned = "80 %" }'
    received = arrives(changed((LEAD, f"{LEAD}\n{good}")))[0].sum(axis=0)
    assert received[3:6] == pytest.approx([0.875, 1, 1])  # the first month's lag is never made up
    slower = arrives(changed((LEAD, f"{LEAD}\n{good.replace('months = 4', 'months = 8')}")))[0].sum(axis=0)
    assert slower[3:9] == pytest.approx([0.6875, 0.75, 0.8125, 0.875, 0.9375, 1])


def test_a_better_yield_than_planned_brings_nothing_earlier(changed: Changed) -> None:
    good = 'supply.good = { now = "90 %", later = "90 %", planned = "45 %" }'
    assert np.array_equal(arrives(changed((LEAD, f"{LEAD}\n{good}"))), arrives(changed()))


def test_output_ramps_from_the_first_delivery(changed: Changed) -> None:
    share = arrives(changed((LEAD, f'{LEAD}\nsupply.ramp = "4 months"')))[0]
    received = share.sum(axis=0)  # of orders at the limit: the output itself, in orders
    assert received[3:8] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_delay_of_half_a_month_splits_an_order(changed: Changed) -> None:
    share = arrives(changed((LEAD, 'supply.lead = "2 months"\nsupply.delay = "0.5 months"')))[0]
    assert share[0, 2:4] == pytest.approx([0.5, 0.5]) and share[0].sum() == pytest.approx(1)


def test_months_without_orders_are_not_waited_for(changed: Changed) -> None:
    edit = (LEAD, f'{LEAD}\nsupply.first = "2025-09"\nsupply.last = "2025-10"')
    share = arrives(changed(edit))[0]
    assert share.sum(axis=1).tolist() == [0, 0, 1, 1, *[0] * 8]
    assert share[2, 5] == 1 and share[3, 6] == 1


STOP = """
[rules.stop]
title = "A stop"
jurisdiction = "US"
chips = ["far"]
effect = "stop"
begin = "2025-10"
end = "2026-01"
cancels = "{cancels} %"
probability = "{probability} %"
"""


def test_what_a_stop_holds_back_comes_after_it(changed: Changed) -> None:
    share = arrives(changed(more=STOP.format(cancels=0, probability=100)), FAR)[0]
    assert share[:, 3:6].sum() == 0
    assert share[0, 2] == 1  # before it
    assert [share[order, 6 + order - 1] for order in range(1, 6)] == [1] * 5  # three months late
    assert arrives(changed(more=STOP.format(cancels=0, probability=100)), NEAR)[0, 0, 3] == 1


def test_what_a_stop_cancels_never_comes_and_holds_up_nobody(changed: Changed) -> None:
    samples = supply.sample(changed(more=STOP.format(cancels=100, probability=100)), 2, 1)
    share, cancelled = samples.arrives[0, FAR], samples.cancelled[0, FAR]
    assert share[1:4].sum() == 0 and [cancelled[order, order + 2] for order in (1, 2, 3)] == [1, 1, 1]
    assert share[4, 6] == 1


def test_two_stops_cancel_as_much_as_the_worse(changed: Changed) -> None:
    first = STOP.format(cancels=40, probability=100)
    second = STOP.format(cancels=30, probability=100).replace("rules.stop", "rules.other")
    samples = supply.sample(changed(more=first + second.replace("2026-01", "2025-12")), 1, 1)
    assert samples.cancelled[0, FAR].sum(axis=0)[3:6] == pytest.approx([0.4, 0.4, 0.4])


def test_an_interrupted_supplier_delivers_nothing_of_any_chip(changed: Changed) -> None:
    always = {"suppliers.home.disruptions": 50.0, "suppliers.home.disruption": 60.0}
    samples = supply.sample(changed().with_values(always), 400, 1)
    assert samples.blocked[:, NEAR, 6:].min() == pytest.approx(1.0, abs=0.2)
    whole = samples.blocked[:, NEAR] >= 1
    assert whole[:, 6:].mean() > 0.99 and samples.arrives[:, NEAR].sum(axis=1)[whole].sum() == 0
    assert samples.blocked[:, FAR].sum() == 0 and samples.arrives[:, FAR, 0, 2].min() == 1


def test_a_probable_stop_is_one_draw_a_future(changed: Changed) -> None:
    samples = supply.sample(changed(more=STOP.format(cancels=0, probability=30)), SAMPLES, 5)
    blocked = samples.blocked[:, FAR, 3:6]
    assert set(np.unique(blocked)) == {0.0, 1.0} and np.array_equal(blocked[:, 0], blocked[:, 2])
    near_mean(blocked[:, 0], 0.3)


def test_a_surcharge_is_paid_on_what_is_ordered_while_it_holds(changed: Changed) -> None:
    rule = STOP.format(cancels=0, probability=100).replace('"stop"', '"surcharge"\nshare = "15 %"')
    samples = supply.sample(changed(more=rule), 2, 1)
    assert samples.price[0, FAR].tolist() == pytest.approx([12500] * 3 + [14375] * 3 + [12500] * 6)
    assert samples.arrives[0, FAR, 1, 3] == 1


def test_orders_are_cancelled_as_often_as_said(changed: Changed) -> None:
    samples = supply.sample(changed((LEAD, f'{LEAD}\nsupply.cancelled = "20 %"')), SAMPLES, 2)
    gone = samples.cancelled[:, NEAR].sum(axis=2)
    assert set(np.unique(gone[:, 4])) == {0.0, 1.0}
    near_mean(gone[:, 4], 0.2)
    near_mean(gone[:, 4] * gone[:, 5], 0.04)  # each order by itself


def test_a_cancelled_order_is_known_when_it_is_due_however_long_the_queue(changed: Changed) -> None:
    good = 'supply.good = { now = "40 %", later = "40 %", planned = "80 %" }\nsupply.cancelled = "100 %"'
    cancelled = supply.sample(changed((LEAD, f"{LEAD}\n{good}")), 1, 1).cancelled[0, NEAR]
    assert np.array_equal(cancelled, np.eye(12, k=3))


def test_how_probable_and_whether_are_drawn_apart() -> None:
    probability = Number(0.2, "share", "key", low=0.0, high=1.0)
    near_mean(Chance(SAMPLES, 1).happens(probability).astype(float), 0.4)


def test_nothing_is_delivered_twice_or_lost_without_a_word(changed: Changed) -> None:
    good = 'supply.good = { now = "40 %", later = { value = 60, unit = "%", low = 35, high = 70 }, planned = "50 %" }'
    chancy = f'{LEAD}\n{good}\nsupply.ramp = "5 months"\nsupply.cancelled = "10 %"\nsupply.noise = "30 %"'
    hazard = '[hazards.h]\njurisdiction = "US"\nchips = ["far", "near"]\nstops = "1/year"\ncancels = "50 %"'
    samples = supply.sample(changed((LEAD, chancy), more=hazard), 500, 3)
    told = samples.arrives.sum(axis=3) + samples.cancelled.sum(axis=3)
    assert samples.arrives.min() >= 0 and samples.cancelled.min() >= 0 and told.max() < 1 + 1e-9
    early = np.triu(np.ones((12, 12)), k=1).T.astype(bool)
    assert samples.arrives[:, :, early].sum() == 0  # nothing comes before it was ordered


def test_dead_chips_are_not_received(changed: Changed) -> None:
    made = changed().with_values({"chips.near.failures.dead_on_arrival": 0.04})
    assert arrives(made)[0, 0, 3] == pytest.approx(0.96)


def test_noise_leaves_the_mean_output(changed: Changed) -> None:
    made = changed((LEAD, f'{LEAD}\nsupply.noise = "40 %"'))
    chance = Chance(SAMPLES, 1)
    near = made.chips["near"].supply
    assert near is not None
    output = supply._output(near, chance, chance.value(near.lead), 12)[:, 6] / 1000
    near_mean(output, 1.0)
    assert output.std() == pytest.approx(np.sqrt(np.exp(0.4**2) - 1), rel=0.05)


def test_interruptions_are_as_long_and_often_as_said() -> None:
    often, lasting = Number(0.3, "1/year", "often"), Number(2.0, "month", "lasting")
    blocked = Chance(SAMPLES, 1).interrupted(often, lasting, 36)
    assert blocked.min() == 0 and blocked.max() == 1 and blocked[:, 0].mean() < blocked[:, 30].mean()
    # Seldom enough that two rarely meet: the share of time in one is rate times length.
    assert blocked[:, 20:].mean() == pytest.approx(1 - np.exp(-0.3 / 12 * 2), rel=0.06)


def test_a_range_is_drawn_as_a_triangle() -> None:
    number = Number(2.0, "month", "key", low=1.0, high=6.0)
    values = Chance(SAMPLES, 1).value(number)
    assert values.min() >= 1 and values.max() <= 6
    near_mean(values, 3.0)
    assert triangular(np.array([0.0, 0.2, 1.0]), 1.0, 2.0, 6.0) == pytest.approx([1.0, 2.0, 6.0])
    for low, middle, high in ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0)):
        ends = triangular(np.array([0.0, 1.0]), low, middle, high)
        assert ends == pytest.approx([0.0, 1.0])


UNSURE = 'supply.lead = { value = 3, unit = "month", low = 2, high = 8 }\nsupply.noise = "20 %"'


def test_more_samples_begin_with_those_of_fewer(changed: Changed) -> None:
    made = changed((LEAD, UNSURE), more=STOP.format(cancels=30, probability=40))
    many, few = supply.sample(made, 300, 7), supply.sample(made, 20, 7)
    assert np.array_equal(many.arrives[:20], few.arrives) and np.array_equal(many.price[:20], few.price)
    assert not np.array_equal(supply.sample(made, 20, 8).arrives, few.arrives)
    assert np.array_equal(many.of([3, 5]).arrives, many.arrives[[3, 5]])


def test_changing_one_assumption_leaves_other_draws(changed: Changed) -> None:
    made = changed((LEAD, UNSURE), more=STOP.format(cancels=30, probability=40))
    before = supply.sample(made, 50, 7)
    after = supply.sample(made.with_values({"chips.far.supply.lead": 4.0}), 50, 7)
    assert np.array_equal(before.arrives[:, NEAR], after.arrives[:, NEAR])
    assert np.array_equal(before.blocked, after.blocked)
    assert not np.array_equal(before.arrives[:, FAR], after.arrives[:, FAR])


def test_a_fan_spans_what_was_received(changed: Changed) -> None:
    samples = supply.sample(changed((LEAD, UNSURE)), 400, 7)
    received = samples.received({"near": np.full(12, 100.0)})["near"]
    bands = supply.fan(received)
    assert (
        bands.shape == (5, 12)
        and (np.diff(bands, axis=0) >= 0).all()
        and (np.diff(bands, axis=1) >= -1e-9).all()
    )
    assert bands[2, 11] == pytest.approx(np.median(received[:, 11])) and received.max() <= 1200


def test_the_outlook_is_what_comes_of_the_most(changed: Changed) -> None:
    certain = supply.outlook(changed())
    assert certain["near"] == supply.Outlook(12_000, 9000, 9000, 9000) and certain["far"].middle == 5000
    unsure = supply.outlook(changed((LEAD, UNSURE)))["near"]
    assert unsure.low < unsure.middle < unsure.high <= 10_000


def test_a_scenario_in_which_nothing_can_be_bought_has_no_supply(changed: Changed) -> None:
    made = changed(
        (f'supply.most = "1000 chips/month"\n{LEAD}\nsupply.lot = 8\n', ""),
        ('supply.most = "500 chips/month"\nsupply.lead = 2\n', ""),
    )
    samples = supply.sample(made, 4, 1)
    assert (
        samples.chips == () and samples.arrives.shape == (4, 0, 12, 12) and samples.price.shape == (4, 0, 12)
    )
