"""How near predictions come to published measurements: `python benchmarks/accuracy/run.py`.

Writes docs/accuracy.md, benchmarks/accuracy/scatter.svg and benchmarks/accuracy/predictions.tsv, from measured.tsv and
the parameters that ship. Fits nothing; tools/fit_physics.py does that.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "src")]

from cases import Cases, all_cases, machine_of  # noqa: E402
from measures import constant_seconds, rate_of, roofline_seconds, statistics  # noqa: E402
from operator_rows import OperatorCase  # noqa: E402
from page import page  # noqa: E402
from plot import scatter  # noqa: E402
from pricing import Bench  # noqa: E402
from step_rows import StepCase  # noqa: E402

from jumar.physics.footprint import training_footprint  # noqa: E402
from jumar.physics.parameters import parameters_for  # noqa: E402
from jumar.physics.transformer import Training  # noqa: E402


@dataclass(frozen=True)
class Predicted:
    """A whole-step row and what is said about it, as tokens/s and chip; baselines beside it."""

    case: StepCase
    fit: bool
    measured: float
    predicted: float
    low: float
    high: float
    roofline: float
    constant: float
    limit: str

    @property
    def inside(self) -> bool:
        return self.low <= self.measured <= self.high

    @property
    def family(self) -> str:
        """Chips that the results are given for."""
        chip = self.case.row.profile
        mode = "training" if isinstance(self.case.job, Training) else "inference"
        if self.case.group == "910 CI":
            return "910 CI (bin not named), training"
        names = {"A100": "A100", "H100": "H100", "910B": "910B", "Asce": "910C"}
        return f"{names[chip[:4]]} {mode}"


@dataclass(frozen=True)
class Memory:
    """A row with peak memory, in MB."""

    case: StepCase
    fit: bool
    measured: float
    predicted: float


@dataclass(frozen=True)
class Single:
    """An operator row: seconds, or TFLOP/s where the row has that."""

    case: OperatorCase
    predicted: float
    inside: bool

    @property
    def rate(self) -> tuple[float, float]:
        """Predicted and measured, the greater the faster."""
        if len(self.case.works) > 1:
            return self.predicted, self.case.seconds
        return 1.0 / self.predicted, 1.0 / self.case.seconds


def predict_steps(cases: Cases) -> list[Predicted]:
    """Every whole-step row that has a time."""
    timed = [case for case in cases.steps if case.seconds]
    fit = [case for case in timed if cases.is_fit(case)]
    found = []
    for case in timed:
        machine = machine_of(case.row.profile)
        bench = Bench(machine, (), (case,))
        price = bench.step_prices(parameters_for(machine.name, machine.generation))[0]
        found.append(
            Predicted(
                case,
                cases.is_fit(case),
                rate_of(case, case.seconds),
                rate_of(case, price.seconds),
                rate_of(case, price.high),
                rate_of(case, price.low),
                rate_of(case, roofline_seconds(case)),
                rate_of(case, constant_seconds(case, fit)),
                price.limit,
            )
        )
    return found


def predict_operators(cases: Cases) -> list[Single]:
    """Every operator row."""
    found = []
    for case in cases.operators:
        machine = machine_of(case.row.profile)
        chosen = parameters_for(machine.name, machine.generation)
        value = float(Bench(machine, (case,), ()).predict(chosen)[0][0])
        spread = chosen.spread["collective" if case.collective else "operator"]
        found.append(Single(case, value, abs(math.log(value / case.seconds)) <= spread))
    return found


def predict_memory(cases: Cases) -> list[Memory]:
    """Every row with peak memory."""
    return [
        Memory(
            case,
            cases.is_fit(case),
            case.megabytes,
            training_footprint(case.job, first_step=True).peak_b / 2**20,
        )
        for case in cases.steps
        if case.megabytes and isinstance(case.job, Training)
    ]


def main() -> None:
    """Prices every row and writes the three files."""
    cases = all_cases()
    steps, singles, memory = predict_steps(cases), predict_operators(cases), predict_memory(cases)
    (ROOT / "docs" / "accuracy.md").write_text(page(cases, steps, singles, memory), encoding="utf-8")
    (HERE / "scatter.svg").write_text(scatter(steps), encoding="utf-8")
    lines = ["line\tfamily\tsplit\tworkload\tmeasured\tpredicted\tlow\thigh\troofline\tmedian MFU\tlimit"]
    for p in steps:
        numbers = (p.measured, p.predicted, p.low, p.high, p.roofline, p.constant)
        split = "fit" if p.fit else "unseen"
        values = "\t".join(f"{n:.5g}" for n in numbers)
        lines.append(f"{p.case.row.line}\t{p.family}\t{split}\t{p.case.row.workload}\t{values}\t{p.limit}")
    (HERE / "predictions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for split in (True, False):
        for family in sorted({p.family for p in steps}):
            rows = [p for p in steps if p.fit is split and p.family == family]
            if rows:
                s = statistics(
                    [p.predicted for p in rows], [p.measured for p in rows], [p.inside for p in rows]
                )
                print("fit   " if split else "unseen", f"{family:34}", s)


if __name__ == "__main__":
    main()
