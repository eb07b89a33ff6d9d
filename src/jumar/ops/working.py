"""The work of a recorded operator: by its rule, derived from its meaning, or assumed from the sizes of its operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from jumar.abi.operand import Argument
from jumar.ops.derivation import derive
from jumar.ops.registry import notes, operators, rules
from jumar.ops.rules import split
from jumar.ops.traffic import total_b, vector_dtype, walk
from jumar.physics.work import Kind, Vector, Work

Source = Literal["rule", "derived", "assumed"]

# What a rule or a meaning may raise on arguments that it does not expect.
FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True)
class Estimate:
    """What an operator does, and how that is known.

    rule      somebody has written down what this operator does
    derived   its meaning was run on tensors without values and counted; bytes are those of its own inputs and outputs
    assumed   only sizes were looked at: every operand moved once, one operation for each element
    """

    work: Work
    source: Source
    note: str = ""


def work_of(name: str, arguments: Sequence[Argument]) -> Estimate:
    """The work of one call; never raises. Legacy types are "aclop:TYPE" with [inputs, outputs, attributes]."""
    note = ""
    if (rule := rules().get(name)) is not None:
        try:
            return Estimate(_sound(rule(*arguments)), "rule", notes().get(name, ""))
        except FAILURES as error:
            note = f"the rule failed: {_said(error)}"
    operator = operators().get(name)
    if operator is None:
        return Estimate(assumed(arguments), "assumed", note or "no rule and no arithmetic")
    try:
        return Estimate(_sound(derive(operator.run, arguments, name)), "derived", note)
    except FAILURES as error:
        note = "; ".join(filter(None, (note, f"cannot be derived: {_said(error)}")))
    return Estimate(assumed(arguments), "assumed", note)


def assumed(arguments: Sequence[Argument]) -> Work:
    """Every operand moved once, the last one written, one operation for each element of the largest."""
    inputs, results = split(tuple(arguments), 1)
    seen = [*inputs, *results]
    if not seen:
        return Work(Kind.COPY)
    count = float(max(operand.elements for operand in seen))
    vectors = (Vector(vector_dtype(seen), count),)
    return Work(Kind.ELEMENTWISE, (), vectors, total_b(inputs), total_b(results), walk(seen[-1]))


def _sound(work: Work) -> Work:
    """The work itself; ValueError if a number in it cannot be one of work."""
    numbers = [work.read_b, work.written_b, work.launches]
    numbers += [number for v in work.vectors for number in (v.operations, v.transcendentals)]
    numbers += [number for p in work.products for number in (p.batch, p.m, p.n, p.k, p.count)]
    if not all(0 <= number < inf for number in numbers):
        raise ValueError(f"{work} is not a work")
    return work


def _said(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"
