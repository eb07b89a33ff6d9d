"""Money of a step on so many chips, from the numbers of the chip's file."""

from __future__ import annotations

from dataclasses import dataclass

from jumar.chips import Chip

HOURS_A_YEAR = 8766.0
HOUR_S = 3600.0


@dataclass(frozen=True)
class Terms:
    """What money depends on besides the chip. The defaults are assumptions, and are said with each result.

    rented          by the hour where the chip's file has such a price; else bought, or rented if it cannot be bought
    years           over which the price of a chip is spread
    used            share of that time in which it works
    kwh             price of a kilowatt-hour, in the currency of the chip's price
    building        power of the building for each watt of the chip: host, network, cooling
    """

    rented: bool = False
    years: float = 4.0
    used: float = 0.7
    kwh: float = 0.10
    building: float = 1.5


@dataclass(frozen=True)
class Money:
    """An amount; `missing` says which number is not in the chip's file, where there is none."""

    value: float | None
    currency: str = ""
    note: str = ""
    missing: str = ""


def hourly(chip: Chip, terms: Terms) -> Money:
    """What one chip costs an hour: rented, or bought and fed."""
    rent, price = chip.quantities.get("price.hour"), chip.quantities.get("price.chip")
    if rent is not None and (terms.rented or price is None):
        how = f"{rent.value:g} {rent.unit} an hour on demand ({rent.date})"
        return Money(float(rent.value), rent.unit, how)
    if price is None:
        return Money(None, missing="price.hour or price.chip")
    bought = float(price.value) / (terms.years * HOURS_A_YEAR * terms.used)
    watts = float(chip.number("power.typical", "W")) * terms.building
    how = (
        f"{price.value:,.0f} {price.unit} a chip ({price.date}) over {terms.years:g} years at {terms.used:.0%} use, "
        f"and {watts:.0f} W at {terms.kwh:g} {price.unit} a kWh"
    )
    if terms.rented:
        how = f"bought, as no price by the hour is known: {how}"
    return Money(bought + watts / 1000 * terms.kwh, price.unit, how)


def of_time(hour: Money, seconds: float, chips: int) -> Money:
    """The money for so many seconds of so many chips."""
    if hour.value is None:
        return hour
    return Money(hour.value * chips * seconds / HOUR_S, hour.currency, hour.note)
