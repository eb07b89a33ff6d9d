"""Products of groups of rows with a weight for each group."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.abi.operand import Operand
from jumar.ops.products import Operands, grouped_work
from jumar.ops.registry import op
from jumar.ops.results import store, wide
from jumar.ops.traffic import cube_dtype, total_b
from jumar.physics.work import Kind, Product, Vector, Work

Tensors = list[Tensor]
RUNNING_TOTALS, COUNTS, PAIRS = range(3)
BY_ROWS, BY_INNER = 0, 2

_ACTIVATIONS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda value: value,
    torch.relu,
    lambda value: functional.gelu(value, approximate="tanh"),
    functional.gelu,
    lambda value: value * torch.sigmoid(1.702 * value),
    functional.silu,
)


def _ends(groups: Tensor | list[int], kind: int) -> list[int]:
    """Where each group ends."""
    counts = torch.as_tensor(groups).long()
    if kind == PAIRS:
        sizes = torch.zeros(int(counts[:, 0].max()) + 1, dtype=torch.int64)
        counts, kind = sizes.index_add_(0, counts[:, 0], counts[:, 1]), COUNTS
    ends: list[int] = (counts if kind == RUNNING_TOTALS else counts.cumsum(0)).tolist()
    return ends


def _parts(tensors: Tensors, ends: list[int] | None, dim: int) -> Tensors:
    """One tensor for each group: those given, or slices of the only one."""
    if len(tensors) != 1 or ends is None:
        return tensors
    return [tensors[0].narrow(dim, start, end - start) for start, end in pairwise([0, *ends])]


def _weights(tensors: Tensors) -> Tensors:
    return list(tensors[0]) if len(tensors) == 1 and tensors[0].dim() == 3 else tensors


def _of_group(tensors: Tensors, group: int) -> Tensor:
    """A tensor for each group, or one with a row for each group, or one for all."""
    if len(tensors) > 1:
        return tensors[group]
    return tensors[0][group] if tensors[0].dim() == 2 else tensors[0]


def _multiply(
    inputs: Tensors,
    weights: Tensors,
    biases: Tensors,
    scales: Tensors,
    token_scales: Tensors,
    ends: list[int] | None,
    by_inner: bool,
    activation: int,
    outs: Tensors,
) -> None:
    if by_inner:
        lefts = _parts(inputs, ends, -1)
        rights = _parts(weights, ends, 0) if weights[0].dim() == 2 else _weights(weights)
        parts = list(outs[0]) if len(outs) == 1 else outs
    else:
        lefts, rights, parts = _parts(inputs, ends, 0), _weights(weights), _parts(outs, ends, 0)
    token_parts = _parts(token_scales, ends, 0) if token_scales else []
    for group, (left, right, out) in enumerate(zip(lefts, rights, parts, strict=False)):
        if out.numel() == 0:
            continue
        if left.dtype is torch.int8 and right.dtype is torch.int8:
            value = (left.double() @ right.double()).float()
        else:
            value = wide(left) @ wide(right)
        if biases:
            value = value + wide(_of_group(biases, group))
        if scales:
            value = value * _of_group(scales, group).float()
        if token_parts:
            value = value * token_parts[group].float().view(-1, 1)
        store(out, _ACTIVATIONS[activation](value))


def _plain_work(inputs: Operands, weights: Operands, *rest: Any) -> Work:
    return grouped_work(inputs, weights, rest[:-1], rest[-1])


def _general_work(outs: int) -> Callable[..., Work]:
    """`outs`: the place of the results."""

    def work(*arguments: Any) -> Work:
        by_inner = arguments[13] == BY_INNER
        return grouped_work(arguments[0], arguments[1], arguments[2:12], arguments[outs], by_inner)

    return work


def _adding_work(self: Operand, weight: Operand, groups: Operand, out: Operand, *rest: Any) -> Work:
    """The groups share the inner dimension, and results are added to what is there."""
    inner, rows = self.sizes if rest[0] else self.sizes[::-1]
    count = max(1, out.elements // max(1, rows * out.sizes[-1]))
    product = Product(count, rows, out.sizes[-1], inner / count, cube_dtype(self))
    vectors = (Vector("fp32", float(out.elements)),)
    read_b = total_b(self, weight, groups, out)
    return Work(Kind.GROUPED_MATMUL, (product,), vectors, read_b, total_b(out))


@op("aclnnGroupedMatmul", work=_plain_work)
def grouped_matmul(
    inputs: Tensors,
    weights: Tensors,
    biases: Tensors | None,
    scales: Tensors | None,
    offsets: Tensors | None,
    antiquant_scales: Tensors | None,
    antiquant_offsets: Tensors | None,
    groups: list[int] | None,
    split: int,
    outs: Tensors,
) -> None:
    ends = list(groups) if groups else None
    _multiply(inputs, weights, biases or [], scales or [], [], ends, False, 0, outs)


def _general(
    inputs: Tensors,
    weights: Tensors,
    biases: Tensors | None,
    scales: Tensors | None,
    offsets: Tensors | None,
    antiquant_scales: Tensors | None,
    antiquant_offsets: Tensors | None,
    token_scales: Tensors | None,
    groups: Tensor | None,
    activation_input: Tensors | None,
    activation_scale: Tensors | None,
    activation_offset: Tensors | None,
    split: int,
    group_type: int,
    group_kind: int,
    activation: int,
    outs: Tensors,
) -> None:
    if antiquant_scales:
        raise NotImplementedError(
            "grouped products of quantised weights have no arithmetic (ops/grouped_matmul.py)"
        )
    ends = None if groups is None else _ends(groups, group_kind)
    rest = (biases or [], scales or [], token_scales or [])
    _multiply(inputs, weights, *rest, ends, group_type == BY_INNER, activation, outs)


@op("aclnnGroupedMatmulV4", work=_general_work(16))
def grouped_matmul_v4(*arguments: Any) -> None:
    """The last two outputs, of a fused activation with quantisation, are not made."""
    _general(*(*arguments[:16], arguments[16]))


@op("aclnnGroupedMatmulV5", work=_general_work(17))
def grouped_matmul_v5(*arguments: Any) -> None:
    _general(*(*arguments[:16], arguments[17]))


@op("aclnnGroupedMatmulWeightNz", work=_general_work(18))
def grouped_matmul_weight_nz(*arguments: Any) -> None:
    _general(*(*arguments[:16], arguments[18]))


def _add_groups(
    self: Tensor, weight: Tensor, groups: Tensor, out: Tensor, transpose: bool, other: bool, kind: int
) -> None:
    left = wide(self).mT if transpose else wide(self)
    right = wide(weight).mT if other else wide(weight)
    parts = out.view(-1, left.shape[0], right.shape[1])
    for part, (start, end) in zip(parts, pairwise([0, *_ends(groups, kind)]), strict=False):
        part.add_((left[:, start:end] @ right[start:end]).to(out.dtype))


@op("aclnnGroupedMatmulAdd", work=_adding_work)
def grouped_matmul_add(
    self: Tensor, weight: Tensor, groups: Tensor, out: Tensor, transpose: bool, other: bool, group_type: int
) -> None:
    """Adds to each group's output the product over that group's share of the inner dimension."""
    _add_groups(self, weight, groups, out, transpose, other, RUNNING_TOTALS)


@op("aclnnGroupedMatmulAddV2", work=_adding_work)
def grouped_matmul_add_v2(
    self: Tensor,
    weight: Tensor,
    groups: Tensor,
    out: Tensor,
    transpose: bool,
    other: bool,
    group_type: int,
    group_kind: int,
) -> None:
    _add_groups(self, weight, groups, out, transpose, other, group_kind)
