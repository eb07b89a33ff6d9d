"""Rules of work that many operators share. Each function here makes one from the few numbers in which they differ.

`outs`: how many of the arguments at the end are results; 0: the first argument is changed in place.
Operations are counted for each element, transcendental ones (exp, tanh, erf, square root, …) apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, log2, prod
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.costs import cost_of
from jumar.ops.registry import Rule
from jumar.ops.traffic import RUN_B, bytes_of, elements, operands, size_b, total_b, vector_dtype, walk
from jumar.physics.work import Kind, Pattern, Vector, Work

NOTHING = Work(Kind.COPY, launches=0)
# Of a random number: ten rounds of Philox for four numbers, and making a float of each.
RANDOM_OPERATIONS = 20.0
# A table row of at least this size is fetched as one piece.
ROW_B = 512
# Elements that a core sorts by itself before sorted pieces are merged in memory, and how many at a time.
SORTED_AT_ONCE, MERGED_AT_ONCE = 2048, 4


def split(arguments: tuple[Any, ...], outs: int) -> tuple[list[Operand], list[Operand]]:
    """Operands that are read and those that are written."""
    if outs:
        return list(operands(arguments[:-outs])), list(operands(arguments[-outs:]))
    return list(operands(arguments)), list(operands(arguments[:1]))


def moved(
    kind: Kind,
    inputs: list[Operand],
    results: list[Operand],
    operations: float = 0.0,
    transcendentals: float = 0.0,
    pattern: Pattern | None = None,
    launches: int = 1,
) -> Work:
    """Inputs read and results written once. No kernel runs where nothing is there to write."""
    if results and not any(result.elements for result in results):
        return NOTHING
    if pattern is None:
        pattern = walk(*inputs, max(results or inputs, key=bytes_of)) if results or inputs else None
    vectors: tuple[Vector, ...] = ()
    if operations or transcendentals:
        vectors = (Vector(vector_dtype(inputs, results), operations, transcendentals),)
    read_b, written_b = total_b(inputs), total_b(results)
    return Work(kind, (), vectors, read_b, written_b, pattern or Pattern.STREAMING, launches)


def pointwise(
    operations: float = 1.0, transcendentals: float = 0.0, outs: int = 1, kind: Kind = Kind.ELEMENTWISE
) -> Rule:
    """Every element by itself; the largest operand says how many there are."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        count = max((operand.elements for operand in (*inputs, *results)), default=0)
        return moved(kind, inputs, results, operations * count, transcendentals * count)

    return work


def each(function: Callable[..., Any]) -> Rule:
    """One of PyTorch's pointwise functions, with its result as the last argument."""
    return pointwise(*cost_of(function.__name__.partition(".")[0]))


def each_in_place(function: Callable[..., Any]) -> Rule:
    """The same, with the result in the first argument."""
    return pointwise(*cost_of(function.__name__.partition(".")[0]), outs=0)


def foreach(function: Callable[..., Any]) -> Rule:
    """One of PyTorch's pointwise functions on every tensor of a list, with the results in the last list."""
    operations, transcendentals = cost_of(function.__name__.partition(".")[0])

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, 1)
        count = elements(results)
        costs = (operations * count, transcendentals * count)
        return moved(Kind.ELEMENTWISE, inputs, results, *costs, pattern=Pattern.STREAMING)

    return work


def updating(*written: int, operations: float, transcendentals: float = 0.0) -> Rule:
    """An optimizer's step: everything is read, the arguments at these places are written."""

    def work(*arguments: Any) -> Work:
        results = list(operands(arguments[place] for place in written))
        count = elements(arguments[written[0]])
        inputs = list(operands(arguments))
        costs = (operations * count, transcendentals * count)
        return moved(Kind.OPTIMIZER, inputs, results, *costs, pattern=Pattern.STREAMING)

    return work


