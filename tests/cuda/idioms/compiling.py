"""torch.compile and what belongs to it: results are those of eager execution."""

from __future__ import annotations

import torch
from torch import nn

from idioms import idiom


def agrees(**options: object) -> bool:
    torch._dynamo.reset()

    def work(x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x @ x.t()).sum(dim=-1) * 2

    x = torch.arange(12.0, device="cuda").reshape(3, 4)
    y = torch.compile(work, **options)(x)
    return y.is_cuda and torch.allclose(y, work(x))


@idiom("`torch.compile(f)`", "karpathy/nanoGPT/train.py", True)
def compiled() -> object:
    return agrees()


@idiom(
    "`torch.compile(f, mode='reduce-overhead', fullgraph=True)`", "meta-pytorch/gpt-fast/generate.py", True
)
def compiled_with_mode() -> object:
    return agrees(mode="reduce-overhead", fullgraph=True)


@idiom(
    "`torch.compile(f, backend='eager')` and `'aot_eager'`",
    "pytorch/pytorch/torch/_dynamo/backends/debugging.py",
    [True, True],
)
def compiled_by_other_backends() -> object:
    return [agrees(backend=backend) for backend in ("eager", "aot_eager")]


@idiom("`torch.compile(model)` trained for a step", "karpathy/nanoGPT/train.py", (True, "cuda:0"))
def compiled_model() -> object:
    torch._dynamo.reset()
    model = nn.Sequential(nn.Linear(4, 4), nn.GELU()).cuda()
    fast = torch.compile(model)
    x = torch.ones(2, 4, device="cuda")
    y = fast(x)
    y.sum().backward()
    return torch.allclose(y, model(x), atol=1e-6), str(model[0].weight.grad.device)


@idiom(
    "`model.compile()` and `_orig_mod.` in a state",
    "karpathy/nanoGPT/sample.py",
    (True, ["_orig_mod.weight"]),
)
def compiled_state() -> object:
    torch._dynamo.reset()
    model = nn.Linear(2, 2, bias=False).cuda()
    return isinstance(torch.compile(model), nn.Module), list(torch.compile(model).state_dict())


@idiom(
    "devices asked inside a compiled function",
    "pytorch/pytorch/torch/_dynamo/variables/builder.py",
    ("cuda:0", True),
)
def device_in_compiled() -> object:
    torch._dynamo.reset()

    @torch.compile(backend="eager", fullgraph=True)
    def work(x: torch.Tensor) -> tuple[torch.Tensor, bool]:
        y = torch.ones(2, device=x.device) + x
        return (y, x.is_cuda) if x.device.type == "cuda" else (x, False)

    y, there = work(torch.ones(2, device="cuda"))
    return str(y.device), there


@idiom("`torch._inductor.config.triton.cudagraphs = True`", "meta-pytorch/gpt-fast/generate.py", True)
def compiler_settings() -> object:
    import torch._inductor.config as config

    with config.patch({"triton.cudagraphs": True, "coordinate_descent_tuning": True}):
        return bool(config.triton.cudagraphs)


@idiom("`torch.compiler.cudagraph_mark_step_begin()`", "pytorch/pytorch/torch/compiler/__init__.py", None)
def mark_step() -> object:
    return torch.compiler.cudagraph_mark_step_begin()


@idiom("`fx.symbolic_trace` of a function with `'cuda'`", "pytorch/pytorch#68626", "cuda:0")
def symbolic_trace() -> object:
    import torch.fx

    traced = torch.fx.symbolic_trace(lambda x: x.to(torch.device("cuda")) + 1)
    return str(traced(torch.ones(1)).device)


@idiom("`torch.export.export` of a model there", "pytorch/pytorch#159665", True)
def exported() -> object:
    model = nn.Linear(4, 2).cuda().eval()
    x = torch.ones(3, 4, device="cuda")
    return torch.allclose(torch.export.export(model, (x,)).module()(x), model(x))
