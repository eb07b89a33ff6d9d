"""Captured graphs (`torch.npu.NPUGraph`): recording runs nothing, replaying runs it all on the same memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.needs_chip


def test_replay_reads_new_inputs() -> None:
    inputs = torch.zeros(8, device="npu")
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        outputs = inputs * 2 + 1
    for value in (3.0, 5.0):
        inputs.fill_(value)
        graph.replay()
        torch.npu.synchronize()
        assert outputs.cpu().tolist() == [2 * value + 1] * 8


def test_recording_computes_nothing() -> None:
    counter = torch.zeros(4, device="npu")
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        counter.add_(1)
    torch.npu.synchronize()
    assert counter.cpu().tolist() == [0.0] * 4
    for _ in range(3):
        graph.replay()
    assert counter.cpu().tolist() == [3.0] * 4


def test_other_streams_join_the_recording() -> None:
    inputs = torch.ones(16, device="npu")
    side = torch.npu.Stream()
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        left = inputs + 1
        side.wait_stream(torch.npu.current_stream())
        with torch.npu.stream(side):
            right = left * 3
        torch.npu.current_stream().wait_stream(side)
        outputs = left + right
    inputs.fill_(4)
    graph.replay()
    assert outputs.cpu().tolist() == [20.0] * 16


def test_training_step_in_a_graph() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1)).npu()
    inputs, targets = torch.randn(32, 8).npu(), torch.randn(32, 1).npu()

    def step() -> torch.Tensor:
        loss = nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(parameter.grad, alpha=-0.1)
                parameter.grad.zero_()
        return loss.detach()

    side = torch.npu.Stream()
    side.wait_stream(torch.npu.current_stream())
    with torch.npu.stream(side):
        for _ in range(2):
            step()
    torch.npu.current_stream().wait_stream(side)
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        loss = step()
    losses = []
    for _ in range(10):
        graph.replay()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] * 0.9


def test_random_numbers_advance_between_replays() -> None:
    graph = torch.npu.NPUGraph()
    torch.manual_seed(1)
    with torch.npu.graph(graph):
        drawn = torch.rand(100, device="npu")
    graph.replay()
    first = drawn.cpu()
    graph.replay()
    second = drawn.cpu()
    assert not torch.equal(first, second)
    assert second.min() >= 0 and second.max() < 1


def test_graphed_callables() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)).npu()
    sample = torch.randn(4, 8, device="npu")
    expected = model(sample * 2).sum()
    expected.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    graphed = torch.npu.make_graphed_callables(model, (sample,))
    result = graphed(sample * 2).sum()
    result.backward()
    assert torch.equal(result, expected)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_a_synchronisation_cannot_be_recorded() -> None:
    graph = torch.npu.NPUGraph()
    tensor = torch.ones(3, device="npu")
    with pytest.raises(RuntimeError), torch.npu.graph(graph):
        tensor.sum().item()
    torch.npu.synchronize()
    assert tensor.sum().item() == 3


def test_memory_of_a_graph_stays_its_own() -> None:
    graph = torch.npu.NPUGraph()
    inputs = torch.ones(1 << 16, device="npu")
    with torch.npu.graph(graph):
        outputs = (inputs + 1).sqrt() * 2
    for _ in range(5):
        torch.full((1 << 16,), float("nan"), device="npu")
    graph.replay()
    assert torch.equal(outputs.cpu(), (torch.ones(1 << 16) + 1).sqrt() * 2)
    graph.reset()
