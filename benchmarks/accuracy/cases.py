"""All rows of measured.tsv as cases that can be priced, split into those to fit and those to test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from operator_rows import OperatorCase, operator_case
from rows import Row, Unusable, fit_workloads, read_rows
from step_rows import StepCase, step_case

from jumar import chips
from jumar.physics.accelerator import Accelerator, accelerator_of


@dataclass(frozen=True)
class Cases:
    """`left_out` pairs each unusable row with its reason. Together they are all rows."""

    operators: tuple[OperatorCase, ...]
    steps: tuple[StepCase, ...]
    left_out: tuple[tuple[Row, str], ...]
    fit: Mapping[str, frozenset[str]]

    def is_fit(self, case: StepCase) -> bool:
        """May parameters be fitted to this whole-step row?"""
        return case.workload in self.fit[case.group]


@cache
def machine_of(profile: str) -> Accelerator:
    """The chip of that profile."""
    return accelerator_of(chips.find(profile))


@cache
def all_cases() -> Cases:
    """Every row, read once."""
    operators: list[OperatorCase] = []
    steps: list[StepCase] = []
    left_out: list[tuple[Row, str]] = []
    for row in read_rows():
        try:
            steps.append(step_case(row))
        except Unusable as reason:
            if "no reader" not in str(reason):
                left_out.append((row, str(reason)))
                continue
            try:
                operators.append(operator_case(row))
            except Unusable as other:
                left_out.append((row, str(other)))
    groups = {case.group for case in steps}
    fit = {group: fit_workloads(c.workload for c in steps if c.group == group) for group in groups}
    left_out += [(case.row, case.set_aside) for case in steps if case.set_aside]
    kept = tuple(case for case in steps if not case.set_aside)
    return Cases(tuple(operators), kept, tuple(left_out), fit)
