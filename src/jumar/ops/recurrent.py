"""LSTM and GRU: the arithmetic over time, forward and backward, that the entry points in `recurrent_layers` share.

Sequences are (time, batch, features), computed in float32 where the input has 16 bits. `active` is None or a bool
tensor (time, batch, 1): where it is false, in a packed batch, the state stays and the output is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Cell:
    """Weights of one layer and direction, stored as PyTorch stores them: (gates times hidden, features)."""

    input_weight: Tensor
    hidden_weight: Tensor
    input_bias: Tensor | None = None
    hidden_bias: Tensor | None = None


@dataclass(frozen=True)
class CellGradient:
    """Gradients of the sequence, the first state and the weights; `cell_state` is None for a GRU."""

    sequence: Tensor
    hidden_state: Tensor
    cell_state: Tensor | None
    input_weight: Tensor
    hidden_weight: Tensor
    input_bias: Tensor
    hidden_bias: Tensor


def _steps(length: int, reverse: bool) -> range:
    return range(length - 1, -1, -1) if reverse else range(length)


def _keep(active: Tensor | None, step: int, new: Tensor, old: Tensor) -> Tensor:
    return new if active is None else torch.where(active[step], new, old)


def _blank(like: Tensor, hidden: int, count: int) -> list[Tensor]:
    return [like.new_empty(like.shape[0], like.shape[1], hidden) for _ in range(count)]


def _previous(states: Tensor, first: Tensor, reverse: bool) -> Tensor:
    """The state before each step, from the state after each step."""
    parts = (states[1:], first[None]) if reverse else (first[None], states[:-1])
    return torch.cat(parts)


def _masked(values: Tensor, active: Tensor | None) -> Tensor:
    return values if active is None else values * active


def lstm(
    sequence: Tensor, hidden: Tensor, state: Tensor, cell: Cell, active: Tensor | None, reverse: bool
) -> list[Tensor]:
    """For each step: output, hidden state, cell state, gates i, j (candidate), f, o, and the tangent of the state."""
    outputs = _blank(sequence, hidden.shape[-1], 8)
    from_input = torch.nn.functional.linear(sequence, cell.input_weight, cell.input_bias)
    for step in _steps(len(sequence), reverse):
        gates = torch.nn.functional.linear(hidden, cell.hidden_weight, cell.hidden_bias).add_(
            from_input[step]
        )
        into, forget, candidate, out = gates.chunk(4, 1)
        into, forget, candidate, out = into.sigmoid(), forget.sigmoid(), candidate.tanh(), out.sigmoid()
        new_state = forget * state + into * candidate
        tangent = new_state.tanh()
        new_hidden = out * tangent
        state = _keep(active, step, new_state, state)
        hidden = _keep(active, step, new_hidden, hidden)
        values = (hidden, hidden, state, into, candidate, forget, out, tangent)
        for output, value in zip(outputs, values, strict=True):
            output[step] = value
    outputs[0] = _masked(outputs[0], active)
    return outputs


def lstm_backward(
    sequence: Tensor,
    first: tuple[Tensor, Tensor],
    states: tuple[Tensor, Tensor],
    gates: tuple[Tensor, Tensor, Tensor, Tensor, Tensor],
    grads: tuple[Tensor, Tensor, Tensor],
    cell: Cell,
    active: Tensor | None,
    reverse: bool,
) -> CellGradient:
    """`states` and `gates` (i, j, f, o, tangent) are the forward's; `grads` of outputs, last hidden and last state."""
    into, candidate, forget, out, tangent = gates
    to_outputs, to_hidden, to_state = grads
    to_outputs = _masked(to_outputs, active)
    state_before = _previous(states[1], first[1], reverse)
    to_gates = sequence.new_zeros(*sequence.shape[:2], 4 * to_hidden.shape[-1])
    for step in _steps(len(sequence), not reverse):
        whole = to_hidden + to_outputs[step]
        through = to_state + whole * out[step] * (1 - tangent[step].square())
        parts = (
            through * candidate[step] * into[step] * (1 - into[step]),
            through * state_before[step] * forget[step] * (1 - forget[step]),
            through * into[step] * (1 - candidate[step].square()),
            whole * tangent[step] * out[step] * (1 - out[step]),
        )
        to_gates[step] = _masked(torch.cat(parts, 1), None if active is None else active[step])
        to_hidden = _keep(active, step, to_gates[step] @ cell.hidden_weight, to_hidden)
        to_state = _keep(active, step, through * forget[step], to_state)
    before = _previous(states[0], first[0], reverse)
    weights = _weight_gradients(sequence, before, to_gates, to_gates)
    return CellGradient(to_gates @ cell.input_weight, to_hidden, to_state, *weights)