def copying(outs: int = 1, kind: Kind = Kind.COPY) -> Rule:
    """Elements go elsewhere as they are, or in another type. Pieces that are short on either side are strided."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        if not outs:  # the first argument is only written
            inputs = inputs[len(results) :]
        return moved(kind, inputs, results, pattern=pieces(inputs, results))

    return work


def pieces(inputs: list[Operand], results: list[Operand]) -> Pattern | None:
    """Of joining and splitting: streaming if what comes from one tensor lies together in the other."""
    many, few = (inputs, results) if len(inputs) >= len(results) else (results, inputs)
    if len(few) != 1 or not many:
        return None
    whole = few[0]
    smallest = min(many, key=bytes_of)
    if len(smallest.sizes) != len(whole.sizes) or smallest.sizes == whole.sizes:
        return None
    together, dims = 1, len(whole.sizes)
    for dim in reversed(range(dims)):
        together *= smallest.sizes[dim]
        if smallest.sizes[dim] != whole.sizes[dim]:
            break
    return Pattern.STRIDED if 0 < together * size_b(whole) < RUN_B else Pattern.STREAMING


def filling(operations: float = 0.0, transcendentals: float = 0.0) -> Rule:
    """The operands are written and nothing is read."""

    def work(*arguments: Any) -> Work:
        results = list(operands(arguments))
        count = sum(result.elements for result in results)
        return moved(Kind.COPY, [], results, operations * count, transcendentals * count)

    return work


def drawing(transcendentals: float = 0.0, outs: int = 1) -> Rule:
    """Random numbers: one for each element of the first result, more or less costly by their distribution."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        inputs = inputs if outs else inputs[1:]
        count = results[0].elements
        return moved(Kind.RANDOM, inputs, results, RANDOM_OPERATIONS * count, transcendentals * count)

    return work


def reducing(
    operations: float = 1.0, transcendentals: float = 0.0, outs: int = 1, kind: Kind = Kind.REDUCTION
) -> Rule:
    """All elements of the inputs go into results that are smaller."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        count = max((operand.elements for operand in inputs), default=0)
        pattern = walk(inputs[0]) if inputs else None
        return moved(kind, inputs, results, operations * count, transcendentals * count, pattern)

    return work


def normalising(
    operations: float, transcendentals: float = 0.0, outs: int = 1, launches: int = 1, again: int = 0
) -> Rule:
    """Rows are summed up and scaled. `again`: so many of the inputs are read twice, their rows being too long to keep."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        count = max((operand.elements for operand in (*inputs, *results)), default=0)
        costs = (operations * count, transcendentals * count)
        return moved(Kind.NORMALIZATION, [*inputs, *inputs[:again]], results, *costs, launches=launches)

    return work


def gathering(table: int = 0, outs: int = 1, operations: float = 0.0, kind: Kind = Kind.GATHER) -> Rule:
    """Places are read from one operand, and of the table (the operand of this number) as much as there are results."""

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        if not any(result.elements for result in results):
            return NOTHING
        taken = total_b(results) / size_b(results[0]) * size_b(inputs[table])
        read_b = min(taken, bytes_of(inputs[table]))
        read_b += total_b(inputs[:table], inputs[table + 1 :])
        vectors = (Vector("fp32", operations * results[0].elements),) if operations else ()
        return Work(kind, (), vectors, read_b, total_b(results), Pattern.GATHER)

    return work


def filling_places(outs: int = 0) -> Rule:
    """One value goes to the slices of the first argument, along a dimension, that an index or a list of places names."""

    def work(
        target: Operand, dim: int, index: Operand | list[int], value: Any, out: Operand | None = None
    ) -> Work:
        places = index.elements if isinstance(index, Operand) else len(index)
        along = target.sizes[dim] if target.sizes else 1
        touched_b = bytes_of(target) / max(1, along) * places
        whole_b = bytes_of(target) if outs else 0.0
        read_b, written_b = total_b(index) + whole_b, touched_b + whole_b
        return Work(Kind.GATHER, (), (), read_b, written_b, Pattern.GATHER, 1 + outs)

    return work


