"""Units: what a file may use, the exact value that comes of it, and how people read it."""

from __future__ import annotations

import pytest

from jumar import chips
from jumar.chips import units


@pytest.mark.parametrize(
    ("value", "unit", "found", "canonical"),
    [
        (64, "GiB", 64 * 2**30, "B"),
        (1.6, "TB/s", 1_600_000_000_000, "B/s"),
        (1.6, "TiB/s", 1.6 * 2**40, "B/s"),
        (200, "Gbit/s", 25_000_000_000, "B/s"),
        (353.9, "TFLOP/s", 353_900_000_000_000, "FLOP/s"),
        (2.5, "us", 2.5e-6, "s"),
        (2.5, "µs", 2.5e-6, "s"),
        (1912, "MHz", 1_912_000_000, "Hz"),
        (85, "C", 85, "°C"),
        (826, "mm2", 826, "mm²"),
        (0.7, "kW", 700, "W"),
    ],
)
def test_conversion_is_exact(value: float, unit: str, found: float, canonical: str) -> None:
    assert units.canonical(unit) == canonical
    converted = units.convert(value, unit)
    assert converted == found
    assert isinstance(converted, int) == float(found).is_integer()


@pytest.mark.parametrize("unit", ["GiBs", "flops", "TFLOPS", "", "mB", "Gib", "kUSD"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    with pytest.raises(units.UnknownUnit):
        units.canonical(unit)


def test_each_number_of_each_chip_survives_being_written() -> None:
    for chip in chips.all_chips():
        for key, quantity in chip.quantities.items():
            value, unit = units.readable(quantity.value, quantity.unit)
            assert units.convert(value, unit) == quantity.value, f"{chip.name} {key}"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (81559 * 2**20, "B", "79.65 GiB"),
        (0, "core", "0 core"),
        (32768, "FLOP/cycle/core", "32,768 FLOP/cycle/core"),
        (1638.4e9, "B/s", "1.638 TB/s"),
        (2.2e-6, "s", "2.2 µs"),
        (1e3, "W", "1 kW"),
        (989.4e12, "FLOP/s", "989.4 TFLOP/s"),
    ],
)
def test_how_people_read_it(value: float, unit: str, shown: str) -> None:
    assert units.text(value, unit) == shown
