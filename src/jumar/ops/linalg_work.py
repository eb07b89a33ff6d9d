"""The work of decompositions: a power of the size that grows with its cube, done by the vector units panel by panel."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.rules import moved, split
from jumar.physics.work import Kind, Work

# Operations for a matrix of m rows and n columns (Golub and Van Loan, Matrix Computations, 4th edition: §4.2.5, §5.2.2,
# §3.2.9, §8.6.4).
Count = Callable[[float, float], float]


def cholesky(m: float, n: float) -> float:
    return n**3 / 3


def qr(m: float, n: float) -> float:
    """The factors and the orthogonal matrix written out."""
    k = min(m, n)
    return 4.0 * max(m, n) * k * k


def lu(m: float, n: float) -> float:
    return 2.0 * n**3 / 3


def inverse(m: float, n: float) -> float:
    return 2.0 * n**3


def svd(m: float, n: float) -> float:
    k = min(m, n)
    return 4.0 * max(m, n) ** 2 * k + 22.0 * k**3


def decomposing(count: Count, outs: int) -> Callable[..., Work]:
    """A matrix, or a stack of them, taken apart."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        *batch, m, n = inputs[0].sizes
        return moved(Kind.REDUCTION, inputs, results, prod(batch) * count(float(m), float(n)))

    return work


def triangular_work(self: Operand, coefficients: Operand, *rest: Any) -> Work:
    """Substitution for every column on the right."""
    n = float(coefficients.sizes[-1])
    return moved(Kind.REDUCTION, [self, coefficients], list(rest[-2:]), n * self.elements)


def distances_work(one: Operand, two: Operand, order: float, mode: int, out: Operand) -> Work:
    """Every row of one with every row of the other."""
    width, pairs = one.sizes[-1], out.elements
    roots = pairs if order in (1.0, 2.0) else pairs * (width + 1.0)
    return moved(Kind.REDUCTION, [one, two], [out], 3.0 * pairs * width, roots)


def distances_backward_work(
    grad: Operand, one: Operand, two: Operand, distances: Operand, order: float, grad_one: Operand
) -> Work:
    """The same once more, with a quotient for each pair."""
    width, pairs = one.sizes[-1], grad.elements
    return moved(
        Kind.REDUCTION, [grad, one, two, distances], [grad_one], 6.0 * pairs * width, pairs * (width + 1.0)
    )


def pairs_work(self: Operand, order: float, out: Operand) -> Work:
    """Every row with every later one."""
    return moved(Kind.REDUCTION, [self], [out], 3.0 * out.elements * self.sizes[-1], out.elements)
