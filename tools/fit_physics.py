"""Fits src/jumar/physics/parameters.toml to the measured rows: `python tools/fit_physics.py`. Needs scipy.

Least squares on the logarithm of predicted over measured time, over all operator rows and the whole-step rows that the
split in benchmarks/accuracy/rows.py leaves for fitting. Each parameter is held near a prior, so that what the rows do
not determine stays at a plausible value. Nothing is random.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import t as student

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks" / "accuracy")]

from cases import Cases, all_cases, machine_of  # noqa: E402
from pricing import Bench  # noqa: E402
from rows import CHIPS  # noqa: E402
from step_rows import StepCase  # noqa: E402

from jumar.physics.footprint import training_footprint  # noqa: E402
from jumar.physics.parameters import BOUNDS, SPREADS, VALUES, Parameters  # noqa: E402
from jumar.physics.transformer import Training  # noqa: E402

Floats = NDArray[np.float64]
TARGET = ROOT / "src" / "jumar" / "physics" / "parameters.toml"
# Prior: value, and standard deviation of its logarithm (0 keeps it as it is).
PRIORS: dict[str, tuple[float, float]] = {
    "matrix_efficiency": (0.85, 0.15),
    "matrix_efficiency_8bit": (0.8, 0.2),
    "plain_efficiency": (0.85, 0.15),
    "feed_efficiency": (1.5, 0.5),
    "fill_depth": (100.0, 1.0),
    "attention_efficiency": (0.7, 0.3),
    "attention_backward_efficiency": (0.55, 0.3),
    "portable_attention_factor": (0.7, 0.3),
    "vector_efficiency": (0.6, 0.4),
    "transcendental_operations": (8.0, 0.5),
    "memory_efficiency": (0.8, 0.15),
    "strided_factor": (0.5, 0.0),
    "gather_factor": (0.6, 0.0),
    "launch_factor": (1.0, 0.5),
    "attention_launch_s": (10e-6, 1.0),
    "sharpness": (4.0, 0.3),
    "link_efficiency": (0.75, 0.3),
    "link_latency_factor": (2.0, 1.0),
    "network_efficiency": (0.75, 0.3),
    "overlap_tensor": (0.4, 0.3),
    "overlap_gradient": (0.8, 0.3),
    "overlap_shard": (0.8, 0.3),
    "host_kernel_s": (30e-6, 0.7),
    "host_pass_s": (5e-3, 1.0),
    "host_sharpness": (3.0, 0.3),
    "step_overhead_s": (0.02, 0.7),
}
LINEAR = frozenset(name for name in PRIORS if name.startswith("overlap_"))
# Family -> generations and chips that belong to it, and those whose rows it is fitted to.
FAMILIES = {
    "davinci": ("A2", "A3", "A1", "310P"),
    "ampere": ("Ampere",),
    "hopper": ("Hopper",),
}
# Standard deviation that a row is taken to have: an operator, a whole step.
OPERATOR_SIGMA, STEP_SIGMA = 0.15, 0.06
# Machines of one kind differ by this much among themselves; no range is narrower.
LEAST_SPREAD = 0.06
# Assumed where no row says anything: half-widths as logarithm of a factor.
ASSUMED_SPREAD = {"operator": 0.5, "collective": 0.6, "training": 0.4, "inference": 0.5, "memory": 0.15}


@dataclass
class Family:
    """The rows of a family, by chip."""

    name: str
    benches: list[Bench] = field(default_factory=list)


def gather(name: str, cases: Cases, without: str = "") -> Family:
    """Benches of a family: all operator rows, and the whole-step rows to fit but those of one workload."""
    family = Family(name)
    profiles = sorted({profile for profile, _ in CHIPS.values()})
    for profile in profiles:
        machine = machine_of(profile)
        if machine.generation not in FAMILIES[name]:
            continue
        operators = [c for c in cases.operators if c.row.profile == profile]
        steps = [
            c
            for c in cases.steps
            if c.row.profile == profile and c.seconds and cases.is_fit(c) and c.workload != without
        ]
        if operators or steps:
            family.benches.append(Bench(machine, operators, steps))
    return family


def parameters(name: str, vector: Floats, names: list[str]) -> Parameters:
    """Parameters from a vector of logarithms (or plain numbers)."""
    values = {key: prior for key, (prior, _) in PRIORS.items()}
    for key, entry in zip(names, vector, strict=True):
        values[key] = float(entry if key in LINEAR else np.exp(entry))
    return Parameters(family=name, spread=MappingProxyType(dict.fromkeys(SPREADS, 0.0)), **values)


def residuals(family: Family, chosen: Parameters) -> tuple[Floats, list[str], Floats, list[StepCase]]:
    """Logarithms of predicted over measured: operators with their kind, steps with their case."""
    singles, kinds, wholes, steps = [], [], [], []
    for bench in family.benches:
        operator_values, step_values = bench.predict(chosen)
        for case, value in zip(bench.operators, operator_values, strict=True):
            singles.append(np.log(value / case.seconds))
            kinds.append("collective" if case.collective else "operator")
        for step, value in zip(bench.steps, step_values, strict=True):
            wholes.append(np.log(value / step.seconds))
            steps.append(step)
    return np.array(singles), kinds, np.array(wholes), steps


def fit(family: Family) -> tuple[Parameters, dict[str, float]]:
    """The parameters nearest to the rows and to their priors, and how sure each is (of the logarithm, or plain)."""
    names = [key for key, (_, sigma) in PRIORS.items() if sigma]
    centre = np.array([PRIORS[k][0] if k in LINEAR else np.log(PRIORS[k][0]) for k in names])
    sigma = np.array([PRIORS[k][1] for k in names])
    bounds = [
        (BOUNDS[k] if k in LINEAR else (np.log(max(BOUNDS[k][0], 1e-9)), np.log(BOUNDS[k][1]))) for k in names
    ]
    low, high = np.array(bounds).T

    def cost(vector: Floats) -> Floats:
        singles, _, wholes, _ = residuals(family, parameters(family.name, vector, names))
        return np.concatenate(
            [robust(singles / OPERATOR_SIGMA), robust(wholes / STEP_SIGMA), (vector - centre) / sigma]
        )

    start = np.clip(centre, low + 1e-6, high - 1e-6)
    found = least_squares(cost, start, bounds=(low, high), diff_step=1e-3, max_nfev=60)
    chosen = parameters(family.name, found.x, names)
    sure = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    rounded = replace(chosen, **{key: float(f"{getattr(chosen, key):.4g}") for key in VALUES})
    return rounded, dict(zip(names, sure.tolist(), strict=True))


def robust(values: Floats) -> Floats:
    """Large residuals count less: square root of the soft L1 loss, with the sign."""
    return np.sign(values) * np.sqrt(2.0 * (np.sqrt(1.0 + values**2) - 1.0))


def half_width(logs: Floats, groups: int) -> float:
    """Half of a 90 % range, from residuals of as many independent groups."""
    if not len(logs):
        return 0.0
    scale = float(np.sqrt(np.mean(logs**2)))
    return max(LEAST_SPREAD, float(student.ppf(0.95, max(2, groups - 1))) * scale)


def spreads(family: Family, chosen: Parameters, cases: Cases) -> dict[str, tuple[float, str]]:
    """Use -> half-width and its note. Whole steps: each fit workload is predicted by a fit without it."""
    singles, kinds, _, steps = residuals(family, chosen)
    found = {}
    for use in ("operator", "collective"):
        logs = np.array([r for r, kind in zip(singles, kinds, strict=True) if kind == use])
        found[use] = (
            half_width(logs, len(logs)),
            f"{len(logs)} rows, rms of the logarithms {_rms(logs):.3f}",
        )
    left: dict[str, list[float]] = {"training": [], "inference": []}
    workloads = sorted({case.workload for case in steps})
    for workload in workloads:
        without, _ = fit(gather(family.name, cases, workload))
        _, _, wholes, held = residuals(family, without)
        for value, case in zip(wholes, held, strict=True):
            if case.workload == workload:
                left["training" if type(case.job).__name__ == "Training" else "inference"].append(
                    float(value)
                )
    for use, entries in left.items():
        logs = np.array(entries)
        note = f"{len(logs)} rows, each predicted without its workload, rms {_rms(logs):.3f}"
        found[use] = (half_width(logs, len(workloads)), note)
    sizes = [c for c in cases.steps if c.megabytes and cases.is_fit(c)]
    if sizes and family.name == "davinci":
        logs = np.array([_memory_log(case) for case in sizes])
        found["memory"] = (
            half_width(logs, len(logs)),
            f"{len(logs)} rows, rms of the logarithms {_rms(logs):.3f}",
        )
    return found


def _memory_log(case: StepCase) -> float:
    assert isinstance(case.job, Training)
    return float(np.log(training_footprint(case.job, first_step=True).peak_b / 2**20 / case.megabytes))


def _rms(logs: Floats) -> float:
    return float(np.sqrt(np.mean(logs**2))) if len(logs) else 0.0


@dataclass(frozen=True)
class Fitted:
    """What is written about one family."""

    parameters: Parameters
    sure: dict[str, float]
    spreads: dict[str, tuple[float, str]]
    measured: tuple[str, ...]
    summary: str


def write(fitted: dict[str, Fitted]) -> str:
    """The file's text."""
    lines = [
        "# Generated by tools/fit_physics.py from benchmarks/accuracy/measured.tsv; do not edit.",
        "# A note gives prior and result as value ± standard deviation: of the logarithm, for overlap_… of the value.",
        "# Spreads are half-widths of a 90 % range, as the logarithm of a factor.",
        "",
    ]
    for name, entry in fitted.items():
        lines += [f"# {entry.summary}", f"[{name}]"]
        if name in FAMILIES:
            lines.append(f"members = [{_quoted(FAMILIES[name])}]")
            lines.append(f"measured = [{_quoted(entry.measured)}]")
        lines += [_value_line(key, entry) for key in VALUES]
        lines += ["", f"[{name}.spread]", *(_spread_line(use, entry) for use in SPREADS), ""]
    return "\n".join(lines)


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _value_line(key: str, entry: Fitted) -> str:
    prior, sigma = PRIORS[key]
    origin, note = "assumption", "no row tells it"
    if key in entry.sure:
        known = entry.sure[key] < 0.95 * sigma
        origin = "fitted" if known else "assumption"
        note = f"prior {prior:g} ± {sigma:g}, result ± {entry.sure[key]:.2g}" + (
            "" if known else ": the prior stands"
        )
    return f'{key} = {{ value = {getattr(entry.parameters, key)!r}, origin = "{origin}", note = "{note}" }}'


