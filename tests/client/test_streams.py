"""Streams, events, copies that do not wait, pinned memory and host callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch

pytestmark = pytest.mark.needs_chip


def test_operators_of_a_stream_run_in_order() -> None:
    stream = torch.npu.Stream()
    tensor = torch.zeros(1000, device="npu")
    torch.npu.synchronize()
    with torch.npu.stream(stream):
        for _ in range(200):
            tensor.add_(1).mul_(1)
    stream.synchronize()
    assert stream.query()
    assert tensor.cpu().unique().tolist() == [200.0]


def test_a_stream_waits_for_another() -> None:
    one, two = torch.npu.Stream(), torch.npu.Stream()
    tensor = torch.zeros(256, 256, device="npu")
    torch.npu.synchronize()
    for step in range(20):
        with torch.npu.stream(one):
            tensor.add_(1)
            ready = one.record_event()
        two.wait_event(ready)
        with torch.npu.stream(two):
            tensor.mul_(2)
        one.wait_stream(two)
        expected = 2.0 ** (step + 2) - 2
    torch.npu.synchronize()
    assert tensor[0, 0].item() == expected


def test_events_tell_time() -> None:
    start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
    tensor = torch.ones(300, 300, device="npu")
    start.record()
    for _ in range(20):
        tensor = tensor @ tensor / 300
    end.record()
    end.synchronize()
    assert end.query() and start.query()
    assert 0 < start.elapsed_time(end) < 60_000
    with pytest.raises(RuntimeError):
        start.elapsed_time(torch.npu.Event(enable_timing=True))


def test_an_event_not_recorded_is_done() -> None:
    event = torch.npu.Event()
    assert event.query()
    event.synchronize()


@pytest.mark.parametrize("elements", [10, 1 << 20])
def test_pinned_memory_and_copies_that_do_not_wait(elements: int) -> None:
    host = torch.arange(elements, dtype=torch.float32).pin_memory()
    assert host.is_pinned() and not torch.ones(2).is_pinned()
    tensor = host.to("npu", non_blocking=True)
    tensor = tensor * 2
    back = torch.empty(elements).pin_memory()
    back.copy_(tensor, non_blocking=True)
    torch.npu.current_stream().synchronize()
    assert torch.equal(back, host * 2)


def test_pageable_source_may_be_reused_at_once() -> None:
    host = torch.ones(1 << 16)
    tensor = host.to("npu", non_blocking=True)
    torch.npu.synchronize()
    host.zero_()
    assert tensor.sum().item() == 1 << 16


def test_memory_used_by_another_stream_is_not_handed_out() -> None:
    stream = torch.npu.Stream()
    for _ in range(30):
        tensor = torch.full((1 << 18,), 3.0, device="npu")
        stream.wait_stream(torch.npu.current_stream())
        with torch.npu.stream(stream):
            total = (tensor + tensor).sum()
        tensor.record_stream(stream)
        del tensor
        torch.zeros(1 << 18, device="npu")
        stream.synchronize()
        assert total.item() == 6 * (1 << 18)


def test_host_callbacks_run_in_the_order_of_the_stream() -> None:
    import torch_npu

    seen: list[int] = []
    stream = torch.npu.Stream()
    torch_npu.npu._subscribe_report(stream)
    try:
        with torch.npu.stream(stream):
            tensor = torch.zeros(100, device="npu")
            for number in range(10):
                tensor.add_(1)
                torch_npu.npu._launch_host_func(stream, seen.append, number)
        stream.synchronize()
    finally:
        torch_npu.npu._unsubscribe_report(stream)
    assert seen == list(range(10))


def test_autograd_from_many_threads() -> None:
    weight = torch.ones(64, 64, device="npu", requires_grad=True)
    gradients: dict[int, torch.Tensor] = {}

    def work(number: int) -> None:
        inputs = torch.full((64, 64), float(number), device="npu")
        for _ in range(5):
            (gradients[number],) = torch.autograd.grad((inputs @ weight).tanh().sum() + (weight * number).sum(), weight)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "deadlock"
    for number, gradient in gradients.items():
        inputs = torch.full((64, 64), float(number))
        here = torch.ones(64, 64, requires_grad=True)
        (expected,) = torch.autograd.grad((inputs @ here).tanh().sum() + (here * number).sum(), here)
        torch.testing.assert_close(gradient.cpu(), expected)


def test_threads_with_streams_of_their_own() -> None:
    results: list[float] = []

    def work() -> None:
        with torch.npu.stream(torch.npu.Stream()):
            tensor = torch.ones(1000, device="npu")
            for _ in range(50):
                tensor = tensor + 1
            results.append(tensor.sum().item())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [51_000.0] * 4


PROGRAM = """
import threading
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Dropout(0.1), nn.LayerNorm(32), nn.Linear(32, 4)).to(DEVICE)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
inputs, labels = torch.randn(64, 16).to(DEVICE), torch.randint(0, 4, (64,)).to(DEVICE)
stream = torch.npu.Stream()
first = None
for step in range(30):
    with torch.autocast("npu", torch.bfloat16):
        loss = nn.functional.cross_entropy(model(inputs), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.npu.stream(stream):
        copied = inputs.to("cpu", non_blocking=True)
    first = loss.item() if first is None else first
torch.npu.synchronize()
assert loss.item() < first - 0.05, (first, loss.item())
print("done", loss.item())
"""


WAYS = [
    *({"TASK_QUEUE_ENABLE": value} for value in ("0", "1", "2")),
    {"ASCEND_LAUNCH_BLOCKING": "1"},
    {"PER_STREAM_QUEUE": "1"},
    {"TASK_QUEUE_ENABLE": "2", "PYTORCH_NPU_ALLOC_CONF": "expandable_segments:True"},
]


def test_ways_to_queue_agree(machine: Callable) -> None:
    """Started together, because most of the time goes into importing torch."""
    server = machine()
    started = [server.start(PROGRAM, env) for env in WAYS]
    results = [process.communicate(timeout=280) for process in started]
    for env, (out, errors) in zip(WAYS, results, strict=True):
        assert out.startswith("done"), f"{env}: {out} {errors[-4000:]}"
    assert len({out for out, _ in results}) == 1
