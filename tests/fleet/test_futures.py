"""Futures as a planner takes them, demand, and what chips in service give, against what is worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from jumar.fleet import demand, futures, in_service
from jumar.fleet.number import SECONDS_PER_MONTH
from jumar.fleet.scenario import Scenario

Changed = Callable[..., Scenario]
CHIPS = ("near", "far", "old")
NEAR, FAR, OLD = range(3)
FAILING = {
    "chips.near.failures.per_year": 0.5,
    "chips.near.failures.lost": 0.4,
    "chips.near.failures.repair": 10.0,
}


def test_chips_work_from_the_middle_of_their_first_month_and_fade(changed: Changed) -> None:
    drawn = futures.draw(changed().with_values(FAILING), 2, 1)
    fading = np.exp(-0.5 * 0.4 / 12 * np.arange(12)) / (1 + 0.5 * 10 / 365.25)
    working = drawn.in_service[0, NEAR, 1]
    assert working[:4].sum() == 0
    assert working[4] == pytest.approx(fading[0] / 2)
    assert working[5:] == pytest.approx(fading[1:8])


def test_the_stock_fades_from_the_first_month(changed: Changed) -> None:
    made = changed().with_values({"chips.old.failures.per_year": 0.6, "chips.old.failures.repair": 0.0})
    stock = futures.draw(made, 2, 1).stock_in_service
    assert stock[1, OLD] == pytest.approx(400 * np.exp(-0.6 * 0.2 / 12 * np.arange(12)))
    assert stock[:, NEAR].sum() == 0


def test_what_a_chip_costs_is_paid_in_all(changed: Changed) -> None:
    paid = futures.draw(changed(), 1, 1).paid[0]
    assert paid[NEAR, 0, [0, 3]] == pytest.approx([3000, 12000]) and paid[NEAR, 0].sum() == pytest.approx(
        15000
    )
    assert paid[FAR, 5].sum() == pytest.approx(12500)
    assert paid[NEAR, 11].sum() == pytest.approx(3000)  # arrives after the end: only the deposit is paid
    assert paid[OLD].sum() == 0


@pytest.mark.parametrize(("refund", "left"), [(1.0, 0.0), (0.25, 0.75)])
def test_a_cancelled_order_costs_the_deposit_that_is_kept(
    changed: Changed, refund: float, left: float
) -> None:
    values = {"chips.near.supply.cancelled": 1.0, "chips.near.refund": refund}
    paid = futures.draw(changed().with_values(values), 1, 1).paid[0, NEAR]
    assert paid[0, 0] == 3000 and paid[0, 3] == pytest.approx(-3000 * refund)
    assert paid[0].sum() == pytest.approx(3000 * left)


def test_a_price_that_changes_is_that_of_the_order(changed: Changed) -> None:
    paid = futures.draw(changed().with_values({"chips.far.price_change": -0.5}), 1, 1).paid[0, FAR]
    assert paid[6].sum() == pytest.approx(12500 * 0.5**0.5)


def test_demand_falls_due_where_it_is_wanted(changed: Changed) -> None:
    made = changed()
    drawn = futures.draw(made, 400, 1).needed
    train, chat = drawn[:, 0], drawn[:, 1]
    assert np.count_nonzero(train[0]) == 1 and 1e12 <= train[:, 8].min() < train[:, 8].max() <= 4e12
    assert train[:, 8].mean() == pytest.approx(7e12 / 3, rel=0.05)
    assert chat[0, 0] == 0 and chat[0, 1] == pytest.approx(3e5 * 2 ** (1 / 12) * SECONDS_PER_MONTH)
    certain = demand.needed(made, made.workloads["chat"])
    assert chat[3] == pytest.approx(certain)
    assert demand.needed(made, made.workloads["train"])[8] == 2e12


def test_growth_is_drawn_once_a_future(changed: Changed) -> None:
    edit = ('growth = "100 %/year"', 'growth = { value = 100, unit = "%/year", low = 0, high = 300 }')
    chat = futures.draw(changed(edit), 200, 1).needed[:, 1]
    ratio = chat[:, 2:] / chat[:, 1:-1]
    assert ratio == pytest.approx(np.repeat(ratio[:, :1], 10, axis=1))
    assert 1 <= ratio.min() < ratio.max() <= 4 ** (1 / 12)


def test_numbers_that_share_their_luck_are_high_together(changed: Changed) -> None:
    growth, key = 'growth = "100 %/year"', "workloads.train.amount"
    ranged = 'growth = { value = 100, unit = "%/year", low = 0, high = 300 }'
    together = futures.draw(changed((growth, ranged.replace(" }", f', like = "{key}" }}'))), 400, 1).needed
    apart = futures.draw(changed((growth, ranged)), 400, 1).needed
    assert np.array_equal(apart[:, 0], together[:, 0])  # whose luck it is
    for drawn, least, most in ((together, 0.999, 1.0), (apart, -0.2, 0.2)):
        ranks = [np.argsort(np.argsort(drawn[:, 0, 8])), np.argsort(np.argsort(drawn[:, 1, 11]))]
        assert least < np.corrcoef(ranks)[0, 1] <= most


def test_warm_air_slows_chips_and_heat_stops_them(changed: Changed) -> None:
    drawn = futures.draw(changed(), 1, 1)
    july, august, october, june = (drawn.speed[NEAR, month] for month in (0, 1, 3, 11))
    assert (july, august, october) == pytest.approx((1 - 3 * 0.02, 0.0, 1.0))
    assert june == pytest.approx(1 - 0.02)


def test_sites_count_by_their_power(changed: Changed) -> None:
    shed = '[sites.shed]\ntitle = "Shed"\npower = "3 MW"\nracks = 10\ninlet = "32 °C"'
    speed = futures.draw(changed(more=shed), 1, 1).speed[NEAR]
    assert speed[3] == pytest.approx((1 * 1.0 + 3 * 0.9) / 4)
    assert speed[7] == pytest.approx((2 * 1.0 + 3 * 0.9) / 5)


def test_samples_do_not_depend_on_how_many_there_are(changed: Changed) -> None:
    edit = ('supply.lead = "3 months"', 'supply.lead = { value = 3, unit = "month", low = 2, high = 8 }')
    many, few = futures.draw(changed(edit), 100, 4), futures.draw(changed(edit), 9, 4)
    for name in ("in_service", "paid", "stock_in_service", "needed"):
        assert np.array_equal(getattr(many, name)[:9], getattr(few, name)), name


def test_chips_that_demand_would_keep_busy(changed: Changed) -> None:
    made = changed()
    train, chat = made.workloads["train"], made.workloads["chat"]
    a_month = 2016 * SECONDS_PER_MONTH
    busy = demand.chips_needed(made, train, "near")
    assert busy[:9] == pytest.approx(2e12 / 9 / a_month) and busy[9:].tolist() == [0, 0, 0]
    assert demand.chips_needed(made, chat, "far")[1] == pytest.approx(3e5 * 2 ** (1 / 12) / 1200)
    assert np.isinf(demand.chips_needed(made, chat, "near")).all()
    assert demand.done_in_a_month(chat, "near") == 0


def test_a_job_that_begins_later_is_spread_over_what_is_left(changed: Changed) -> None:
    made = changed(('deadline = "2026-03"', 'deadline = "2026-03"\nfirst = "2025-10"'))
    busy = demand.chips_needed(made, made.workloads["train"], "near")
    assert busy[:3].tolist() == [0, 0, 0] and busy[3:9] == pytest.approx(
        2e12 / 6 / (2016 * SECONDS_PER_MONTH)
    )
    assert demand.most_chips(made, made.workloads["train"], "near") == busy[3]


def test_racks_hold_what_space_and_power_allow(changed: Changed) -> None:
    made = changed()
    chip, hall = made.chips["near"], made.sites["hall"]
    assert chip.whole_power == 610 and in_service.chips_in_rack(chip, hall) == 32
    tight = made.with_values({"sites.hall.rack_power": 10_000.0})
    assert in_service.chips_in_rack(chip, tight.sites["hall"]) == 16
    assert in_service.power_at_meter(chip, hall) == pytest.approx(610 * 1.3)
    energy = 0.61 * 1.3 * SECONDS_PER_MONTH / 3600
    assert in_service.monthly_cost(chip, hall) == pytest.approx(energy * 0.1 + 30)
