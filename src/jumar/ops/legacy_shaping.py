"""Legacy path: transposing, slicing, joining, padding, indexing, ordering."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from jumar.ops.bounds import bounded, front
from jumar.ops.legacy import Attributes, Inputs, Meaning, Sizes, numbers, writes
from jumar.ops.registry import legacy, operators
from jumar.ops.slices import strided_slice

aten = torch.ops.aten

_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def _slice(x: Inputs, a: Attributes) -> Tensor:
    result: Tensor = x[0]
    for dim, (begin, count) in enumerate(zip(numbers(x[1]), numbers(x[2]), strict=True)):
        result = result.narrow(dim, begin, result.shape[dim] - begin if count < 0 else count)
    return result


def _many(x: Inputs) -> list[Tensor]:
    return [tensor for tensor in x if tensor is not None]


def _pad(x: Inputs, a: Attributes) -> Tensor:
    """Pairs (before, after) for each dimension from the first; PyTorch counts from the last."""
    pairs = numbers(x[1])
    backward = [number for begin in range(len(pairs) - 2, -1, -2) for number in pairs[begin : begin + 2]]
    mode = a.get("mode", "constant")
    if mode == "constant":
        value = x[2].item() if len(x) > 2 and x[2] is not None else 0
        return functional.pad(x[0], backward, value=value)
    spatial = backward[: 2 * (x[0].dim() - 2)]
    return functional.pad(x[0], spatial, mode={"edge": "replicate"}.get(mode.lower(), "reflect"))


def _pad_grad(x: Inputs, a: Attributes) -> Tensor:
    pairs = numbers(x[1])
    backward = [number for begin in range(len(pairs) - 2, -1, -2) for number in pairs[begin : begin + 2]][:4]
    sizes = list(x[0].shape)
    sizes[-1] -= sum(backward[:2])
    sizes[-2] -= sum(backward[2:])
    function = aten.reflection_pad2d_backward if a["mode"] == "reflect" else aten.replication_pad2d_backward
    result: Tensor = function(x[0], x[0].new_empty(sizes), backward)
    return result


def _elements(self: Tensor, sizes: list[int], strides: list[int], offset: int) -> Tensor:
    """A view of any strides; the storage behind the input may be longer than its sizes say."""
    return self.as_strided(sizes, strides, self.storage_offset() + offset)


def _one_hot(index: Tensor, depth: int, on: Tensor, off: Tensor, axis: int) -> Tensor:
    axis %= index.dim() + 1
    shape = [-1 if dim == axis else 1 for dim in range(index.dim() + 1)]
    classes = torch.arange(depth).view(shape)
    return torch.where(index.unsqueeze(axis) == classes, on.reshape(()), off.reshape(()))


_MOVEMENT: dict[str, Meaning] = {
    "Transpose": lambda x, a: x[0].permute(numbers(x[1])),
    "ConfusionTransposeD": lambda x, a: (
        x[0].permute(a["perm"]).reshape(a["shape"])
        if a["transpose_first"]
        else x[0].reshape(a["shape"]).permute(a["perm"])
    ),
    "Slice": _slice,
    "StridedSlice": lambda x, a: strided_slice(
        x[0], numbers(x[1]), numbers(x[2]), numbers(x[3]), *(a[name] for name in _MASKS)
    ),
    "BroadcastTo": lambda x, a: x[0].expand(numbers(x[1])),
    "Tile": lambda x, a: x[0].repeat(numbers(x[1])),
    "ConcatD": lambda x, a: torch.cat(_many(x), a["concat_dim"]),
    "Pack": lambda x, a: torch.stack(_many(x), a["axis"]),
    "ReverseV2": lambda x, a: x[0].flip(numbers(x[1])),
    "Roll": lambda x, a: torch.roll(x[0], a["shifts"], a["dims"]),
    "Pad": _pad,
    "PadV3": _pad,
    "MirrorPad": _pad,
    "PadV3Grad": _pad_grad,
    "AsStrided": lambda x, a: _elements(x[0], numbers(x[1]), numbers(x[2]), numbers(x[3])[0]),
    "RepeatInterleave": lambda x, a: torch.repeat_interleave(
        x[0], x[1].reshape(-1) if x[1].numel() > 1 else int(x[1].reshape(())), a["axis"]
    ),
    "OneHot": lambda x, a: _one_hot(x[0], numbers(x[1])[0], x[2], x[3], a["axis"]),
    "OneHotD": lambda x, a: _one_hot(x[0], a["depth"], x[1], x[2], a["axis"]),
    "Tril": lambda x, a: torch.tril(x[0], a["diagonal"]),
    "Triu": lambda x, a: torch.triu(x[0], a["diagonal"]),
    "FillDiagonal": lambda x, a: x[0].clone().fill_diagonal_(a["fill_value"], a["wrap"]),
    "ShuffleChannel": lambda x, a: torch.channel_shuffle(x[0], a["group"]),
    "TopKV2": lambda x, a: tuple(torch.topk(x[0], numbers(x[1])[0], a["dim"], a["largest"], a["sorted"])),
    "Sort": lambda x, a: tuple(torch.sort(x[0], a["axis"], a["descending"])),
    "SortV2": lambda x, a: torch.sort(x[0], a["axis"], a["descending"]).values,
    "SearchSorted": lambda x, a: torch.searchsorted(x[0], x[1], right=a["right"]),
}

for _type, _meaning in _MOVEMENT.items():
    legacy(_type)(writes(_meaning))


@legacy("ViewCopy")
def view_copy(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    """Destination and source, each as storage, sizes, strides and offset; the destination is the output."""
    target, source = (
        _elements(inputs[k], numbers(inputs[k + 1]), numbers(inputs[k + 2]), numbers(inputs[k + 3])[0])
        for k in (0, 4)
    )
    target.copy_(source)


def _positions(x: Inputs, first: int) -> list[Tensor | None]:
    """Index tensors from the fourth input on, in the places that the mask in the third one marks."""
    given = iter(tensor.long() for tensor in x[first:])
    return [next(given) if marked else None for marked in numbers(x[first - 2])]


def _scatter_elements(x: Inputs, a: Attributes) -> Tensor:
    index, axis = x[1].long(), a.get("axis", 0)
    if a.get("reduction", "none") == "add":
        return torch.scatter_add(x[0], axis, index, x[2])
    return torch.scatter(x[0], axis, index, x[2])


def _scatter_nd(x: Inputs, accumulate: bool) -> Tensor:
    places: list[Tensor | None] = [place.reshape(-1) for place in x[1].long().unbind(-1)]
    updates = x[2].reshape(-1, *x[0].shape[len(places) :])
    result: Tensor = x[0].clone()
    return result.index_put_(places, updates, accumulate)


def _gather(x: Inputs, a: Attributes) -> Tensor:
    axis = numbers(x[2])[0] if len(x) > 2 else a["axis"]
    axis %= max(1, x[0].dim())
    result = torch.index_select(x[0], axis, x[1].reshape(-1))
    return result.reshape(x[0].shape[:axis] + x[1].shape + x[0].shape[axis + 1 :])


def _fill_range(x: Inputs, a: Attributes) -> Tensor:
    """value[k] goes to the run [start, end) that row k of `start` and `end` names, in each batch row."""
    result: Tensor = x[0].clone()
    axis = a["axis"] % result.dim()
    numbers_along = torch.arange(result.shape[axis]).view(
        [-1 if dim == axis else 1 for dim in range(result.dim())]
    )
    for begins, ends, value in zip(x[1], x[2], x[3], strict=True):
        shape = [-1 if dim == 0 and axis != 0 else 1 for dim in range(result.dim())]
        inside = (numbers_along >= begins.reshape(shape)) & (numbers_along < ends.reshape(shape))
        result = torch.where(inside, value, result)
    return result


_INDEXING: dict[str, Meaning] = {
    "GatherV2": _gather,
    "GatherV2D": _gather,
    "Gather": lambda x, a: torch.take(x[0], x[1].long()),
    "GatherElements": lambda x, a: torch.gather(x[0], a["dim"], x[1].long()),
    "Index": lambda x, a: aten.index(x[0], _positions(x, 3)),
    "IndexPutV2": lambda x, a: aten.index_put(x[0], _positions(x, 4), x[1], a["accumulate"]),
    "IndexFillD": lambda x, a: x[0] * x[1] + x[2],
    "InplaceIndexAdd": lambda x, a: torch.index_add(x[0], a["axis"], x[1], x[2] * x[3]),
    "ScatterElements": _scatter_elements,
    "ArgMaxGrad": lambda x, a: torch.scatter(x[0], a["dimension"], x[1].long(), x[2]),
    "ScatterNdAdd": lambda x, a: _scatter_nd(x, True),
    "ScatterNdUpdate": lambda x, a: _scatter_nd(x, False),
    "ScatterUpdate": lambda x, a: torch.index_copy(x[0], 0, x[1].long(), x[2]),
    "MaskedFill": lambda x, a: torch.masked_fill(x[0], x[1].bool(), x[2].reshape(())),
    "MaskedScatter": lambda x, a: torch.masked_scatter(x[0], x[1].bool(), x[2]),
    "MaskedFillRange": _fill_range,
    "EmbeddingDenseGrad": lambda x, a: aten.embedding_dense_backward(
        x[0], x[1].long(), a["num_weights"], a["padding_idx"], a["scale_grad_by_freq"]
    ),
}

for _type, _meaning in _INDEXING.items():
    legacy(_type)(bounded(writes(_meaning)))


@legacy("Scatter")
def scatter(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    outputs[0].copy_(inputs[0])
    operators()["aclnnInplaceScatterUpdate"].run(outputs[0], inputs[1], inputs[2], attributes["axis"])


def _sized(out: Tensor, result: Tensor) -> tuple[int, ...]:
    front(out, *result.shape).copy_(result)
    return tuple(result.shape)


@legacy("NonZero")
def nonzero(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> Sizes:
    places = torch.nonzero(inputs[0])
    return {0: _sized(outputs[0], places.t() if attributes.get("transpose") else places)}


@legacy("MaskedSelect")
def masked_select(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> Sizes:
    return {0: _sized(outputs[0], torch.masked_select(inputs[0], inputs[1].bool()))}


def _unique(outputs: list[Any], results: tuple[Tensor, Tensor, Tensor], order: tuple[int, int, int]) -> Sizes:
    """Values, inverse and counts to the outputs of these numbers."""
    sizes = {
        place: _sized(outputs[place], result)
        for place, result in zip(order, results, strict=True)
        if outputs[place] is not None and outputs[place].numel()
    }
    return {place: size for place, size in sizes.items() if place != order[1]}


@legacy("UniqueWithCountsAndSorting")
def unique(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> Sizes:
    return _unique(outputs, torch.unique(inputs[0], True, True, True), (0, 1, 2))


@legacy("UniqueConsecutive")
def unique_consecutive(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> Sizes:
    results = torch.unique_consecutive(inputs[0], True, True, attributes.get("axis"))
    return _unique(outputs, results, (0, 1, 2))


@legacy("UniqueWithCountsExt2")
def unique_dim(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> Sizes:
    results = torch.unique(inputs[0], True, True, True, numbers(inputs[1])[0])
    return _unique(outputs, results, (0, 3, 2))