def sliced(*arguments: Any) -> Work:
    """Part of the first argument becomes the last one, and only that part is read."""
    source, result = arguments[0], arguments[-1]
    work = moved(Kind.COPY, [result], [result], pattern=pieces([result], [source]))
    return replace(work, read_b=work.read_b * size_b(source) / size_b(result))


def grad_of_padding(grad: Operand, self: Operand, padding: list[int], grad_self: Operand) -> Work:
    """Gradients of the border are added to those inside; of the input only the size counts."""
    return moved(Kind.COPY, [grad], [grad_self], grad.elements)


def scattering(
    index: int = 2, source: int = 3, operations: float = 1.0, outs: int = 0, reads_target: bool = False
) -> Rule:
    """Values go to places in the first argument. Out of place, all of it is copied first.

    `index`, `source`: which arguments those are; the source may be one number for all places. `reads_target`: what is
    there is read too, as for a sum.
    """

    def work(*arguments: Any) -> Work:
        target, places = arguments[0], arguments[index]
        values = arguments[source] if isinstance(arguments[source], Operand) else None
        count = places.elements if values is None else values.elements
        touched_b = float(count * size_b(target))
        read_b = bytes_of(places) + bytes_of(values) + (touched_b if reads_target else 0.0)
        written_b = touched_b
        launches = 1
        if outs:
            read_b, written_b, launches = read_b + bytes_of(target), written_b + bytes_of(target), 2
        if not count and not outs:
            return NOTHING
        vectors = (Vector(vector_dtype(target), operations * count),)
        return Work(Kind.GATHER, (), vectors, read_b, written_b, Pattern.GATHER, launches)

    return work


def windowed(kernel: int, outs: int = 1, reads: int = -1) -> Rule:
    """Pooling: each result is made of a window whose sizes stand at the place `kernel`.

    `reads`: of that many arguments the values are needed; the rest only give sizes.
    """

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        count = min(elements(inputs[:1]), elements(results[:1])) * prod(arguments[kernel])
        return moved(Kind.REDUCTION, inputs[:reads] if reads > 0 else inputs, results, float(count))

    return work


def resampling(function: Callable[..., Any]) -> Rule:
    """One of PyTorch's functions that scale images, or its derivative: a few neighbours for each of the finer pixels."""
    operations, transcendentals = cost_of(function.__name__)

    def work(*arguments: Any) -> Work:
        self, out = arguments[0], arguments[-1]
        count = max(self.elements, out.elements)
        costs = (operations * count, transcendentals * count)
        return moved(Kind.ELEMENTWISE, [self], [out], *costs, pattern=Pattern.STREAMING)

    return work


def merges(length: int) -> int:
    """How often sorted pieces go through memory until `length` elements are in order."""
    return 1 + max(0, ceil(log2(max(1, length) / SORTED_AT_ONCE) / log2(MERGED_AT_ONCE)))


def sorting(dim: int | None = None, outs: int = 2, kept: int | None = None) -> Rule:
    """Rows along the dimension named at place `dim` (None: all elements are one row) put in order.

    `kept`: the place of how many of the first are wanted.
    """

    def work(*arguments: Any) -> Work:
        inputs, results = split(arguments, outs)
        self = arguments[0]
        length = self.elements if dim is None or not self.sizes else self.sizes[arguments[dim]]
        return sorting_work(inputs, results, length, None if kept is None else arguments[kept])

    return work


def sorting_work(inputs: list[Operand], results: list[Operand], length: int, kept: int | None = None) -> Work:
    """Rows of this length put in order, or the best `kept` of each found: a pass over everything then."""
    count = inputs[0].elements
    if not count:
        return NOTHING
    passes = merges(length) if kept is None else 1
    depth = log2(max(2, length if kept is None else 2 * kept))
    traffic_b = 2.0 * count * (size_b(inputs[0]) + 4) * (passes - 1)
    vectors = (Vector(vector_dtype(inputs[0]), 2.0 * depth * count),)
    read_b, written_b = total_b(inputs) + traffic_b / 2, total_b(results) + traffic_b / 2
    return Work(Kind.REDUCTION, (), vectors, read_b, written_b, walk(inputs[0]), passes)
