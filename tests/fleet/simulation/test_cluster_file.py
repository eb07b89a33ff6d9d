"""A cluster's file: what it says is what is simulated, what cannot be is refused with key and remedy."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from jumar import chips
from jumar.cli import cluster_loading
from jumar.cli.refusal import Refusal
from jumar.fleet.number import Number
from jumar.fleet.reading import BadFile
from jumar.fleet.simulation import cluster_file
from jumar.fleet.simulation.arrivals import hours_between_stops, timed
from jumar.fleet.simulation.cluster_file import ClusterFile, draw
from jumar.runs import comparing, directory
from jumar.runs.priced import Options

SYNTHETIC = Path(__file__).parents[2] / "runs" / "synthetic.py"
EXAMPLES = Path(__file__).parents[3] / "examples" / "fleet"
SMALL = """
name = "small"
days = "10 days"
[sources]
paper = "a paper"
[layout]
chips = "64 chip"
[failures.chip]
unit = "chip"
between = { value = 100, low = 50, high = 400, unit = "hour", source = "paper", confidence = "measured" }
repair = "90 min"
[work.job]
chips = "32 chip"
hours = "2 days"
blocks = "30 s"
"""


def read(folder: Path, text: str) -> ClusterFile:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return cluster_file.load(path)


def test_units_and_defaults(tmp_path: Path) -> None:
    file = read(tmp_path, SMALL)
    cluster = file.cluster()
    assert cluster.layout.hosts == 8 and cluster.days == 10 and cluster.heat is None
    assert cluster.failures[0].repair.mean_h == 1.5 and cluster.work[0].hours == 48
    assert cluster.work[0].checkpoints.blocks_h == pytest.approx(30 / 3600)
    assert cluster.work[0].least_chips == 32 and cluster.age_h == pytest.approx(365.25 * 24)
    assert file.numbers["failures.chip.between"].source == "a paper"
    assert not file.numbers["operation.age"].given


@pytest.mark.parametrize(
    ("length", "hours"),
    [
        ('tokens = "1 billion token"\nspeed = "100 token/s/chip"', 1e9 / 100 / 32 / 3600),
        ('steps = "7,200"\nstep = "500 ms"', 1.0),
    ],
)
def test_how_long_a_job_is_can_be_said_in_three_ways(tmp_path: Path, length: str, hours: float) -> None:
    cluster = read(tmp_path, SMALL.replace('hours = "2 days"', length)).cluster()
    assert cluster.work[0].hours == pytest.approx(hours)


REFUSED = {
    'chips = "64 chip"': ("", "layout.chips: missing"),
    'unit = "chip"': ('unit = "chips"', "choose one of chip, link, host"),
    'repair = "90 min"': ('repairs = "90 min"', "failures.chip.repairs: unknown; did you mean repair"),
    'hours = "2 days"': ("", "work.job: how long is it?"),
    'chips = "32 chip"': ('chips = "65 chip"', "there are never more than 64"),
    'blocks = "30 s"': ('blocks = "30 GB"', "work.job.blocks"),
    "low = 50": ("low = 150", "not within low and high"),
    'source = "paper"': ('source = "book"', '"book" is not under [sources]'),
    "[work.job]": ('[heat]\ninlet="99 °C"\nresistance="0.1 °C/W"\npower="700 W"\nthrottle="90 °C"\n'
                   'shutdown="100 °C"\n[work.job]', "heat.inlet: 99 °C cannot be"),
    "[sources]": ('[operation]\nscheduler="lifo"\n[sources]', "operation.scheduler"),
    "[layout]": ('[failures.slow]\nunit="host"\neffect="slow"\nbetween="9 hour"\n[layout]', "failures.slow.speed: missing"),
    'name = "small"': ("name = small", "not valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_is_refused(tmp_path: Path, line: str) -> None:
    instead, said = REFUSED[line]
    assert line in SMALL
    with pytest.raises(BadFile) as raised:
        read(tmp_path, SMALL.replace(line, instead, 1))
    assert said in str(raised.value) and str(raised.value).startswith("small.toml: ")


TOGETHER = {
    'checkpoint = "1 min"\nwrites = "2 min"': "work.job.checkpoint: the next is due before the last is written",
    'least_chips = "33 chip"': "work.job.least_chips: more than chips",
    'steps = "9"\nstep = "1 s"': "work.job: how long is it?",
    'drag = "100 %"': "work.job.drag",
}


@pytest.mark.parametrize("more", TOGETHER)
def test_numbers_have_to_fit_together(tmp_path: Path, more: str) -> None:
    with pytest.raises(BadFile, match=r"small\.toml") as raised:
        read(tmp_path, f"{SMALL}{more}\n")
    assert TOGETHER[more] in str(raised.value)


def test_draws_lie_in_the_range_nine_times_in_ten() -> None:
    rng = np.random.default_rng(1)
    number = Number(100.0, "hour", low=50.0, high=400.0)
    found = np.array([draw(number, rng) for _ in range(4000)])
    assert np.quantile(found, (0.05, 0.5, 0.95)) == pytest.approx([50, 100, 400], rel=0.06)
    share = Number(0.9, "share", low=0.5, high=1.0)
    drawn = np.array([draw(share, rng) for _ in range(500)])
    assert drawn.max() == 1.0 and 0.2 < drawn.min() < 0.6
    maybe_none = Number(1.0, "hour", low=0.0, high=2.0)
    assert min(draw(maybe_none, rng) for _ in range(500)) == 0.0


def test_replicas_draw_what_has_a_range_and_nothing_else(tmp_path: Path) -> None:
    file = read(tmp_path, SMALL)
    first, second = file.drawn(1), file.drawn(2)
    assert first.failures[0].hours_between != second.failures[0].hours_between
    assert first.work == second.work and first == file.drawn(1)
    assert file.drawn(1, {"layout.chips": 128}).layout.hosts == 16


def test_rates_move_every_kind(tmp_path: Path) -> None:
    often = read(tmp_path, SMALL + '[operation]\nrates = "2"\n').cluster()
    assert often.failures[0].hours_between == 50
    assert hours_between_stops(often, 32) == pytest.approx(50 / 32)


def test_without_an_interval_it_is_dalys(tmp_path: Path) -> None:
    cluster = read(tmp_path, SMALL).cluster()
    every = timed(cluster, cluster.work[0]).every_h
    assert every == pytest.approx((2 * (30 / 3600) * 100 / 32) ** 0.5, rel=0.05)


@pytest.mark.parametrize("name", ["cluster.toml", "queue.toml"])
def test_examples_say_where_their_numbers_are_from(name: str) -> None:
    file = cluster_file.load(EXAMPLES / name)
    for number in file.numbers.values():
        assert number.confidence
        assert number.source or number.confidence == "assumption", number.key
    kinds = {failure.effect for failure in file.cluster().failures}
    assert "stop" in kinds and "heat" in kinds


def test_the_example_keeps_what_sources_disagree_about() -> None:
    rates = cluster_file.load(EXAMPLES / "cluster.toml").numbers["operation.rates"]
    assert rates.disputed and rates.low < 1 < rates.high


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made-up run."""
    found = importlib.util.spec_from_file_location("synthetic_for_clusters", SYNTHETIC)
    assert found is not None and found.loader is not None
    synthetic = importlib.util.module_from_spec(found)
    found.loader.exec_module(synthetic)
    folder = tmp_path_factory.mktemp("runs")
    directory.write(folder / "gpt", synthetic.gpt2(layers=2))
    return folder