def _spread_line(use: str, entry: Fitted) -> str:
    value, note = entry.spreads.get(use, (0.0, ""))
    if value:
        return f'{use} = {{ value = {value:.4g}, origin = "fitted", note = "{note}" }}'
    return f'{use} = {{ value = {ASSUMED_SPREAD[use]}, origin = "assumption", note = "no row of this kind" }}'


def fit_family(name: str, cases: Cases) -> Fitted:
    """Everything about one family."""
    family = gather(name, cases)
    chosen, sure = fit(family)
    singles, _, wholes, _ = residuals(family, chosen)
    summary = (
        f"Fitted to {len(singles)} operator rows (rms of the logarithms {_rms(singles):.3f}) and {len(wholes)} "
        f"whole-step rows (rms {_rms(wholes):.3f})."
    )
    measured = tuple(bench.machine.name for bench in family.benches)
    return Fitted(chosen, sure, spreads(family, chosen, cases), measured, summary)


def middle(fitted: dict[str, Fitted]) -> Fitted:
    """For chips of no fitted family."""
    values = {}
    for key in VALUES:
        logs = [np.log(max(getattr(entry.parameters, key), 1e-9)) for entry in fitted.values()]
        values[key] = float(f"{np.exp(np.mean(logs)):.4g}")
    chosen = replace(next(iter(fitted.values())).parameters, family="default", **values)
    return Fitted(
        chosen, {}, {}, (), "Chips of no fitted family: geometric means of the families, wide ranges."
    )


def main() -> None:
    """Fits every family and writes the file."""
    cases = all_cases()
    fitted = {}
    for name in FAMILIES:
        fitted[name] = fit_family(name, cases)
        print(name, fitted[name].summary, flush=True)
    fitted["default"] = middle(fitted)
    TARGET.write_text(write(fitted), encoding="utf-8")


if __name__ == "__main__":
    main()
