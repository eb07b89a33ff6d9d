"""Power from work: what units draw, what a lower clock and a warmer die change."""

import numpy as np
import pytest

from jumar import chips
from jumar.physics import Kind, Vector, Work, accelerator_of, matmul, parameters_for, price_table, table_of
from jumar.physics.heat_constants import constants
from jumar.physics.power import bound_share, energy_j, price_energy, stretch, supply_of

PRODUCT = matmul(8192, 8192, 8192, "bf16")
STREAM = Work(Kind.ELEMENTWISE, (), (Vector("bf16", 1e8),), 4e8, 2e8)
EVERY = ("910B2", "910B4", "910C", "H100-SXM-80GB", "H20-SXM-96GB", "A100-SXM-80GB")


def powers(name: str) -> np.ndarray:
    """Watts of a large product and of streaming, each repeated without a pause."""
    chip = chips.find(name)
    supply, machine, table = supply_of(chip), accelerator_of(chip), table_of([PRODUCT, STREAM])
    prices = price_table(table, machine)
    return supply.idle_w + energy_j(table, prices, machine, supply).whole_j / prices.seconds


@pytest.mark.parametrize("name", EVERY)
def test_a_large_product_draws_nearly_the_limit_and_streaming_less(name: str) -> None:
    limit_w, idle_w = (float(chips.find(name).number(key, "W")) for key in ("power.limit", "power.idle"))
    product_w, stream_w = powers(name)
    assert 0.8 * limit_w < product_w <= 1.02 * limit_w
    assert idle_w + 0.2 * (limit_w - idle_w) < stream_w < product_w


def test_energy_of_the_same_work_adds_up() -> None:
    chip = chips.find("910B2")
    machine, supply = accelerator_of(chip), supply_of(chip)
    once = price_energy(table_of([PRODUCT]), machine, supply)
    twice = price_energy(table_of([PRODUCT, STREAM, PRODUCT]), machine, supply)
    assert twice.whole_j[0] == twice.whole_j[2] == pytest.approx(once.whole_j[0])
    assert (twice.die_j > 0).all() and (twice.stack_j > 0).all()
    with pytest.raises(ValueError, match="price the same table"):
        energy_j(table_of([STREAM, PRODUCT]), price_table(table_of([STREAM]), machine), machine, supply)


def test_products_wait_for_the_clock_and_streams_for_memory() -> None:
    bound = price_energy(
        table_of([PRODUCT, STREAM]), accelerator_of(chips.find("910B2")), supply_of(chips.find("910B2"))
    ).bound
    assert bound[0] > 0.95
    assert bound[1] < 0.05


def test_bound_share_is_the_slope_of_the_time() -> None:
    """A little less clock, parts of the clock's units a little longer, and the time computed anew."""
    parameters = parameters_for("Ascend910B2", "A2")
    parts = np.array([[3e-4, 1e-4, 2.5e-4, 2e-5], [0.0, 1e-4, 1e-4, 1e-5]])

    def seconds(clock: float) -> np.ndarray:
        longer = parts * np.array([1 / clock, 1 / clock, 1, 1])
        return (longer[:, :3] ** parameters.sharpness).sum(axis=1) ** (1 / parameters.sharpness) + longer[
            :, 3
        ]

    share = bound_share(seconds(1.0), parts, parameters.sharpness)
    clock = 1 - 1e-6
    assert seconds(clock) / seconds(1.0) - 1 == pytest.approx(stretch(share, clock) - 1, rel=1e-4)


def test_a_fifth_less_clock_saves_more_than_a_third_of_the_power() -> None:
    """Published: board power falls by 35 to 45 % where the clock falls by 20 %."""
    supply = supply_of(chips.find("H100-SXM-80GB"))
    idle_share = 0.2
    slower = idle_share + (1 - idle_share) * 0.8 * supply.energy_factor(0.8)
    assert 0.55 <= slower <= 0.65
    clocks = np.linspace(0.3, 1.0, 15)
    assert (np.diff(clocks * supply.energy_factor(clocks)) > 0).all()


def test_a_warm_die_leaks_more() -> None:
    supply = supply_of(chips.find("910B2"))
    at = constants().power.leakage_at_c
    assert supply.idle_at(at) == pytest.approx(supply.idle_w)
    assert supply.idle_at(90.0) > supply.idle_at(60.0) > supply.idle_w
    assert supply.idle_at(-1000.0) == 0.0