def test_step_and_what_it_goes_with_are_taken_from_a_priced_run(runs: Path) -> None:
    asked = '{ run = "gpt", chip = "910c" }'
    more = f'steps = "3,600"\nstep = {asked}\nclock_share = {asked}\nchips_share = {asked}'
    path = runs / "cluster.toml"
    path.write_text(SMALL.replace('hours = "2 days"', more), encoding="utf-8")
    file = cluster_loading.load(path)
    row = comparing.side_by_side(directory.read(runs / "gpt"), [chips.find("910c")], Options(), None)["rows"][
        0
    ]
    step = file.numbers["work.job.step"]
    assert step.value == row["step_s"] and step.low == row["low_s"] and step.high == row["high_s"]
    assert step.source == "run gpt, priced by jumar" and step.confidence == "derived"
    work = file.cluster().work[0]
    assert work.hours == pytest.approx(row["step_s"])
    matrix = (row["units"]["matrix"] + row["units"]["vector"]) / row["step_s"]
    assert work.clock_share == pytest.approx(matrix) and 0 < matrix < work.chips_share <= 1


def test_tokens_and_speed_of_a_run(runs: Path) -> None:
    path = runs / "speed.toml"
    more = 'tokens = "1 billion token"\nspeed = { run = "gpt", chip = "910c" }'
    path.write_text(SMALL.replace('hours = "2 days"', more), encoding="utf-8")
    file = cluster_loading.load(path)
    speed = file.numbers["work.job.speed"]
    assert speed.unit == "token/s/chip"
    assert file.cluster().work[0].hours == pytest.approx(1e9 / speed.value / 32 / 3600)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('least_chips = { run = "gpt", chip = "910c" }', "work.job.least_chips: a run tells step, speed"),
        ('clock_share = { run = "gpt" }', "work.job.clock_share: on which chip?"),
        ('clock_share = { run = 3, chip = "910c" }', "in quotes"),
        ('clock_share = { run = "gpt", chip = "910c", times = 2 }', "does not know times beside run"),
        ('clock_share = { run = "gpt", chip = "911" }', "unknown chip"),
    ],
)
def test_a_run_that_cannot_tell_is_refused(runs: Path, line: str, said: str) -> None:
    path = runs / "refused.toml"
    path.write_text(f"{SMALL}{line}\n", encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        cluster_loading.load(path)
    assert said in str(refused.value)


def test_numbers_that_share_their_luck_are_high_together(tmp_path: Path) -> None:
    path = tmp_path / "like.toml"
    ranged = 'repair = { value = 90, low = 30, high = 900, unit = "min", like = "failures.chip.between" }'
    path.write_text(SMALL.replace('repair = "90 min"', ranged), encoding="utf-8")
    chip_fails = [cluster_file.load(path).drawn(seed).failures[0] for seed in range(40)]
    between, repair = np.array([(one.hours_between, one.repair.mean_h) for one in chip_fails]).T
    assert np.array_equal(np.argsort(between), np.argsort(repair))
    path.write_text(SMALL.replace('repair = "90 min"', ranged.replace("between", "betwen")), encoding="utf-8")
    with pytest.raises(BadFile, match="like"):
        cluster_file.load(path)
