"""The thermal network against closed forms, a solver of its own and the balance of energy."""

import numpy as np
import pytest

from jumar import chips
from jumar.physics import course, heat, power
from jumar.physics.heat import COOLANT, DIE, EACH, SINK, STACK, Network
from jumar.physics.heat_constants import COOLINGS, BadConstants, constants, load_constants

SUPPLY = power.supply_of(chips.find("910B2"))


def one_node(capacity_j_k: float, carried_w_k: float) -> Network:
    """A lump of metal in a stream of coolant; the stack has no node of its own."""
    none = np.zeros((1, 1))
    return Network(np.array([capacity_j_k]), none, none, np.array([carried_w_k]), np.array([[1.0, 1.0]]), 1)


def test_a_step_of_one_node_is_the_closed_form() -> None:
    """T(t) = T_end + (T_0 − T_end) exp(−t C⁻¹ G)."""
    network = one_node(200.0, 8.0)
    advance, drive = heat.discrete(network, 0.02)
    temperature = np.array([25.0])
    for step in range(1, 5001):
        temperature = advance @ temperature + drive @ network.inputs(
            np.array([280.0]), np.array([40.0]), 25.0
        )
        exact = 65.0 - 40.0 * np.exp(-step * 0.02 * 8.0 / 200.0)
        assert temperature[0] == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("cooling", COOLINGS)
def test_steps_agree_with_a_fine_integration(cooling: str) -> None:
    """Runge and Kutta's fourth order in steps of a millisecond knows nothing of matrix exponentials."""
    network = heat.network_of(SUPPLY, 3, cooling)
    system, drive = network.rates()
    inputs = network.inputs(np.array([300.0, 250.0, 0.0]), np.array([40.0, 10.0, 5.0]), 25.0)
    advance, push = heat.discrete(network, 0.5)
    exact = fine = np.full(3 * EACH, 30.0)
    for _ in range(4):
        exact = advance @ exact + push @ inputs
        for _ in range(500):
            fine = runge_kutta(system, drive @ inputs, fine, 1e-3)
    assert np.abs(exact - fine).max() < 1e-6


def runge_kutta(system: np.ndarray, constant: np.ndarray, state: np.ndarray, step_s: float) -> np.ndarray:
    first = system @ state + constant
    second = system @ (state + step_s / 2 * first) + constant
    third = system @ (state + step_s / 2 * second) + constant
    fourth = system @ (state + step_s * third) + constant
    return state + step_s / 6 * (first + 2 * second + 2 * third + fourth)


@pytest.mark.parametrize("cooling", COOLINGS)
def test_energy_is_conserved(cooling: str) -> None:
    """What went in is stored or was carried off, to one part in a million; what leaves is integrated by Simpson's rule."""
    network = heat.network_of(SUPPLY, 8, cooling)
    generator = np.random.default_rng(7)
    half, push = heat.discrete(network, 0.01)
    state = start = np.full(8 * EACH, 25.0)
    given = left = 0.0
    for _ in range(1000):
        die_w, stack_w = generator.uniform(0, 350, 8), generator.uniform(0, 60, 8)
        inputs = network.inputs(die_w, stack_w, 25.0)
        middle = half @ state + push @ inputs
        end = half @ middle + push @ inputs
        leaving = [heat.carried_off_w(network, one, 25.0) for one in (state, middle, end)]
        left += 0.02 / 6 * (leaving[0] + 4 * leaving[1] + leaving[2])
        given += 0.02 * float(die_w.sum() + stack_w.sum())
        state = end
    assert left > 0
    assert given == pytest.approx(heat.stored_j(network, start, state) + left, rel=1e-6)


@pytest.mark.parametrize("cooling", COOLINGS)
def test_in_the_end_all_heat_leaves_with_the_coolant(cooling: str) -> None:
    network = heat.network_of(SUPPLY, 8, cooling)
    inputs = network.inputs(np.full(8, 280.0), np.full(8, 30.0), 25.0)
    ending = heat.steady(network, inputs)
    assert heat.carried_off_w(network, ending, 25.0) == pytest.approx(8 * 310.0, rel=1e-9)
    advance, push = heat.discrete(network, 20000.0)
    assert np.abs(advance @ np.full(8 * EACH, 25.0) + push @ inputs - ending).max() < 1e-3


