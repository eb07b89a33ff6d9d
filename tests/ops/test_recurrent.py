"""LSTM and GRU on both operator paths against torch.nn on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from .compare import assert_near, call

T, B, FEATURES, H = 5, 3, 4, 6


def _legacy(name: str, inputs: list[Any], outputs: list[Tensor], direction: str = "UNIDIRECTIONAL") -> None:
    call(f"aclop:{name}", inputs, outputs, {"direction": direction})


def _blanks(count: int, *sizes: int) -> list[Tensor]:
    return [torch.full(sizes, 7.0) for _ in range(count)]


def _grads(
    module: nn.Module, inputs: list[Tensor], outputs: list[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    grads = [torch.randn(output.shape) for output in outputs]
    leaves = [*inputs, *module.parameters()]
    return grads, list(torch.autograd.grad(outputs, leaves, grads))


@pytest.mark.parametrize("layers", (1, 2))
@pytest.mark.parametrize("bidirectional", (False, True))
@pytest.mark.parametrize("batch_first", (False, True))
@pytest.mark.parametrize("bias", (False, True))
@pytest.mark.parametrize("kind", ("LSTM", "GRU"))
def test_stack(kind: str, bias: bool, batch_first: bool, bidirectional: bool, layers: int) -> None:
    module = getattr(nn, kind)(FEATURES, H, layers, bias, batch_first, bidirectional=bidirectional)
    directions = 2 if bidirectional else 1
    count = layers * directions
    self = torch.randn(*((B, T) if batch_first else (T, B)), FEATURES, requires_grad=True)
    first = [torch.randn(count, B, H, requires_grad=True) for _ in range(2 if kind == "LSTM" else 1)]
    wanted, last = module(self, tuple(first) if kind == "LSTM" else first[0])
    lasts = list(last) if kind == "LSTM" else [last]
    params = [param.detach() for param in module.parameters()]
    gates = [_blanks(count, T, B, H) for _ in range(7 if kind == "LSTM" else 5)]
    outs = _blanks(1, *wanted.shape) + _blanks(len(first), count, B, H)
    states = [tensor.detach() for tensor in first] if kind == "LSTM" else first[0].detach()
    call(
        f"aclnn{kind}",
        self.detach(), params, states, None, bias, layers, 0.0, True, bidirectional, batch_first, *outs, *gates,
    )  # fmt: skip
    for got, reference in zip(outs, (wanted, *lasts), strict=True):
        assert_near(got, reference.detach())

    grads, references = _grads(module, [self, *first], [wanted, *lasts])
    results = [torch.empty(reference.shape) for reference in references]
    rest = results[1 + len(first) :]
    if kind == "LSTM":
        call(
            "aclnnLstmBackward",
            self.detach(), states, params, *grads, *gates, None, bias, layers, 0.0, True, bidirectional,
            batch_first, None, *results[:3], rest,
        )  # fmt: skip
    else:
        call(
            "aclnnGRUBackward",
            self.detach(), params, states, *grads, *gates, None, bias, layers, bidirectional, batch_first,
            *results[:2], rest,
        )  # fmt: skip
    for got, reference in zip(results, references, strict=True):
        assert_near(got, reference)


@pytest.mark.parametrize("kind", ("LSTM", "GRU"))
def test_packed_batch(kind: str) -> None:
    """A packed batch reaches the chip padded, with the number of sequences that are still alive at each step."""
    module = getattr(nn, kind)(FEATURES, H, bidirectional=True)
    self, lengths = torch.randn(T, B, FEATURES), torch.tensor([5, 3, 2])
    packed = nn.utils.rnn.pack_padded_sequence(self, lengths)
    result, last = module(packed)
    wanted, _ = nn.utils.rnn.pad_packed_sequence(result)
    lasts = list(last) if kind == "LSTM" else [last]
    zeros = torch.zeros(2, B, H)
    outs = _blanks(1, T, B, 2 * H) + _blanks(len(lasts), 2, B, H)
    call(
        f"aclnn{kind}",
        self.flatten(0, 1), [param.detach() for param in module.parameters()],
        [zeros, zeros] if kind == "LSTM" else zeros, packed.batch_sizes, True, 1, 0.0, False, True, False,
        *outs, *([[]] * (7 if kind == "LSTM" else 5)),
    )  # fmt: skip
    for got, reference in zip(outs, (wanted, *lasts), strict=True):
        assert_near(got, reference.detach())


def test_legacy_lstm() -> None:
    module = nn.LSTM(FEATURES, H)
    self, h, c = (
        torch.randn(*sizes, requires_grad=True) for sizes in ((T, B, FEATURES), (1, B, H), (1, B, H))
    )
    wanted, (last_h, last_c) = module(self, (h, c))
    w_ih, w_hh, b_ih, b_hh = (param.detach() for param in module.parameters())
    weight, bias = torch.cat((w_ih, w_hh), 1).t(), b_ih + b_hh
    plain = [tensor.detach() for tensor in (self, h, c)]
    outs = _blanks(8, T, B, H)
    _legacy("DynamicRNN", [plain[0], weight, bias, None, plain[1], plain[2]], outs)
    assert_near(outs[0], wanted.detach())
    assert_near(outs[2][-1:], last_c.detach())

    grads, (to_self, to_h, to_c, to_w_ih, to_w_hh, to_b, _) = _grads(
        module, [self, h, c], [wanted, last_h, last_c]
    )
    results = [
        torch.empty(sizes) for sizes in ((FEATURES + H, 4 * H), (4 * H,), (T, B, FEATURES), (B, H), (B, H))
    ]
    inputs = [plain[0], weight, bias, outs[0], plain[1][0], plain[2][0], outs[1], outs[2]]
    inputs += [grads[0], grads[1][0], grads[2][0], *outs[3:], torch.zeros(())]
    _legacy("DynamicRNNGrad", inputs, results)
    references = (torch.cat((to_w_ih, to_w_hh), 1).t(), to_b, to_self, to_h[0], to_c[0])
    for got, reference in zip(results, references, strict=True):
        assert_near(got, reference)


def test_legacy_gru() -> None:
    module = nn.GRU(FEATURES, H)
    self, h = torch.randn(T, B, FEATURES, requires_grad=True), torch.randn(1, B, H, requires_grad=True)
    wanted, last = module(self, h)
    w_ih, w_hh, b_ih, b_hh = (param.detach() for param in module.parameters())
    outs = _blanks(6, T, B, H)
    inputs = [self.detach(), w_ih.t(), w_hh.t(), b_ih, b_hh, None, h.detach()[0]]
    _legacy("DynamicGRUV2", inputs, outs)
    assert_near(outs[0], wanted.detach())
    grads, (to_self, to_h, *to_params) = _grads(module, [self, h], [wanted, last])
    sizes = ((FEATURES, 3 * H), (H, 3 * H), (3 * H,), (3 * H,), (T, B, FEATURES), (B, H))
    results = [torch.empty(size) for size in sizes]
    inputs = [*inputs[:3], outs[0], h.detach()[0], outs[1], grads[0], grads[1][0], *outs[2:]]
    _legacy("DynamicGRUV2Grad", inputs, results)
    references = (to_params[0].t(), to_params[1].t(), *to_params[2:], to_self, to_h[0])
    for got, reference in zip(results, references, strict=True):
        assert_near(got, reference)


def test_lstm_cell() -> None:
    cell = nn.LSTMCell(FEATURES, H)
    self, h, c = (torch.randn(B, size, requires_grad=True) for size in (FEATURES, H, H))
    new_h, new_c = cell(self, (h, c))
    w_ih, w_hh, b_ih, b_hh = (param.detach() for param in cell.parameters())
    from_input, from_hidden = self.detach() @ w_ih.t(), h.detach() @ w_hh.t()
    outs = [*_blanks(2, B, H), *_blanks(1, B, 4 * H)]
    call("aclnnThnnFusedLstmCell", from_input, from_hidden, c.detach(), b_ih, b_hh, *outs)
    assert_near(outs[0], new_h.detach())
    assert_near(outs[1], new_c.detach())
    grads, (to_self, _, to_c, _, _, to_bias, _) = _grads(cell, [self, h, c], [new_h, new_c])
    results = [*_blanks(1, B, 4 * H), *_blanks(1, B, H), *_blanks(1, 4 * H)]
    call("aclnnThnnFusedLstmCellBackward", *grads, c.detach(), new_c.detach(), outs[2], True, *results)
    assert_near(results[0] @ w_ih, to_self)
    assert_near(results[1], to_c)
    assert_near(results[2], to_bias)
