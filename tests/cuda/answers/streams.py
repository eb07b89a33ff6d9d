"""Streams, events and graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from answers.asking import Question, cuda, done, raised, within


def replayed(capture: Callable[[Any], Any]) -> list[float]:
    x = torch.zeros(2, device="cuda")
    graph = cuda.CUDAGraph()
    with capture(graph):
        y = x * 2 + 1
    done(lambda: x.fill_(3), graph.replay, cuda.synchronize)
    return list(y.tolist())


def graphed() -> Any:
    layer = torch.nn.Linear(3, 2, device="cuda")
    run = cuda.make_graphed_callables(layer, (torch.randn(4, 3, device="cuda", requires_grad=True),))
    x = torch.ones(4, 3, device="cuda")
    run(x).sum().backward()
    return torch.allclose(
        run(x), torch.nn.functional.linear(x, layer.weight, layer.bias)
    ), layer.weight.grad.shape


def elapsed() -> float:
    first, last = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    done(first.record, lambda: torch.ones(1000, device="cuda") * 2, last.record, last.synchronize)
    return float(first.elapsed_time(last))


ANSWERS: dict[str, Question] = {
    "CUDAGraph": (lambda: replayed(cuda.graph), [7.0, 7.0]),
    "graph": (lambda: replayed(lambda graph: cuda.graph(graph, stream=cuda.Stream())), [7.0, 7.0]),
    "graph_pool_handle": (
        lambda: replayed(lambda graph: cuda.graph(graph, pool=cuda.graph_pool_handle())),
        [7.0, 7.0],
    ),
    "make_graphed_callables": (graphed, (True, (2, 3))),
    "is_current_stream_capturing": (cuda.is_current_stream_capturing, False),
    "Event": (elapsed, float),
    "ExternalStream": (
        lambda: done(s := cuda.Stream, lambda: cuda.ExternalStream(s().cuda_stream).query()),
        True,
    ),
    "Stream": (
        lambda: (
            (s := cuda.Stream(priority=-1))
            and (s.priority, str(s.device), isinstance(s, torch.Stream), s.query())
        ),
        (-1, "cuda:0", True, True),
    ),
    "StreamContext": (
        lambda: within(cuda.StreamContext(s := cuda.Stream()), lambda: cuda.current_stream() == s),
        True,
    ),
    "stream": (lambda: within(cuda.stream(s := cuda.Stream()), lambda: cuda.current_stream() == s), True),
    "set_stream": (
        lambda: done(
            lambda: cuda.set_stream(cuda.default_stream()), lambda: cuda.current_stream().cuda_stream
        ),
        0,
    ),
    "current_stream": (
        lambda: repr(cuda.current_stream()),
        "<torch.cuda.Stream device=cuda:0 cuda_stream=0x0>",
    ),
    "default_stream": (lambda: cuda.default_stream() == cuda.current_stream(), True),
    "get_stream_from_external": (
        lambda: (s := cuda.Stream()) and cuda.get_stream_from_external(s.cuda_stream, 0) == s,
        True,
    ),
    "GreenContext": (
        lambda: raised(lambda: cuda.GreenContext.create(num_sms=8)),
        ("RuntimeError", "PyTorch was not built with Green Context support!"),
    ),
    "set_sync_debug_mode": (
        lambda: done(
            lambda: cuda.set_sync_debug_mode("error"),
            lambda: raised(torch.ones(1, device="cuda").item),
            lambda: cuda.set_sync_debug_mode(0),
        ),
        None,
    ),
    "get_sync_debug_mode": (lambda: cuda.get_sync_debug_mode(), 0),
    "synchronize": (lambda: cuda.synchronize("cuda:1"), None),
}
