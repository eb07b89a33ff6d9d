"""Pricing a stored run: 1,000,000 operators on one chip, and a step of 10,000 operators on ten chips. The peer, a plain
roofline (every operator at the peak of matrix unit or memory, one after another), is timed in the same process in turns.

    python benchmarks/pricing.py [--rounds 5] [--events 1000000] [--kinds 2000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import interleaved, medians, tell

from jumar import chips
from jumar.physics import Kind, Vector, Work, accelerator_of, matmul, table_of
from jumar.physics.accelerator import Accelerator
from jumar.physics.work import DTYPES
from jumar.runs import directory
from jumar.runs.format import OperatorKind, Run, Type, events_of
from jumar.runs.pricing import prepare, price_run

TEN = ("910a", "910b2", "910c", "950pr", "a100", "h100", "h20", "h200", "mi300x", "v5p")


def made_up(count: int, kinds: int, steps: int, seed: int = 0) -> Run:
    """A run of random operators on three streams, with an event wait in thirty calls and memory coming and going."""
    random = np.random.default_rng(seed)
    works: list[Work] = []
    for number in range(kinds):
        if number % 3 == 0:
            m, n, k = (int(size) for size in random.integers(1, 8192, 3))
            works.append(matmul(m, n, k, "bf16"))
        else:
            elements = float(random.integers(1, 1 << 26))
            vectors = (Vector("fp32", 4 * elements, elements),)
            works.append(Work(Kind.ELEMENTWISE, (), vectors, 4 * elements, 2 * elements))
    sorts = [Type.OPERATOR] * 26 + [Type.EVENT_RECORD, Type.EVENT_WAIT, Type.ALLOCATE, Type.FREE]
    type_ = random.choice([int(one) for one in sorts], count)
    type_[np.linspace(count // steps - 1, count - 1, steps).astype(int)] = Type.STEP
    operators = type_ == Type.OPERATOR
    columns = {
        "type": type_,
        "kind": np.where(operators, random.integers(0, kinds, count), -1),
        "stream": random.integers(0, 3, count),
        "event": np.where(type_ == Type.STEP, 0, random.integers(0, 16, count)),
        "bytes": np.where(operators, 0, 1 << 20),
        "address": random.integers(0, 1 << 40, count),
        "host_ns": np.arange(count) * 10_000,
        "step": np.cumsum(type_ == Type.STEP),
    }
    named = [OperatorKind(f"operator {n}", [], work, "rule") for n, work in enumerate(works)]
    return Run({"id": "made up"}, named, events_of(columns, count), {})


def roofline(run: Run, machine: Accelerator) -> float:
    """The peer: each operator at the peak of the matrix unit or of the memory, one after another."""
    table = table_of(kind.work for kind in run.kinds if kind.work)
    rates = np.array([machine.matrix_rate(name) for name in DTYPES])
    batch, m, n, k, times = table.product.T
    matrix = np.bincount(
        table.product_row, 2 * batch * m * n * k * times / rates[table.product_dtype], len(table.kind)
    )
    memory = (table.read_b + table.written_b) / machine.memory_b_s
    seconds = np.maximum(matrix, memory)[table.index]
    return float(seconds[run.events.kind[run.events.type == Type.OPERATOR]].sum())


def clocked(side: Callable[[], Any], used: list[float]) -> Callable[[], None]:
    """The same, noting its processor time: what it takes where nobody else works."""

    def run() -> None:
        began = time.process_time()
        side()
        used.append(time.process_time() - began)

    return run


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--events", type=int, default=1_160_000, help="of which 26 of 30 are operators")
    asked.add_argument("--kinds", type=int, default=2000)
    chosen = asked.parse_args()
    ten = [chips.find(name) for name in TEN]
    machines = [accelerator_of(chip) for chip in ten]
    large = made_up(chosen.events, chosen.kinds, steps=10)
    operators = int((large.events.type == Type.OPERATOR).sum())
    step = made_up(11_600, chosen.kinds, steps=1)
    with tempfile.TemporaryDirectory() as name:
        directory.write(Path(name), step)

        def again() -> None:
            ready = prepare(directory.read(Path(name)))
            for chip in ten:
                price_run(ready, chip)

        sides = {
            "million": lambda: price_run(large, ten[1]),
            "million_roofline": lambda: roofline(large, machines[1]),
            "ten_chips": again,
            "ten_chips_roofline": lambda: [roofline(step, machine) for machine in machines],
        }
        used: dict[str, list[float]] = {name: [] for name in sides}
        timed = {name: clocked(side, used[name]) for name, side in sides.items()}
        seconds = medians(interleaved(timed, chosen.rounds))
        seconds |= {f"{name}_cpu": statistics.median(values) for name, values in used.items()}
    facts = {"operators": operators, "kinds": chosen.kinds, "rounds": chosen.rounds, **seconds}
    tell(
        "pricing",
        facts,
        f"{operators:,} operators in {seconds['million']:.2f} s ({seconds['million_cpu']:.2f} s of one core; plain roofline "
        f"without a timeline {seconds['million_roofline']:.3f} s); a stored step of 10,000 read and priced on ten chips in "
        f"{seconds['ten_chips']:.2f} s ({seconds['ten_chips_cpu']:.2f} s of one core; roofline "
        f"{seconds['ten_chips_roofline']:.3f} s)",
    )


if __name__ == "__main__":
    main()
