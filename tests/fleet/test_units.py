"""Units of fleet files: what is written is what is computed with, and nothing is converted to another kind."""

from __future__ import annotations

import pytest

from jumar.fleet import units


@pytest.mark.parametrize(
    ("written", "wanted", "value"),
    [
        ("12,500 USD/chip", "USD/chip", 12500),
        ("120000 CNY/chip", "USD/chip", 15000),
        ("0.8 CNY/kWh", "USD/kWh", 0.1),
        ("15 trillion tokens", "token", 15e12),
        ("300 million USD/month", "USD/month", 3e8),
        ("300 million USD/year", "USD/month", 25e6),
        ("1 USD/Mtoken", "USD/token", 1e-6),
        ("40 %", "share", 0.4),
        ("24 %/year", "share/year", 0.24),
        ("2 %/month", "share/year", 0.24),
        ("0.5/year", "1/year", 0.5),
        ("50 ms", "s", 0.05),
        ("6 weeks", "day", 42),
        ("2 years", "month", 24),
        ("1.5 MW", "W", 1.5e6),
        ("400 W/chip", "W/chip", 400),
        ("3 ktoken/s/chip", "token/s/chip", 3000),
        ("-5 %/year", "share/year", -0.05),
    ],
)
def test_what_is_written_is_what_is_computed_with(written: str, wanted: str, value: float) -> None:
    amount, unit = units.split(written)
    assert units.convert(amount, unit, wanted, {"CNY": 0.125}) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "wanted", "complaint"),
    [
        ("token/s", "token/s/chip", "give it in token/s/chip"),
        ("W", "Wh", "give it in Wh"),
        ("USD/chip", "USD", "give it in USD"),
        ("request/s/chip", "token/s/chip", "give it in token/s/chip"),
        ("tokn/s", "token/s", "did you mean token"),
        ("CNY", "USD", "money.yuan"),
        ("million", "USD", "give it in USD"),
    ],
)
def test_another_kind_is_refused(unit: str, wanted: str, complaint: str) -> None:
    with pytest.raises(units.BadUnit, match=complaint):
        units.convert(1.0, unit, wanted)


@pytest.mark.parametrize("written", ["", "chips", "ten chips", "1 2 3 chips", "--4 W"])
def test_a_text_without_a_number_has_no_value(written: str) -> None:
    with pytest.raises(units.BadUnit):
        units.convert(*units.split(written), "W")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12500, "USD/chip", "12,500 USD/chip"),
        (0.125, "share", "12.5 %"),
        (-0.05, "share/year", "-5 %/year"),
        (1.5e13, "token", "15 Ttoken"),
        (2e-6, "USD/token", "2 USD/Mtoken"),
        (3e8, "USD", "300 million USD"),
        (4.5e7, "W", "45 MW"),
        (1.35, "1", "1.35"),
        (0, "chip", "0 chip"),
    ],
)
def test_people_read_few_digits(value: float, unit: str, text: str) -> None:
    assert units.text(value, unit) == text
