"""The work of a mixture of experts besides its products: choosing, sorting tokens by expert, bringing them back."""

from __future__ import annotations

from math import log2
from typing import Any

from jumar.ops.registry import Rule
from jumar.ops.rules import NOTHING, moved, split
from jumar.ops.traffic import size_b, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

# Of each score: its share of a softmax, and being compared while the best are found.
GATING_OPERATIONS = 20.0


def gating(outs: int) -> Rule:
    """Scores of all experts for each token, and the best of them."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        count = float(inputs[0].elements)
        return moved(Kind.MOE_ROUTING, inputs, results, GATING_OPERATIONS * count, count)

    return work


def permuting(outs: int) -> Rule:
    """Tokens, the first operand, are copied to where their experts want them, the first result; entries, the second
    operand, are sorted for that."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        if not results or not results[0].elements:
            return NOTHING
        tokens, entries = inputs[0], inputs[1]
        read_b = float(results[0].elements * size_b(tokens)) + total_b(inputs[1:])
        vectors = (Vector("fp32", 4.0 * entries.elements * log2(max(2, entries.elements))),)
        return Work(Kind.MOE_ROUTING, (), vectors, read_b, total_b(results), Pattern.GATHER)

    return work


def combining() -> Rule:
    """What the experts made of a token is fetched, weighed and added up; the result is the last argument."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, 1)
        largest = max((operand.elements for operand in inputs), default=0)
        return moved(Kind.MOE_ROUTING, inputs, results, 2.0 * largest, pattern=Pattern.GATHER)

    return work
