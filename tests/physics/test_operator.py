"""Time of operators: monotone in the work and in the chip, the same to the bit, quick, and honest about its range."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from jumar import chips
from jumar.physics import (
    Accelerator,
    Kind,
    Pattern,
    Product,
    Vector,
    Work,
    accelerator_of,
    matmul,
    parameters_for,
    price,
    price_all,
)

CHIPS = (
    "910B2",
    "910B4",
    "910C",
    "A100-SXM-80GB",
    "H100-SXM-80GB",
    "H20-SXM-96GB",
    "B200-SXM-180GB",
    "TPUv5p",
)
KINDS = (Kind.MATMUL, Kind.ATTENTION, Kind.ATTENTION_BACKWARD, Kind.ELEMENTWISE, Kind.GATHER, Kind.OPTIMIZER)
DTYPES = ("bf16", "fp16", "fp32", "fp8", "int8")


def machine(name: str) -> Accelerator:
    return accelerator_of(chips.find(name))


def any_work(random: np.random.Generator) -> Work:
    kind = KINDS[random.integers(len(KINDS))]
    products = ()
    if kind in KINDS[:3]:
        m, n, k = (int(v) for v in 2 ** random.uniform(0, 14, 3))
        products = (Product(int(random.integers(1, 65)), m, n, k, DTYPES[random.integers(len(DTYPES))]),)
    size = float(2 ** random.uniform(0, 30))
    vectors = (Vector("fp32", size, size / 4),)
    pattern = tuple(Pattern)[random.integers(3)]
    return Work(kind, products, vectors, size, size / 2, pattern, int(random.integers(1, 9)))


def more(work: Work, random: np.random.Generator) -> Work:
    """The same with one or several of its numbers larger."""

    def grown(value: float) -> float:
        return value + float(random.integers(0, 2) * 2 ** random.uniform(0, 12))

    products = tuple(
        replace(p, batch=int(grown(p.batch)), m=grown(p.m), n=grown(p.n), k=grown(p.k), count=grown(p.count))
        for p in work.products
    )
    vectors = tuple(Vector(v.dtype, grown(v.operations), grown(v.transcendentals)) for v in work.vectors)
    return replace(
        work,
        products=products,
        vectors=vectors,
        read_b=grown(work.read_b),
        written_b=grown(work.written_b),
        launches=work.launches + int(random.integers(0, 2)),
    )


@pytest.mark.parametrize("name", CHIPS)
def test_more_work_never_takes_less_time(name: str) -> None:
    random = np.random.default_rng(4)
    less = [any_work(random) for _ in range(1500)]
    grown = [more(work, random) for work in less]
    before, after = price_all(less, machine(name)).seconds, price_all(grown, machine(name)).seconds
    wrong = np.flatnonzero(after < before * (1 - 1e-12))
    assert not len(wrong), f"{less[wrong[0]]} takes longer than {grown[wrong[0]]}"


def test_a_chip_that_is_better_in_everything_is_never_slower() -> None:
    random = np.random.default_rng(5)
    works = [any_work(random) for _ in range(800)]
    for name in CHIPS:
        base = machine(name)
        for _ in range(6):
            g = 1.0 + random.uniform(0, 2, 8) * random.integers(0, 2, 8)
            cores = int(base.cores * g[0])
            wider = cores / base.cores  # each core keeps at least its rate and its share of L2
            better = replace(
                base,
                cores=cores,
                matrix_flop_s={k: v * wider * g[1] for k, v in base.matrix_flop_s.items()},
                vector_flop_s=base.vector_flop_s * wider * g[1],
                memory_b_s=base.memory_b_s * g[3],
                l2_b=base.l2_b * g[4],
                l2_b_s=base.l2_b_s * wider * g[5],
                launch_s=base.launch_s / g[6],
                launch_matrix_s=base.launch_matrix_s / g[7],
            )
            parameters = parameters_for(base.name, base.generation)
            old, new = price_all(works, base, parameters), price_all(works, better, parameters)
            assert (new.seconds <= old.seconds * (1 + 1e-12)).all(), name


def test_the_same_inputs_give_the_same_answer_to_the_bit() -> None:
    works = [any_work(np.random.default_rng(seed)) for seed in range(200)]
    first, second = price_all(works, machine("910B2")), price_all(works[::-1], machine("910B2"))
    assert (first.seconds == second.seconds[::-1]).all()
    alone = [price(work, machine("910B2")).seconds for work in works[:20]]
    assert alone == list(first.seconds[:20])


@pytest.mark.parametrize(
    ("work", "limit"),
    [
        (matmul(8192, 8192, 8192, "bf16"), "matrix"),
        (matmul(1, 8192, 8192, "bf16"), "memory"),
        (Work(Kind.ELEMENTWISE, (), (Vector("fp32", 1e12),), 1e6, 1e6), "vector"),
        (Work(Kind.COPY, (), (), 4.0, 4.0), "launch"),
    ],
)
@pytest.mark.parametrize("name", ["910B2", "H100-SXM-80GB"])
def test_the_limit_is_named(name: str, work: Work, limit: str) -> None:
    assert price(work, machine(name)).limit == limit


def test_every_price_lies_in_its_range_and_above_its_peak() -> None:
    work = matmul(4096, 4096, 4096, "bf16")
    for name in CHIPS:
        found = price(work, machine(name))
        assert found.low < found.seconds < found.high
        assert work.operations / found.seconds < machine(name).matrix_rate("bf16")


@pytest.mark.parametrize("chip", chips.all_chips(), ids=lambda chip: str(chip.name))
def test_every_chip_that_ships_can_be_priced(chip: chips.Chip) -> None:
    found = price_all(
        [matmul(1024, 1024, 1024, "bf16"), Work(Kind.COPY, (), (), 1e6, 1e6)], accelerator_of(chip)
    )
    assert (found.seconds > 0).all() and np.isfinite(found.seconds).all()


def test_a_chip_nobody_has_measured_gets_a_wider_range() -> None:
    known, unknown = parameters_for("Ascend910B2", "A2"), parameters_for("mine", "A2")
    other = parameters_for("mine", "of its own kind")
    assert unknown.family == known.family == "davinci" and other.family == "default"
    assert unknown.spread["operator"] > known.spread["operator"]
    assert unknown.spread["training"] > known.spread["training"]


def test_a_million_operators_are_quick() -> None:
    random = np.random.default_rng(1)
    distinct = [any_work(random) for _ in range(10_000)]
    works = [distinct[i] for i in random.integers(0, len(distinct), 1_000_000)]
    start = time.process_time()
    prices = price_all(works, machine("910B2"))
    assert len(prices.seconds) == 1_000_000
    assert time.process_time() - start < 2.0


def test_no_operators_take_no_time() -> None:
    assert price_all([], machine("910B2")).seconds.sum() == 0.0


def test_a_chip_file_without_what_pricing_needs_is_named() -> None:
    chip = chips.find("910B2")
    lacking = replace(chip, quantities={k: v for k, v in chip.quantities.items() if k != "memory.bandwidth"})
    with pytest.raises(KeyError, match=r"Ascend910B2\.toml: memory\.bandwidth: pricing needs it"):
        accelerator_of(lacking)
