"""CUDA graphs: capturing work once, replaying it with other data."""

from __future__ import annotations

import torch
from torch import nn

from idioms import idiom


@idiom(
    "`with torch.cuda.graph(g):` and `g.replay()`",
    "pytorch/pytorch/docs/source/notes/cuda.rst",
    ([2.0, 2.0], [6.0, 6.0]),
)
def capture_and_replay() -> object:
    x = torch.ones(2, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        y = x * 2
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = x * 2
    graph.replay()
    first = y.tolist()
    x.fill_(3)
    graph.replay()
    return first, y.tolist()


@idiom("a model captured for decoding", "vllm-project/vllm/vllm/compilation/cuda_graph.py", [True, True])
def captured_model() -> object:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).cuda().eval()
    x, graph, same = torch.zeros(3, 4, device="cuda"), torch.cuda.CUDAGraph(), []
    with torch.no_grad():
        for _ in range(2):
            model(x)
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            y = model(x)
        for _ in range(2):
            new = torch.randn(3, 4, device="cuda")
            x.copy_(new)
            graph.replay()
            same.append(torch.allclose(y, model(new), atol=1e-6))
    return same


@idiom(
    "`torch.cuda.is_current_stream_capturing()`",
    "vllm-project/vllm/vllm/distributed/device_communicators/custom_all_reduce.py",
    (False, True, False),
)
def capturing() -> object:
    x, graph = torch.ones(2, device="cuda"), torch.cuda.CUDAGraph()
    before = torch.cuda.is_current_stream_capturing()
    with torch.cuda.graph(graph):
        inside = torch.cuda.is_current_stream_capturing()
        x.add_(1)
    return before, inside, torch.cuda.is_current_stream_capturing()


@idiom("`capture_begin`, `capture_end` on a side stream", "pytorch/pytorch#15623", [4.0, 4.0])
def capture_by_hand() -> object:
    x, graph, stream = torch.ones(2, device="cuda"), torch.cuda.CUDAGraph(), torch.cuda.Stream()
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        graph.capture_begin()
        x.mul_(2)
        graph.capture_end()
    for _ in range(2):
        graph.replay()
    torch.cuda.synchronize()
    return x.tolist()


@idiom(
    "two graphs of one pool: `torch.cuda.graph(g, pool=…)`",
    "vllm-project/vllm/vllm/compilation/cuda_graph.py",
    (3.0, 6.0),
)
def shared_pool() -> object:
    x, pool = torch.ones(1, device="cuda"), torch.cuda.graph_pool_handle()
    first, second = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
    with torch.cuda.graph(first, pool=pool):
        y = x + 2
    with torch.cuda.graph(second, pool=first.pool()):
        z = y * 2
    first.replay()
    second.replay()
    return y.item(), z.item()


@idiom(
    "`torch.cuda.make_graphed_callables(model, (x,))`", "pytorch/pytorch/torch/cuda/graphs.py", (True, True)
)
def graphed_callables() -> object:
    torch.manual_seed(0)
    model = nn.Linear(4, 2).cuda()
    x = torch.randn(3, 4, device="cuda")
    wanted = model(x).detach().clone()
    graphed = torch.cuda.make_graphed_callables(model, (torch.randn(3, 4, device="cuda"),))
    y = graphed(x)
    y.sum().backward()
    return torch.allclose(y, wanted, atol=1e-6), model.weight.grad is not None


@idiom("`g.reset()` and `torch.cuda.graphs`", "pytorch/pytorch/torch/cuda/graphs.py", (None, True))
def graph_reset() -> object:
    graph = torch.cuda.CUDAGraph()
    x = torch.ones(1, device="cuda")
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        x.add_(1)
    return graph.reset(), torch.cuda.graphs.CUDAGraph is torch.cuda.CUDAGraph
