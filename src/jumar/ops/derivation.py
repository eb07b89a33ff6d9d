"""Work that nobody has written a rule for: an operator's own meaning is run on tensors without values and counted.

Bytes are those of the operator's own inputs and outputs, each once, as if it were one fused kernel: what the meaning makes
in between lies in no memory. Meanings that look at values cannot be run so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from jumar.abi.operand import Operand
from jumar.ops.costs import FREE, cost_of, names
from jumar.ops.traffic import bytes_of, cube_dtype, operands, vector_dtype, walk
from jumar.physics.work import Kind, Pattern, Product, Vector, Work

DTYPES: dict[str, torch.dtype] = {
    name: value for name in dir(torch) if isinstance(value := getattr(torch, name), torch.dtype)
}
# Functions that write a tensor without looking at what it holds.
OVERWRITES = names("copy_ fill_ zero_ normal_ uniform_ random_ bernoulli_ exponential_ fill_diagonal_")
GATHERS = names("gather index index_select embedding take")
SCATTERS = names(
    "scatter scatter_ scatter_add scatter_add_ scatter_reduce_ index_put_ index_put index_add_ index_add index_copy_ "
    "index_fill_ put_ masked_scatter_ embedding_dense_backward"
)
REDUCTIONS = names(
    "sum mean amax amin max min prod any all norm linalg_vector_norm var std var_mean std_mean logsumexp argmax argmin "
    "aminmax nansum cumsum cumprod cummax cummin sort topk"
)
NORMALISATIONS = names(
    "_softmax _log_softmax _softmax_backward_data _log_softmax_backward_data native_layer_norm native_group_norm "
    "native_batch_norm native_layer_norm_backward native_group_norm_backward native_batch_norm_backward"
)
DRAWS = names("normal_ uniform_ random_ bernoulli_ exponential_ rand randn randperm multinomial bernoulli")
NO_VALUES = torch.device("meta")


def derive(run: Callable[..., Any], arguments: Sequence[Any], name: str) -> Work:
    """The work of one call of this meaning. Raises what the meaning raises where it needs values."""
    owned: dict[int, Operand] = {}
    counter = _Counter(owned)
    # Inference mode hands on composite functions whole; counting needs what they are made of.
    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of outputs that are resized and the like: not the program's doing
        stand_ins = [_stand_in(argument, owned) for argument in arguments]
        with counter:
            run(*stand_ins)
    return counter.work(list(operands(arguments)))


def _stand_in(argument: Any, owned: dict[int, Operand]) -> Any:
    if isinstance(argument, Operand):
        tensor = torch.empty_strided(
            argument.sizes, argument.strides, dtype=DTYPES[argument.dtype], device=NO_VALUES
        )
        owned[_storage(tensor)] = argument
        return tensor
    if isinstance(argument, list):
        return [_stand_in(item, owned) for item in argument]
    if isinstance(argument, dict):
        return {key: _stand_in(value, owned) for key, value in argument.items()}
    return DTYPES.get(argument, argument) if isinstance(argument, str) else argument


def _storage(tensor: Tensor) -> int:
    identity: int = tensor.untyped_storage()._cdata
    return identity


@dataclass(frozen=True)
class _Signature:
    """Of a PyTorch function: its plain name, whether it only makes views, and which arguments it writes."""

    name: str
    view: bool
    written: frozenset[str | int]
    outputs: frozenset[str | int]


@cache
def _signature(function: Any) -> _Signature:
    written: set[str | int] = set()
    outputs: set[str | int] = set()
    schema = function._schema
    for place, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            keys = {argument.name} if argument.kwarg_only else {argument.name, place}
            written |= keys
            outputs |= keys if argument.is_out else set()
    view = not written and any(each.alias_info is not None for each in schema.returns)
    return _Signature(schema.name.partition("::")[2], view, frozenset(written), frozenset(outputs))


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in _tensors(item)]
    return []


@dataclass
class _Tally:
    operations: float = 0.0
    transcendentals: float = 0.0
    products: list[tuple[float, float, float, float]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every function that a meaning calls."""

    def __init__(self, owned: dict[int, Operand]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._owned = owned
        self._read: dict[int, float] = {}
        self._written: set[int] = set()
        self._tally = _Tally()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        result = function(*args, **given)
        signature = _signature(function)
        if not signature.view:
            self._see(signature, args, given, result)
        return result

    def _see(self, signature: _Signature, args: tuple[Any, ...], given: dict[str, Any], result: Any) -> None:
        name, tally = signature.name, self._tally
        tally.names.add(name)
        results = _tensors(result)
        written: list[Tensor] = []
        inputs: list[Tensor] = []
        for key, value in (*enumerate(args), *given.items()):
            found = _tensors(value)
            if key in signature.written:
                written += found
            if key not in signature.outputs and not (key in signature.written and name in OVERWRITES):
                inputs += found
        self._note_reads(name, inputs, results)
        self._written.update(
            storage for tensor in written if (storage := _storage(tensor)) in self._owned and tensor.numel()
        )
        if (multiply := PRODUCTS.get(name)) is not None:
            tally.products += multiply(args, given)
            return
        count = max((tensor.numel() for tensor in (*results, *inputs)), default=0)
        if name in GATHERS:
            count = max((tensor.numel() for tensor in results), default=0)
        operations, transcendentals = cost_of(name)
        tally.operations += operations * count
        tally.transcendentals += transcendentals * count

    def _note_reads(self, name: str, inputs: list[Tensor], results: list[Tensor]) -> None:
        for place, tensor in enumerate(inputs):
            storage = _storage(tensor)
            operand = self._owned.get(storage)
            if operand is None or storage in self._written:
                continue
            read_b = bytes_of(operand)
            if name in GATHERS and place == 0:
                read_b = min(read_b, sum(float(r.numel() * r.element_size()) for r in results))
            self._read[storage] = max(read_b, self._read.get(storage, 0.0))

    def work(self, own: list[Operand]) -> Work:
        tally = self._tally
        results = [self._owned[storage] for storage in self._written]
        read = [self._owned[storage] for storage in self._read]
        seen = [*read, *results] or own
        dtype = cube_dtype(seen[0]) if seen else "fp32"
        vectors: tuple[Vector, ...] = ()
        if tally.operations or tally.transcendentals:
            vectors = (Vector(vector_dtype(results or seen), tally.operations, tally.transcendentals),)
        written_b = sum(bytes_of(operand) for operand in results)
        products = tuple(Product(int(batch), m, n, k, dtype) for batch, m, n, k in tally.products)
        launches = 1 if written_b or not own else 0
        pattern = self._pattern(seen)
        return Work(_kind(tally), products, vectors, sum(self._read.values()), written_b, pattern, launches)

    def _pattern(self, seen: list[Operand]) -> Pattern:
        if self._tally.names & (GATHERS | SCATTERS):
            return Pattern.GATHER
        return walk(*sorted(seen, key=bytes_of)) if seen else Pattern.STREAMING


def _kind(tally: _Tally) -> Kind:
    if tally.products:
        return Kind.CONVOLUTION if any("conv" in name for name in tally.names) else Kind.MATMUL
    for functions, kind in (
        (DRAWS, Kind.RANDOM),
        (NORMALISATIONS, Kind.NORMALIZATION),
        (GATHERS | SCATTERS, Kind.GATHER),
        (REDUCTIONS, Kind.REDUCTION),
    ):
        if tally.names & functions:
            return kind
    return Kind.COPY if tally.names <= FREE else Kind.ELEMENTWISE


Products = list[tuple[float, float, float, float]]


def _two(args: tuple[Any, ...], given: dict[str, Any]) -> Products:
    """Of the first two matrices, or stacks of them, among the arguments' last two tensors."""
    left, right = _tensors(args)[-2:]
    if left.dim() == 1:
        return [(1, 1, 1 if right.dim() == 1 else right.shape[-1], left.shape[0])]
    columns = 1 if right.dim() == 1 else right.shape[-1]
    return [(prod(left.shape[:-2]), left.shape[-2], columns, left.shape[-1])]


def _convolution(args: tuple[Any, ...], given: dict[str, Any]) -> Products:
    self, weight, _, stride, padding, dilation, transposed, _, groups = args[:9]
    places = prod(self.shape[2:])
    if not transposed:
        places = 1
        for size, kernel, step, pad, gap in zip(
            self.shape[2:], weight.shape[2:], stride, padding, dilation, strict=False
        ):
            places *= (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
    rows, columns = self.shape[0] * places, weight.shape[0] / groups
    return [(groups, rows, columns, prod(weight.shape[1:]))]


def _convolution_backward(args: tuple[Any, ...], given: dict[str, Any]) -> Products:
    grad, self, weight = args[:3]
    transposed, groups, mask = args[7], args[9], args[10]
    places = grad.shape[0] * prod((self if transposed else grad).shape[2:])
    wanted = int(mask[0]) + int(mask[1])
    return [(groups, places, weight.shape[0] / groups, prod(weight.shape[1:]))] * wanted


def _over_time(args: tuple[Any, ...], given: dict[str, Any]) -> Products:
    self, weight, _, padding = args[:4]
    times = self.shape[0] + 2 * padding - weight.shape[0] + 1
    return [(1, times * self.shape[1], weight.shape[2], weight.shape[0] * weight.shape[1])]


PRODUCTS: dict[str, Callable[[tuple[Any, ...], dict[str, Any]], Products]] = {
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "addmm_"), _two),
    "conv_tbc": _over_time,
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
}
