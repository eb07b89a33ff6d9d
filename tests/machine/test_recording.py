"""What `jumar verify` sees of a program: its modules by name, and random numbers that no device changes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from jumar.machine import randomness, recording, referee
from jumar.patches import apply


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"out": self.drop(self.first(x)), "note": "no tensor"}


@pytest.fixture
def recorder() -> Iterator[recording.Recorder]:
    from torch.nn.modules import module as modules

    made = recording.Recorder(io.StringIO(), calls=2)
    handles = [
        modules.register_module_forward_pre_hook(made.before),
        modules.register_module_forward_hook(made.after),
    ]
    yield made
    for handle in handles:
        handle.remove()


def events(recorder: recording.Recorder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recorder.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_names_order_and_calls(recorder: recording.Recorder) -> None:
    net = Net()
    for _ in range(3):
        net(torch.ones(2, 3))["out"].sum().backward()
    seen = [(one["kind"], one["module"], one["call"]) for one in events(recorder)]
    assert seen[:6] == [
        ("input", "Net", 1),
        ("input", "Net.first", 1),
        ("activation", "Net.first", 1),
        ("input", "Net.drop", 1),
        ("activation", "Net.drop", 1),
        ("activation", "Net", 1),
    ]
    assert ("gradient", "Net.first", 1) in seen and not [one for one in seen if one[2] > 2]
    second = Net()
    second(torch.ones(2, 3))
    assert events(recorder)[-1]["module"] == "Net#2"


def test_a_scaled_loss_counts_without_its_scale(recorder: recording.Recorder) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    net = Net()
    loss = net(torch.ones(2, 3))["out"].sum()
    scaled = scaler.scale(loss)
    recorder.scaling(scaler, loss, scaled)
    recorder.loss(scaled)
    scaled.backward()
    seen = {one["kind"]: one for one in events(recorder) if one["module"] in ("Net", "loss")}
    assert seen["loss"]["sum"] == pytest.approx(loss.item())
    assert seen["gradient"]["largest"] == 1.0


def test_figures() -> None:
    facts = recording.figures(torch.tensor([3.0, -4.0, float("inf")]))
    assert facts is not None
    assert (facts["norm"], facts["sum"], facts["largest"], facts["not_finite"]) == (5.0, -1.0, 4.0, 1)
    assert recording.figures(torch.empty(3, device="meta")) is None
    assert recording.figures(torch.eye(3).to_sparse()) is None


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.rand(5),
        lambda: torch.randn(2, 3, dtype=torch.float64),
        lambda: torch.randn_like(torch.ones(4)),
        lambda: torch.randint(0, 9, (6,)),
        lambda: torch.randint_like(torch.ones(4), 3),
        lambda: torch.randperm(7),
        lambda: torch.empty(3).uniform_(2, 3),
        lambda: nn.Linear(2, 2).weight.detach(),
        lambda: torch.bernoulli(torch.full((8,), 0.5)),
        lambda: torch.multinomial(torch.ones(5), 3),
        lambda: torch.normal(0.0, 1.0, (3,)),
        lambda: torch.normal(torch.zeros(3)),
        lambda: F.dropout(torch.ones(16), 0.5),
        lambda: torch.rand(3, generator=torch.Generator().manual_seed(5)),
        lambda: F.scaled_dot_product_attention(*torch.ones(3, 1, 2, 4, 8).unbind(), dropout_p=0.3),
    ],
)
def test_draws_are_repeatable_and_of_the_right_kind(draw: Any) -> None:
    plain = draw()
    applied = apply(randomness.PATCHES)
    try:
        torch.manual_seed(3)
        first = draw()
        torch.manual_seed(3)
        second = draw()
    finally:
        applied.undo()
    assert torch.equal(first, second)
    assert (first.shape, first.dtype, first.device) == (plain.shape, plain.dtype, plain.device)


def test_double_precision_draws_what_single_draws() -> None:
    applied = apply(randomness.PATCHES)
    try:
        torch.manual_seed(3)
        single = torch.randn(5)
        torch.manual_seed(3)
        double = torch.randn(5, dtype=torch.float64)
    finally:
        applied.undo()
    assert torch.equal(single.double(), double)


def test_the_scaler_in_double_precision() -> None:
    found, gradient = torch.zeros(1), torch.full((3,), 8.0, dtype=torch.float64)
    referee.OF_SCALER["_amp_foreach_non_finite_check_and_unscale_"]([gradient], found, torch.tensor(0.5))
    assert gradient.tolist() == [4.0] * 3 and not found.item()
    scale, tracker = torch.tensor(16.0), torch.zeros(1, dtype=torch.int32)
    update = referee.OF_SCALER["_amp_update_scale_"]
    assert update(scale, tracker, torch.ones(1), 2.0, 0.5, 1).item() == 8.0
    assert update(scale, tracker, torch.zeros(1), 2.0, 0.5, 1).item() == 16.0
