"""Collectives: monotone in size, bounded by the links, and aware of meshes and servers."""

from __future__ import annotations

import pytest

from jumar import chips
from jumar.physics import accelerator_of, parameters_for
from jumar.physics.link import Collective, Group, Pattern, collective_seconds, inside_rate_b_s, spread_over

A2, H100 = accelerator_of(chips.find("910B2")), accelerator_of(chips.find("H100-SXM-80GB"))


def seconds(pattern: Pattern, size_b: float, group: Group, machine: object = A2) -> float:
    assert machine in (A2, H100)
    chosen = A2 if machine is A2 else H100
    return collective_seconds(
        Collective(pattern, size_b, group), chosen, parameters_for(chosen.name, chosen.generation)
    )


@pytest.mark.parametrize("pattern", Pattern)
@pytest.mark.parametrize("group", [Group(2), Group(8), Group(8, 4), Group(1, 16)])
def test_more_bytes_never_take_less_time(pattern: Pattern, group: Group) -> None:
    times = [seconds(pattern, 2.0**power, group) for power in range(4, 34)]
    assert times == sorted(times)
    assert times[0] > 0


@pytest.mark.parametrize("pattern", Pattern)
def test_one_rank_and_no_bytes_take_no_time(pattern: Pattern) -> None:
    assert seconds(pattern, 1e9, Group(1)) == 0.0
    assert seconds(pattern, 0.0, Group(8)) == 0.0


def test_an_all_reduce_is_a_scatter_and_a_gather() -> None:
    size = 1e9
    both = seconds(Pattern.REDUCE_SCATTER, size, Group(8)) + seconds(Pattern.ALL_GATHER, size, Group(8))
    assert seconds(Pattern.ALL_REDUCE, size, Group(8)) == pytest.approx(both, rel=0.05)


def test_nothing_is_faster_than_the_links() -> None:
    for machine in (A2, H100):
        size, ranks = 1e9, 8
        least = 2 * size * (ranks - 1) / ranks / machine.links.chip_b_s
        assert seconds(Pattern.ALL_REDUCE, size, Group(ranks), machine) > least


def test_two_chips_of_a_mesh_have_one_of_its_links() -> None:
    parameters = parameters_for("Ascend910B2", "A2")
    assert inside_rate_b_s(2, A2, parameters) == pytest.approx(inside_rate_b_s(8, A2, parameters) / 7)
    switched = parameters_for("H100-SXM-80GB", "Hopper")
    assert inside_rate_b_s(2, H100, switched) == inside_rate_b_s(8, H100, switched)


def test_ranks_fill_servers_in_order() -> None:
    assert spread_over(8, 1, A2) == Group(8, 1)
    assert spread_over(16, 1, A2) == Group(8, 2)
    assert spread_over(4, 8, A2) == Group(1, 4)
    assert spread_over(4, 2, A2) == Group(4, 1)
