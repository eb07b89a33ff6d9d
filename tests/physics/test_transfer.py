"""Copies, fills and calls of the host: they follow the chip's links and memory, and more is never faster."""

from __future__ import annotations

import numpy as np
import pytest

from jumar import chips
from jumar.physics import accelerator_of, parameters_for, transfer

NAMES = ("910b2", "h100", "a100", "mi300x", "v5p", "310p")
SIZES = np.array([0.0, 1.0, 1e3, 1e6, 1e9])


@pytest.mark.parametrize("name", NAMES)
def test_more_bytes_never_take_less_time(name: str) -> None:
    machine = accelerator_of(chips.find(name))
    parameters = parameters_for(machine.name, machine.generation)
    for seconds in (
        transfer.host_copy_seconds(SIZES, machine),
        transfer.chip_copy_seconds(SIZES, machine, parameters),
        transfer.fill_seconds(SIZES, machine, parameters),
    ):
        assert seconds[0] > 0 and (np.diff(seconds) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_gigabyte_over_the_host_link_and_inside(name: str) -> None:
    chip = chips.find(name)
    machine = accelerator_of(chip)
    parameters = parameters_for(machine.name, machine.generation)
    outside_s = 1e9 / chip.number("link.host.bandwidth", "B/s")
    assert outside_s < transfer.host_copy_seconds(SIZES, machine)[-1] < 1.5 * outside_s
    inside_s = 2e9 / chip.number("memory.bandwidth", "B/s")
    assert inside_s < transfer.chip_copy_seconds(SIZES, machine, parameters)[-1] < 2 * inside_s


@pytest.mark.parametrize("name", NAMES)
def test_a_call_costs_the_host_some_microseconds(name: str) -> None:
    machine = accelerator_of(chips.find(name))
    assert 1e-6 < transfer.host_call_seconds(parameters_for(machine.name, machine.generation)) < 1e-4
