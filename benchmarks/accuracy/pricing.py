"""Prices all cases of one chip at once, so that fitting can do it thousands of times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from operator_rows import OperatorCase
from step_rows import StepCase

from jumar.physics.accelerator import Accelerator
from jumar.physics.link import collective_seconds
from jumar.physics.operator import Prices, price_table
from jumar.physics.parameters import Parameters
from jumar.physics.serving import serving_plan
from jumar.physics.step import Plan, PlanTable, StepPrice, combine, tabulate
from jumar.physics.training import training_plan
from jumar.physics.transformer import Training
from jumar.physics.work import Work, table_of

Floats = NDArray[np.float64]


def plan_of(case: StepCase, machine: Accelerator) -> Plan:
    """The case's job as a plan."""
    return (
        training_plan(case.job, machine)
        if isinstance(case.job, Training)
        else serving_plan(case.job, machine)
    )


class Bench:
    """Cases of one chip, tabulated once."""

    def __init__(
        self, machine: Accelerator, operators: Sequence[OperatorCase], steps: Sequence[StepCase]
    ) -> None:
        self.machine, self.operators, self.steps = machine, tuple(operators), tuple(steps)
        self.plans = [tabulate(plan_of(case, machine)) for case in steps]
        column: dict[Work, int] = {}
        for case in operators:
            for work in case.works:
                column.setdefault(work, len(column))
        for plan in self.plans:
            for segment in plan.plan.segments:
                for work, _ in segment.works:
                    column.setdefault(work, len(column))
        self.table = table_of(tuple(column)) if column else None
        self.operator_columns = [[column[work] for work in case.works] for case in operators]
        self.step_columns = [_columns(plan, column) for plan in self.plans]

    def prices(self, parameters: Parameters) -> Prices | None:
        """All distinct works."""
        return None if self.table is None else price_table(self.table, self.machine, parameters)

    def predict(self, parameters: Parameters) -> tuple[Floats, Floats]:
        """Values of the operator cases (seconds, or TFLOP/s where the row has that) and seconds of the steps."""
        prices = self.prices(parameters)
        seconds = np.zeros(0) if prices is None else prices.seconds
        singles = [
            self._operator(case, seconds, columns, parameters)
            for case, columns in zip(self.operators, self.operator_columns, strict=True)
        ]
        steps = [price.seconds for price in self._steps(seconds, parameters)]
        return np.array(singles), np.array(steps)

    def step_prices(self, parameters: Parameters) -> list[StepPrice]:
        """Full prices of the step cases."""
        prices = self.prices(parameters)
        return [] if prices is None else self._steps(prices.seconds, parameters)

    def _steps(self, seconds: Floats, parameters: Parameters) -> list[StepPrice]:
        return [
            combine(plan, plan.counts @ seconds[columns], self.machine, parameters)
            for plan, columns in zip(self.plans, self.step_columns, strict=True)
        ]

    def _operator(
        self, case: OperatorCase, seconds: Floats, columns: list[int], parameters: Parameters
    ) -> float:
        if case.collective is not None:
            return collective_seconds(case.collective, self.machine, parameters)
        if len(case.works) > 1:
            rates = [work.operations / seconds[i] for work, i in zip(case.works, columns, strict=True)]
            return float(max(rates) / 1e12)
        return float(seconds[columns[0]])


def _columns(plan: PlanTable, column: dict[Work, int]) -> NDArray[np.int64]:
    seen: dict[Work, int] = {}
    for segment in plan.plan.segments:
        for work, _ in segment.works:
            seen.setdefault(work, len(seen))
    return np.array([column[work] for work in seen], dtype=np.int64)
