"""Packed sequences and recurrent layers on them, as on CUDA: the adapter keeps the padding, or refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.cuda.registry import Maker, changes

Cell = Callable[[Any, Any, tuple[Any, ...], Any], tuple[Any, ...]]
# A layer is called with data, batch_sizes, hx, weights, has_biases, layers, dropout, training, bidirectional, or with
# data, hx, weights, has_biases, layers, dropout, training, bidirectional, batch_first.
ARGUMENTS = 9


def _lstm(ahead: Any, back: Any, state: tuple[Any, ...], projection: Any) -> tuple[Any, ...]:
    inward, forget, cell, outward = (ahead + back).chunk(4, 1)
    c = forget.sigmoid() * state[1] + inward.sigmoid() * cell.tanh()
    h = outward.sigmoid() * c.tanh()
    return (h if projection is None else h @ projection.t()), c


def _gru(ahead: Any, back: Any, state: tuple[Any, ...], projection: Any) -> tuple[Any, ...]:
    reset_a, update_a, new_a = ahead.chunk(3, 1)
    reset_b, update_b, new_b = back.chunk(3, 1)
    update = (update_a + update_b).sigmoid()
    new = (new_a + (reset_a + reset_b).sigmoid() * new_b).tanh()
    return (new + update * (state[0] - new),)


CELLS: dict[str, Cell] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn_tanh": lambda ahead, back, state, projection: ((ahead + back).tanh(),),
    "rnn_relu": lambda ahead, back, state, projection: ((ahead + back).relu(),),
}


def _layer(name: str) -> Maker:
    """The adapter's layer, but for packed sequences, and for float64, of which its fused operators know nothing."""

    def make(original: Any) -> Any:
        def layer(*arguments: Any) -> Any:
            data, second, third, fourth, *rest = arguments
            if data.device.type == "cuda" and len(arguments) == ARGUMENTS:
                if isinstance(fourth, list | tuple):
                    return _layers(CELLS[name], data, second.tolist(), third, fourth, *rest)
                if data.dtype.itemsize == 8 and isinstance(third, list | tuple):
                    return _padded(CELLS[name], data, second, third, fourth, *rest)
            return original(*arguments)

        return layer

    return make


def _cell(name: str) -> Maker:
    def make(original: Any) -> Any:
        from torch.nn.functional import linear

        def cell(data: Any, state: Any, ahead: Any, back: Any, bias_a: Any = None, bias_b: Any = None) -> Any:
            if data.device.type != "cuda" or data.dtype.itemsize < 8:
                return original(data, state, ahead, back, bias_a, bias_b)
            states = tuple(state) if isinstance(state, list | tuple) else (state,)
            new = CELLS[name](linear(data, ahead, bias_a), linear(states[0], back, bias_b), states, None)
            return new if len(new) > 1 else new[0]

        return cell

    return make


for one in CELLS:
    changes(f"torch._VF.{one}")(_layer(one))
    changes(f"torch._VF.{one}_cell")(_cell(one))


def _padded(cell: Cell, data: Any, hx: Any, weights: Any, has_biases: bool, number: int, dropout: float,
            training: bool, bidirectional: bool, batch_first: bool) -> tuple[Any, ...]:  # fmt: skip
    """All sequences of one length: packed, every step has as many rows."""
    steps = data.transpose(0, 1) if batch_first else data
    sizes = [steps.size(1)] * steps.size(0)
    output, *last = _layers(
        cell, steps.flatten(0, 1), sizes, hx, weights, has_biases, number, dropout, training, bidirectional
    )
    output = output.view(steps.size(0), steps.size(1), -1)
    return (output.transpose(0, 1) if batch_first else output, *last)


def _layers(
    cell: Cell, data: Any, sizes: list[int], hx: Any, weights: Any, has_biases: bool, number: int, dropout: float,
    training: bool, bidirectional: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """Output for each packed row, and the last states, each (layers × directions, batch, size)."""
    import torch

    states = hx if isinstance(hx, list | tuple) else (hx,)
    directions = 2 if bidirectional else 1
    each = len(weights) // (number * directions)
    last: list[tuple[Any, ...]] = []
    for layer in range(number):
        outputs = []
        for direction in range(directions):
            place = layer * directions + direction
            own = weights[place * each : (place + 1) * each]
            begin = tuple(state[place] for state in states)
            output, end = _direction(cell, data, sizes, begin, own, has_biases, reverse=direction == 1)
            outputs.append(output)
            last.append(end)
        data = torch.cat(outputs, 1) if bidirectional else outputs[0]
        if dropout and training and layer < number - 1:
            data = torch.nn.functional.dropout(data, dropout, training)
    return (data, *(torch.stack(parts) for parts in zip(*last, strict=True)))


def _direction(
    cell: Cell,
    data: Any,
    sizes: list[int],
    begin: tuple[Any, ...],
    weights: Any,
    has_biases: bool,
    reverse: bool,
) -> tuple[Any, tuple[Any, ...]]:
    """Sequences are sorted by length, so those alive at a step are the first rows of the state."""
    import torch
    from torch.nn.functional import linear

    biases = weights[2:4] if has_biases else (None, None)
    projection = weights[-1] if len(weights) in (3, 5) else None
    rows = torch.split_with_sizes(linear(data, weights[0], biases[0]), sizes)
    steps = range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes))
    outputs: list[Any] = [None] * len(sizes)
    state = begin
    for step in steps:
        alive = tuple(part[: sizes[step]] for part in state)
        new = cell(rows[step], linear(alive[0], weights[1], biases[1]), alive, projection)
        outputs[step] = new[0]
        state = tuple(torch.cat((part, old[sizes[step] :])) for part, old in zip(new, state, strict=True))
    return torch.cat(outputs), state


@changes("torch._VF._pack_padded_sequence")
def _pack(original: Any) -> Any:
    """PyTorch packs the numbers of the rows in host memory; the chip gathers those rows."""
    import torch

    def pack(rows: Any, lengths: Any, batch_first: bool) -> Any:
        if rows.device.type != "cuda":
            return original(rows, lengths, batch_first)
        numbers = torch.arange(rows.size(0) * rows.size(1)).view(rows.size(0), rows.size(1), 1)
        order, batch_sizes = original(numbers, lengths, batch_first)
        return rows.flatten(0, 1).index_select(0, order.flatten().to(rows.device)), batch_sizes

    return pack


@changes("torch._VF._pad_packed_sequence")
def _pad(original: Any) -> Any:
    import torch

    def pad(data: Any, batch_sizes: Any, batch_first: bool, padding_value: float, total_length: int) -> Any:
        if data.device.type != "cuda":
            return original(data, batch_sizes, batch_first, padding_value, total_length)
        numbers = torch.arange(data.size(0)).unsqueeze(1)
        places, lengths = original(numbers, batch_sizes, batch_first, -1, total_length)
        places = places.squeeze(2).to(data.device)
        rows = data.index_select(0, places.flatten().clamp(0)).view(*places.shape, *data.shape[1:])
        absent = (places < 0).view(*places.shape, *(1 for _ in data.shape[1:]))
        return rows.masked_fill(absent, padding_value), lengths

    return pad