def _weight_gradients(
    sequence: Tensor, before: Tensor, to_input_gates: Tensor, to_hidden_gates: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    flat_input, flat_hidden = to_input_gates.flatten(0, 1), to_hidden_gates.flatten(0, 1)
    return (
        flat_input.mT @ sequence.flatten(0, 1),
        flat_hidden.mT @ before.flatten(0, 1),
        flat_input.sum(0),
        flat_hidden.sum(0),
    )


def gru(sequence: Tensor, hidden: Tensor, cell: Cell, active: Tensor | None, reverse: bool) -> list[Tensor]:
    """For each step: output, hidden state, gates r (reset), z (update), n (new), and what the reset gate multiplies."""
    outputs = _blank(sequence, hidden.shape[-1], 6)
    from_input = torch.nn.functional.linear(sequence, cell.input_weight, cell.input_bias)
    for step in _steps(len(sequence), reverse):
        input_parts = from_input[step].chunk(3, 1)
        from_hidden = torch.nn.functional.linear(hidden, cell.hidden_weight, cell.hidden_bias)
        hidden_parts = from_hidden.chunk(3, 1)
        reset = (hidden_parts[0] + input_parts[0]).sigmoid()
        update = (hidden_parts[1] + input_parts[1]).sigmoid()
        new = (input_parts[2] + hidden_parts[2] * reset).tanh()
        hidden = _keep(active, step, (hidden - new).mul_(update).add_(new), hidden)
        for output, value in zip(outputs, (hidden, hidden, reset, update, new, hidden_parts[2]), strict=True):
            output[step] = value
    outputs[0] = _masked(outputs[0], active)
    return outputs


def gru_backward(
    sequence: Tensor,
    first: Tensor,
    states: Tensor,
    gates: tuple[Tensor, Tensor, Tensor, Tensor],
    grads: tuple[Tensor, Tensor],
    cell: Cell,
    active: Tensor | None,
    reverse: bool,
) -> CellGradient:
    """`gates` are r, z, n and what r multiplies; `grads` those of the outputs and of the last hidden state."""
    reset, update, new, multiplied = gates
    to_outputs, to_hidden = grads
    to_outputs = _masked(to_outputs, active)
    before = _previous(states, first, reverse)
    size = to_hidden.shape[-1]
    to_input_gates = sequence.new_zeros(*sequence.shape[:2], 3 * size)
    to_hidden_gates = torch.zeros_like(to_input_gates)
    for step in _steps(len(sequence), not reverse):
        whole = to_hidden + to_outputs[step]
        to_new = whole * (1 - update[step]) * (1 - new[step].square())
        to_update = whole * (before[step] - new[step]) * update[step] * (1 - update[step])
        to_reset = to_new * multiplied[step] * reset[step] * (1 - reset[step])
        mask = None if active is None else active[step]
        to_input_gates[step] = _masked(torch.cat((to_reset, to_update, to_new), 1), mask)
        to_hidden_gates[step] = _masked(torch.cat((to_reset, to_update, to_new * reset[step]), 1), mask)
        through = whole * update[step] + to_hidden_gates[step] @ cell.hidden_weight
        to_hidden = _keep(active, step, through, to_hidden)
    weights = _weight_gradients(sequence, before, to_input_gates, to_hidden_gates)
    return CellGradient(to_input_gates @ cell.input_weight, to_hidden, None, *weights)