def test_rises_are_those_of_the_table() -> None:
    """A lone chip at its highest power, all of it in the die: the rises add up."""
    network, way, node = heat.network_of(SUPPLY, 1, "air"), constants().cooling["air"], constants().node
    ending = heat.steady(network, network.inputs(np.array([SUPPLY.limit_w]), np.zeros(1), 25.0))
    assert ending[COOLANT] == pytest.approx(25.0 + way.coolant_rise_k)
    assert ending[SINK] == pytest.approx(ending[COOLANT] + way.sink_rise_k)
    assert ending[DIE] == pytest.approx(ending[SINK] + node.die_rise_k)
    assert ending[STACK] == pytest.approx(ending[SINK])


def test_chips_behind_others_are_warmer_and_boards_have_air_of_their_own() -> None:
    network = heat.network_of(SUPPLY, 16, "air")
    dies = heat.steady(network, network.inputs(np.full(16, 300.0), np.full(16, 20.0), 25.0))[DIE::EACH]
    assert dies[4:8].min() > dies[:4].max() + 3.0
    assert dies[8:] == pytest.approx(dies[:8])


def test_a_busy_neighbour_warms() -> None:
    network = heat.network_of(SUPPLY, 2, "air")
    alone = heat.steady(network, network.inputs(np.array([300.0, 0.0]), np.zeros(2), 25.0))
    assert alone[EACH + SINK] > 25.05


def test_less_flow_is_hotter() -> None:
    dies = []
    for cooling in ("liquid", "air", "degraded", "failed"):
        network = heat.network_of(SUPPLY, 8, cooling)
        dies.append(
            heat.steady(network, network.inputs(np.full(8, 270.0), np.full(8, 30.0), 30.0))[DIE::EACH].max()
        )
    assert dies == sorted(dies)
    assert dies[1] < 105 < dies[3]


@pytest.mark.parametrize(("chips_", "cooling", "said"), [(0, "air", "at least 1"), (8, "fog", "use one of")])
def test_what_cannot_be_is_refused(chips_: int, cooling: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        heat.network_of(SUPPLY, chips_, cooling)
    with pytest.raises(ValueError, match="above 0"):
        heat.discrete(one_node(1.0, 1.0), 0.0)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("die_s = {", "dye_s = {", "node.die_s: add it"),
        ('unit = "s", confidence', "confidence", "has no unit"),
        (
            'confidence = "vendor", source = "hicann',
            'confidence = "vendor", place = "hicann',
            "without a source",
        ),
        ("value = 1.5,", "value = -1.5,", "above 0"),
        ("[cooling.liquid]", "[cooling.oil]", "give exactly"),
    ],
)
def test_a_bad_table_says_where(tmp_path, before: str, after: str, said: str) -> None:
    from jumar.physics.heat_constants import FILE

    text = FILE.read_text(encoding="utf-8")
    assert before in text
    bad = tmp_path / "heat.toml"
    bad.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadConstants, match=said):
        load_constants(bad)


@pytest.mark.parametrize(
    ("name", "low_c", "high_c"),
    [
        ("Ascend910B3", 40, 43),  # github.com/vllm-project/vllm-ascend/issues/1130, 89 to 98 W
        (
            "Ascend910_9382",
            34,
            38,
        ),  # the same repository, issues 12980, 2534, 5588, 4989, 3597: a package 163 to 186 W
        ("H100-SXM-80GB", 28, 33),  # github.com/NVIDIA/nccl/issues/1264 and listings of eight, 69 to 88 W
    ],
)
def test_idle_chips_are_as_warm_as_published_ones(name: str, low_c: float, high_c: float) -> None:
    """In air of 25 °C; that of the published rooms is not known, so a few degrees either way are granted."""
    supply = power.supply_of(chips.find(name))
    network = heat.network_of(supply, 8, "air")
    dies = course.idle(network, supply, 25.0)[DIE::EACH]
    assert low_c - 4 < dies.min() and dies.max() < high_c + 4
