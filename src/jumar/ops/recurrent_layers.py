"""Entry points of LSTM and GRU on the `aclnn` path: whole stacks of layers, and single cells.

Dropout between the layers of a stack would need a seed that the adapter does not pass; it is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from jumar.ops.recurrent import Cell, CellGradient, gru, gru_backward, lstm, lstm_backward
from jumar.ops.recurrent_work import GRU_COST, LSTM_COST, stack_backward_rule, stack_rule
from jumar.ops.registry import op
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import pointwise

Tensors = list[Tensor]


def put(out: Tensor | None, value: Tensor) -> None:
    """An output in a private format may be larger than the value, and an output not wanted smaller."""
    if out is None or out.numel() < value.numel():
        return
    store(out if out.numel() == value.numel() else out.view(-1)[: value.numel()], value)


def take(tensor: Tensor, *sizes: int) -> Tensor:
    """What `put` wrote."""
    value = wide(tensor)
    count = torch.Size(sizes).numel()
    result: Tensor = (value if value.numel() == count else value.reshape(-1)[:count]).reshape(sizes)
    return result


def _cells(params: Tensors, biased: bool) -> list[Cell]:
    count = 4 if biased else 2
    groups = range(0, len(params), count)
    return [Cell(*(wide(param) for param in params[start : start + count])) for start in groups]


def _active(batch_sizes: Tensor | None, batch: int) -> Tensor | None:
    if batch_sizes is None or batch_sizes.numel() == 0:
        return None
    return (torch.arange(batch) < batch_sizes.view(-1, 1).long())[..., None]


def _sequence(self: Tensor, batch_sizes: Tensor | None, batch_first: bool) -> Tensor:
    """A packed batch arrives as (time times batch, features), padded."""
    if self.dim() == 2 and batch_sizes is not None:
        packed: Tensor = wide(self).view(batch_sizes.numel(), -1, self.shape[-1])
        return packed
    sequence: Tensor = wide(self).transpose(0, 1) if batch_first else wide(self)
    return sequence


def _put_sequence(out: Tensor, value: Tensor, batch_first: bool) -> None:
    put(out, value.transpose(0, 1) if batch_first and out.dim() == 3 else value)


def _last(values: Tensor, reverse: bool) -> Tensor:
    return values[0] if reverse else values[-1]


@op("aclnnLSTM", work=stack_rule(LSTM_COST))
def lstm_stack(
    self: Tensor,
    params: Tensors,
    first: Tensors,
    batch_sizes: Tensor | None,
    biased: bool,
    layers: int,
    dropout: float,
    training: bool,
    bidirectional: bool,
    batch_first: bool,
    out: Tensor,
    out_hidden: Tensor,
    out_state: Tensor,
    *gates: Tensors,
) -> None:
    """`gates` are lists, one tensor a layer and direction: i, j, f, o, hidden, state, tangent."""
    sequence = _sequence(self, batch_sizes, batch_first)
    active = _active(batch_sizes, sequence.shape[1])
    directions = 2 if bidirectional else 1
    hidden, state = wide(first[0]), wide(first[1])
    cells, last_hidden, last_state = _cells(params, biased), [], []
    for layer in range(layers):
        outputs = []
        for index in range(layer * directions, (layer + 1) * directions):
            reverse = index % directions == 1
            values = lstm(sequence, hidden[index], state[index], cells[index], active, reverse)
            y, h, c, i, j, f, o, tangent = values
            outputs.append(y)
            last_hidden.append(_last(h, reverse))
            last_state.append(_last(c, reverse))
            for saved, value in zip(gates, (i, j, f, o, h, c, tangent), strict=True):
                if saved:
                    put(saved[index], value)
        sequence = torch.cat(outputs, -1)
    _put_sequence(out, sequence, batch_first)
    store_all((out_hidden, out_state), (torch.stack(last_hidden), torch.stack(last_state)))


def _zeros_if_absent(grad: Tensor | None, *sizes: int) -> Tensor:
    return torch.zeros(sizes) if grad is None or grad.numel() == 0 else wide(grad)


def _put_parameters(outs: Tensors, gradients: list[CellGradient], biased: bool) -> None:
    for index, gradient in enumerate(gradients):
        values = [gradient.input_weight, gradient.hidden_weight]
        if biased:
            values += [gradient.input_bias, gradient.hidden_bias]
        store_all(tuple(outs[index * len(values) : (index + 1) * len(values)]), tuple(values))


@op("aclnnLstmBackward", work=stack_backward_rule(2, 13, 14, 19, 4))
def lstm_stack_backward(
    self: Tensor,
    first: Tensors,
    params: Tensors,
    grad_out: Tensor | None,
    grad_hidden: Tensor | None,
    grad_state: Tensor | None,
    i: Tensors,
    j: Tensors,
    f: Tensors,
    o: Tensors,
    h: Tensors,
    c: Tensors,
    tangent: Tensors,
    batch_sizes: Tensor | None,
    biased: bool,
    layers: int,
    dropout: float,
    training: bool,
    bidirectional: bool,
    batch_first: bool,
    mask: list[bool] | None,
    grad_self: Tensor,
    grad_first_hidden: Tensor,
    grad_first_state: Tensor,
    grad_params: Tensors,
) -> None:
    sequence = _sequence(self, batch_sizes, batch_first)
    length, batch, _ = sequence.shape
    active, directions, size = _active(batch_sizes, batch), 2 if bidirectional else 1, params[1].shape[1]
    to_outputs = _zeros_if_absent(grad_out, length, batch, size * directions)
    to_outputs = to_outputs.transpose(0, 1) if batch_first and grad_out is not None else to_outputs
    to_outputs = to_outputs.reshape(length, batch, -1)
    to_hidden = _zeros_if_absent(grad_hidden, layers * directions, batch, size)
    to_state = _zeros_if_absent(grad_state, layers * directions, batch, size)
    cells = _cells(params, biased)
    gradients: list[CellGradient] = []
    states = [take(tensor, length, batch, size) for tensor in h]
    for layer in reversed(range(layers)):
        indices = range(layer * directions, (layer + 1) * directions)
        below = [states[index - directions] for index in indices]
        source = sequence if layer == 0 else torch.cat(below, -1)
        if active is not None and layer:
            source = source * active
        total = torch.zeros_like(source)
        for index in reversed(indices):
            gates = (i[index], j[index], f[index], o[index], tangent[index])
            gradient = lstm_backward(
                source,
                (wide(first[0])[index], wide(first[1])[index]),
                (states[index], take(c[index], length, batch, size)),
                tuple(take(gate, length, batch, size) for gate in gates),  # type: ignore[arg-type]
                (to_outputs.chunk(directions, -1)[index % directions], to_hidden[index], to_state[index]),
                cells[index],
                active,
                index % directions == 1,
            )
            total = total + gradient.sequence
            gradients.insert(0, gradient)
        to_outputs = total
    _put_sequence(grad_self, to_outputs, batch_first)
    store(grad_first_hidden, torch.stack([gradient.hidden_state for gradient in gradients]))
    store(grad_first_state, torch.stack([wide(gradient.cell_state) for gradient in gradients]))
    _put_parameters(grad_params, gradients, biased)


@op("aclnnGRU", work=stack_rule(GRU_COST))
def gru_stack(
    self: Tensor,
    params: Tensors,
    first: Tensor,
    batch_sizes: Tensor | None,
    biased: bool,
    layers: int,
    dropout: float,
    training: bool,
    bidirectional: bool,
    batch_first: bool,
    out: Tensor,
    out_hidden: Tensor,
    *gates: Tensors,
) -> None:
    """`gates` are lists, one tensor a layer and direction: r, z, n, what r multiplies, hidden."""
    sequence = _sequence(self, batch_sizes, batch_first)
    active = _active(batch_sizes, sequence.shape[1])
    directions = 2 if bidirectional else 1
    hidden, cells, last_hidden = wide(first), _cells(params, biased), []
    for layer in range(layers):
        outputs = []
        for index in range(layer * directions, (layer + 1) * directions):
            reverse = index % directions == 1
            y, h, r, z, n, multiplied = gru(sequence, hidden[index], cells[index], active, reverse)
            outputs.append(y)
            last_hidden.append(_last(h, reverse))
            for saved, value in zip(gates, (r, z, n, multiplied, h), strict=True):
                if saved:
                    put(saved[index], value)
        sequence = torch.cat(outputs, -1)
    _put_sequence(out, sequence, batch_first)
    store(out_hidden, torch.stack(last_hidden))


@op("aclnnGRUBackward", work=stack_backward_rule(1, 10, 11, 14, 3))
def gru_stack_backward(
    self: Tensor,
    params: Tensors,
    first: Tensor,
    grad_out: Tensor,
    grad_hidden: Tensor,
    r: Tensors,
    z: Tensors,
    n: Tensors,
    multiplied: Tensors,
    h: Tensors,
    batch_sizes: Tensor | None,
    biased: bool,
    layers: int,
    bidirectional: bool,
    batch_first: bool,
    grad_self: Tensor,
    grad_first: Tensor,
    grad_params: Tensors,
) -> None:
    sequence = _sequence(self, batch_sizes, batch_first)
    length, batch, _ = sequence.shape
    active, directions, size = _active(batch_sizes, batch), 2 if bidirectional else 1, params[1].shape[1]
    to_outputs = wide(grad_out).transpose(0, 1) if batch_first else wide(grad_out)
    to_outputs = to_outputs.reshape(length, batch, -1)
    cells = _cells(params, biased)
    gradients: list[CellGradient] = []
    states = [take(tensor, length, batch, size) for tensor in h]
    for layer in reversed(range(layers)):
        indices = range(layer * directions, (layer + 1) * directions)
        source = sequence if layer == 0 else torch.cat([states[index - directions] for index in indices], -1)
        if active is not None and layer:
            source = source * active
        total = torch.zeros_like(source)
        for index in reversed(indices):
            gates = (r[index], z[index], n[index], multiplied[index])
            gradient = gru_backward(
                source,
                wide(first)[index],
                states[index],
                tuple(take(gate, length, batch, size) for gate in gates),  # type: ignore[arg-type]
                (to_outputs.chunk(directions, -1)[index % directions], wide(grad_hidden)[index]),
                cells[index],
                active,
                index % directions == 1,
            )
            total = total + gradient.sequence
            gradients.insert(0, gradient)
        to_outputs = total
    _put_sequence(grad_self, to_outputs, batch_first)
    store(grad_first, torch.stack([gradient.hidden_state for gradient in gradients]))
    _put_parameters(grad_params, gradients, biased)


@op("aclnnThnnFusedLstmCell", work=pointwise(4, 1.25, outs=3))
def lstm_cell(
    from_input: Tensor,
    from_hidden: Tensor,
    state: Tensor,
    input_bias: Tensor | None,
    hidden_bias: Tensor | None,
    out_hidden: Tensor,
    out_state: Tensor,
    gates: Tensor,
) -> None:
    """`gates` keeps the four gates after their activations, for the derivative."""
    total = wide(from_input) if input_bias is None else wide(from_input) + wide(input_bias)
    hidden = wide(from_hidden) if hidden_bias is None else wide(from_hidden) + wide(hidden_bias)
    into, forget, candidate, out = (total + hidden).chunk(4, -1)
    into, forget, candidate, out = into.sigmoid(), forget.sigmoid(), candidate.tanh(), out.sigmoid()
    new_state = forget * wide(state) + into * candidate
    store_all((out_hidden, out_state), (out * new_state.tanh(), new_state))
    store(gates, torch.cat((into, forget, candidate, out), -1))


@op("aclnnThnnFusedLstmCellBackward", work=pointwise(6, 0.25, outs=3))
def lstm_cell_backward(
    grad_hidden: Tensor | None,
    grad_state: Tensor | None,
    state: Tensor,
    new_state: Tensor,
    gates: Tensor,
    biased: bool,
    grad_gates: Tensor,
    grad_old_state: Tensor,
    grad_bias: Tensor | None,
) -> None:
    into, forget, candidate, out = wide(gates).chunk(4, -1)
    tangent = wide(new_state).tanh()
    to_hidden = _zeros_if_absent(grad_hidden, *state.shape)
    through = _zeros_if_absent(grad_state, *state.shape) + to_hidden * out * (1 - tangent.square())
    parts = (
        through * candidate * into * (1 - into),
        through * wide(state) * forget * (1 - forget),
        through * into * (1 - candidate.square()),
        to_hidden * tangent * out * (1 - out),
    )
    value = torch.cat(parts, -1)
    store_all((grad_gates, grad_old_state), (value, through * forget))
    if biased:
        store(grad_bias, value.sum(0))
