"""The work of LSTM and GRU: for each layer and direction one product over all times for the input, and one after another
for the state. Weights that fit into the cache are read from memory once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.traffic import cube_dtype, total_b
from jumar.physics.work import Kind, Product, Vector, Work

# Of each hidden value and time: pointwise operations and transcendentals of all gates, forward and backward.
LSTM_COST, GRU_COST, BACKWARD_COST = (10.0, 5.0), (10.0, 3.0), (25.0, 1.0)


@dataclass(frozen=True)
class Layer:
    """One layer in one direction: times, sequences, features that come in, hidden values, columns of all gates."""

    times: float
    batch: float
    features: int
    hidden: int
    gates: int
    dtype: str

    def forward(self) -> tuple[Product, ...]:
        rows = self.times * self.batch
        return (
            Product(1, rows, self.gates, self.features, self.dtype),
            Product(1, self.batch, self.gates, self.hidden, self.dtype, self.times),
        )

    def backward(self) -> tuple[Product, ...]:
        rows = self.times * self.batch
        return (
            Product(1, rows, self.features, self.gates, self.dtype),
            Product(1, self.batch, self.hidden, self.gates, self.dtype, self.times),
            Product(1, self.gates, self.features, rows, self.dtype),
            Product(1, self.gates, self.hidden, rows, self.dtype),
        )

    def vector(self, cost: tuple[float, float]) -> Vector:
        values = self.times * self.batch * self.hidden
        return Vector("fp32", cost[0] * values, cost[1] * values)


def _layers(
    self: Operand, params: list[Operand], batch_sizes: Operand | None, biased: bool, batch_first: bool
) -> list[Layer]:
    rows = self.elements / max(1, self.sizes[-1])
    if batch_sizes is not None and batch_sizes.elements:
        times: float = batch_sizes.elements
    else:
        times = self.sizes[1 if batch_first and len(self.sizes) == 3 else 0]
    batch = rows / max(1.0, times)
    weights = params[:: 4 if biased else 2]
    states = params[1 :: 4 if biased else 2]
    dtype = cube_dtype(self)
    return [
        Layer(times, batch, weight.sizes[1], state.sizes[1], weight.sizes[0], dtype)
        for weight, state in zip(weights, states, strict=True)
    ]


def stack_rule(cost: tuple[float, float]) -> Callable[..., Work]:
    """Forward through a whole stack: self, params, first states, sizes of the batch, …, results from place 10 on."""

    def work(*arguments: Any) -> Work:
        layers = _layers(arguments[0], arguments[1], arguments[3], arguments[4], arguments[9])
        products = tuple(product for layer in layers for product in layer.forward())
        vectors = tuple(layer.vector(cost) for layer in layers)
        read_b, written_b = total_b(*arguments[:10]), total_b(*arguments[10:])
        return Work(Kind.MATMUL, products, vectors, read_b, written_b, launches=2 * len(layers))

    return work


def stack_backward_rule(
    params: int, batch_sizes: int, biased: int, batch_first: int, outs: int
) -> Callable[..., Work]:
    """Back through a whole stack; the numbers are places of arguments."""

    def work(*arguments: Any) -> Work:
        given = (arguments[place] for place in (params, batch_sizes, biased, batch_first))
        layers = _layers(arguments[0], *given)
        products = tuple(product for layer in layers for product in layer.backward())
        vectors = tuple(layer.vector(BACKWARD_COST) for layer in layers)
        read_b, written_b = total_b(*arguments[:-outs]), total_b(*arguments[-outs:])
        return Work(Kind.MATMUL, products, vectors, read_b, written_b, launches=4 * len(layers))

    return work


def legacy_rule(
    weight: int, hidden: int, cost: tuple[float, float], backward: bool = False
) -> Callable[..., Work]:
    """One layer on the legacy path. `weight`, `hidden`: places of a weight (inputs, gates) and of the first state."""

    def work(inputs: list[Any], outputs: list[Any], attributes: dict[str, Any]) -> Work:
        self, size = inputs[0], inputs[hidden].sizes[-1]
        times, batch, features = self.sizes if len(self.sizes) == 3 else (1, *self.sizes)
        layer = Layer(times, batch, features, size, inputs[weight].sizes[-1], cube_dtype(self))
        products = layer.backward() if backward else layer.forward()
        vectors = (layer.vector(cost),)
        return Work(Kind.MATMUL, products, vectors, total_b(inputs), total_b(outputs), launches=2)

    return work
