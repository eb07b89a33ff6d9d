"""LSTM and GRU on the legacy path, one layer at a time. Weights stand transposed: (features, gates times hidden)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops.recurrent import Cell, CellGradient, gru, gru_backward, lstm, lstm_backward
from jumar.ops.recurrent_layers import Tensors, put, take
from jumar.ops.recurrent_work import BACKWARD_COST, GRU_COST, LSTM_COST, legacy_rule
from jumar.ops.registry import legacy
from jumar.ops.results import store_all, wide


def _reverse(attributes: dict[str, Any]) -> bool:
    return attributes.get("direction") == "REDIRECTIONAL"


def _legacy_active(mask: Tensor | None, length: int) -> Tensor | None:
    return None if mask is None or mask.dim() < 3 or mask.shape[0] != length else mask[..., :1] != 0


def _state(tensor: Tensor) -> Tensor:
    return take(tensor, *tensor.shape[-2:])


@legacy("DynamicRNN", work=legacy_rule(1, 4, LSTM_COST))
def dynamic_rnn(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    """One LSTM layer whose weights for input and state stand on top of each other, transposed."""
    sequence, weight, bias, mask, hidden, state = inputs[:6]
    features = sequence.shape[-1]
    cell = Cell(wide(weight[:features]).T, wide(weight[features:]).T, wide(bias))
    active = _legacy_active(mask, len(sequence))
    values = lstm(wide(sequence), _state(hidden), _state(state), cell, active, _reverse(attributes))
    for out, value in zip(outputs, values, strict=True):
        put(out, value)


@legacy("DynamicRNNV2", work=legacy_rule(1, 5, LSTM_COST))
def dynamic_rnn_v2(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    sequence, input_weight, hidden_weight, bias, mask, hidden, state = inputs[:7]
    cell = Cell(wide(input_weight).T, wide(hidden_weight).T, wide(bias))
    active = _legacy_active(mask, len(sequence))
    values = lstm(wide(sequence), _state(hidden), _state(state), cell, active, _reverse(attributes))
    for out, value in zip(outputs, values, strict=True):
        put(out, value)


def _legacy_lstm_backward(
    self: Tensor, cell: Cell, rest: Tensors, mask: Tensor | None, reverse: bool
) -> CellGradient:
    """`rest`: output, first hidden and state, all hidden and states, gradients of the three, i, j, f, o, tangent."""
    hidden = rest[1].shape[-1]
    sizes = (-1, rest[1].shape[-2], hidden)
    out, first_hidden, first_state, hiddens, states, to_outputs, to_hidden, to_state, *gates = rest
    length = out.numel() // (sizes[1] * hidden)
    sequence = wide(self).reshape(length, sizes[1], -1)
    whole = (length, sizes[1], hidden)
    return lstm_backward(
        sequence,
        (_state(first_hidden), _state(first_state)),
        (take(hiddens, *whole), take(states, *whole)),
        tuple(take(gate, *whole) for gate in gates),  # type: ignore[arg-type]
        (take(to_outputs, *whole), _state(to_hidden), _state(to_state)),
        cell,
        _legacy_active(mask, length),
        reverse,
    )


@legacy("DynamicRNNGrad", work=legacy_rule(1, 4, BACKWARD_COST, backward=True))
def dynamic_rnn_backward(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    self, weight, _, *rest = inputs[:16]
    features = self.shape[-1]
    cell = Cell(wide(weight[:features]).T, wide(weight[features:]).T)
    gradient = _legacy_lstm_backward(self, cell, rest, inputs[16], _reverse(attributes))
    to_weight = torch.cat((gradient.input_weight.T, gradient.hidden_weight.T))
    values = (to_weight, gradient.input_bias, gradient.sequence, gradient.hidden_state, gradient.cell_state)
    store_all(tuple(outputs), values)


@legacy("DynamicRNNV2Grad", work=legacy_rule(1, 4, BACKWARD_COST, backward=True))
def dynamic_rnn_v2_backward(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    self, input_weight, hidden_weight, *rest = inputs[:16]
    cell = Cell(wide(input_weight).T, wide(hidden_weight).T)
    gradient = _legacy_lstm_backward(self, cell, rest, inputs[16], _reverse(attributes))
    values = (
        gradient.input_weight.T,
        gradient.hidden_weight.T,
        gradient.input_bias,
        gradient.sequence,
        gradient.hidden_state,
        gradient.cell_state,
    )
    store_all(tuple(outputs), values)


@legacy("DynamicGRUV2", work=legacy_rule(1, 6, GRU_COST))
def dynamic_gru(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    sequence, input_weight, hidden_weight, input_bias, hidden_bias, _, hidden = inputs[:7]
    cell = Cell(wide(input_weight).T, wide(hidden_weight).T, wide(input_bias), wide(hidden_bias))
    y, h, reset, update, new, multiplied = gru(
        wide(sequence), _state(hidden), cell, None, _reverse(attributes)
    )
    for out, value in zip(outputs, (y, h, update, reset, new, multiplied), strict=True):
        put(out, value)


@legacy("DynamicGRUV2Grad", work=legacy_rule(1, 4, BACKWARD_COST, backward=True))
def dynamic_gru_backward(inputs: Tensors, outputs: Tensors, attributes: dict[str, Any]) -> None:
    sequence, input_weight, hidden_weight, _, first, hiddens, to_outputs, to_hidden, *gates = inputs[:12]
    update, reset, new, multiplied = gates
    whole = (*sequence.shape[:2], first.shape[-1])
    gradient = gru_backward(
        wide(sequence),
        _state(first),
        take(hiddens, *whole),
        tuple(take(gate, *whole) for gate in (reset, update, new, multiplied)),  # type: ignore[arg-type]
        (take(to_outputs, *whole), _state(to_hidden)),
        Cell(wide(input_weight).T, wide(hidden_weight).T),
        None,
        _reverse(attributes),
    )
    values = (
        gradient.input_weight.T,
        gradient.hidden_weight.T,
        gradient.input_bias,
        gradient.hidden_bias,
        gradient.sequence,
        gradient.hidden_state,
    )
    store_all(tuple(outputs), values)
