"""The work of convolutions: each is a product of patches and filters, for every group.

With one channel a group there is nothing for a matrix unit to add up; the vendors' kernels do it in the vector units.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from jumar.abi.operand import Operand
from jumar.ops.rules import NOTHING
from jumar.ops.traffic import bytes_of, cube_dtype, total_b
from jumar.physics.work import Kind, Product, Vector, Work


@dataclass(frozen=True)
class Patches:
    """Places that the filter is put to in the whole batch; of each group inputs, outputs and places of the filter."""

    groups: int
    places: float
    inputs: float
    outputs: float
    window: float
    dtype: str

    @property
    def depthwise(self) -> bool:
        return self.groups > 1 and self.inputs == 1

    def operations(self) -> float:
        """Multiplications and additions of one pass."""
        return 2.0 * self.groups * self.places * self.inputs * self.outputs * self.window

    def vectors(self, passes: int = 1) -> tuple[Vector, ...]:
        return (Vector("fp32", passes * self.operations()),) if self.depthwise else ()

    def product(self, m: float, n: float, k: float) -> tuple[Product, ...]:
        return () if self.depthwise else (Product(self.groups, m, n, k, self.dtype),)

    def forward(self) -> tuple[Product, ...]:
        return self.product(self.places, self.outputs, self.inputs * self.window)

    def to_input(self) -> tuple[Product, ...]:
        return self.product(self.places, self.inputs * self.window, self.outputs)

    def to_weight(self) -> tuple[Product, ...]:
        return self.product(self.outputs, self.inputs * self.window, self.places)


def patches(
    self: Operand, weight: Operand, out: Operand, transposed: bool, groups: int, cube_math_type: int = 0
) -> Patches:
    """Of a convolution of `self` whose result is `out`; transposed, the filter is put to the places of the input."""
    where = self if transposed else out
    spatial = len(weight.sizes) - 2
    places = prod(where.sizes[-spatial:]) * where.elements / max(1, prod(where.sizes[-spatial - 1 :]))
    window = prod(weight.sizes[2:])
    first, second = weight.sizes[0] / max(1, groups), weight.sizes[1]
    inputs, outputs = (first, second) if transposed else (second, first)
    return Patches(groups, places, inputs, outputs, window, cube_dtype(self, cube_math_type))


def convolution_work(
    self: Operand,
    weight: Operand,
    bias: Operand | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    out: Operand,
    cube_math_type: int = 0,
) -> Work:
    """Forward. The input is read once: patches overlap in the cache."""
    if not out.elements:
        return NOTHING
    seen = patches(self, weight, out, transposed, groups, cube_math_type)
    vectors = seen.vectors()
    if bias is not None:
        vectors = (*vectors, Vector("fp32", float(out.elements)))
    read_b = total_b(self, weight, bias)
    return Work(Kind.CONVOLUTION, seen.forward(), vectors, read_b, bytes_of(out))


def convolution_backward_work(
    grad: Operand,
    self: Operand,
    weight: Operand,
    bias_sizes: list[int] | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
    mask: list[bool],
    cube_math_type: int,
    grad_self: Operand | None,
    grad_weight: Operand | None,
    grad_bias: Operand | None,
) -> Work:
    """Up to three kernels: gradients of input, of weights, of bias. Each reads the gradient of the result."""
    wanted = [
        each is not None and flag
        for each, flag in zip((grad_self, grad_weight, grad_bias), mask, strict=True)
    ]
    if not any(wanted) or not grad.elements:
        return NOTHING
    seen = patches(self, weight, grad, transposed, groups, cube_math_type)
    products = (seen.to_input() if wanted[0] else ()) + (seen.to_weight() if wanted[1] else ())
    vectors = seen.vectors(wanted[0] + wanted[1])
    if wanted[2]:
        vectors = (*vectors, Vector("fp32", float(grad.elements)))
    read_b = sum(wanted) * bytes_of(grad)
    read_b += bytes_of(weight) * wanted[0] + bytes_of(self) * wanted[1]
    written = [out for out, flag in zip((grad_self, grad_weight, grad_bias), wanted, strict=True) if flag]
    return Work(Kind.CONVOLUTION, products, vectors, read_b, total_b(written), launches=sum(wanted))
