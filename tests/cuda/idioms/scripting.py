"""TorchScript: scripted and traced functions that name devices."""

from __future__ import annotations

import io

import torch
from torch import nn

from idioms import idiom


@idiom(
    "`torch.jit.script(gelu)` compiles", "vllm-project/vllm-ascend#516", ("ScriptFunction", "cuda:0", True)
)
def script() -> object:
    def gelu(x: torch.Tensor) -> torch.Tensor:
        return x * 0.5 * (1.0 + torch.tanh(0.79788456 * x * (1 + 0.044715 * x * x)))

    fused = torch.jit.script(gelu)
    x = torch.linspace(-2, 2, 9, device="cuda")
    return type(fused).__name__, str(fused(x).device), torch.allclose(fused(x), gelu(x), atol=1e-5)


@idiom("`x.is_cuda` in a script", "pytorch/pytorch/test/test_jit.py", [True, False])
def is_cuda_in_script() -> object:
    @torch.jit.script
    def ask(x: torch.Tensor) -> bool:
        return x.is_cuda

    return [ask(torch.ones(1, device="cuda")), ask(torch.ones(1))]


@idiom("`x.cuda()` in a script", "pytorch/pytorch#15754", "cuda:0")
def cuda_in_script() -> object:
    @torch.jit.script
    def move(x: torch.Tensor) -> torch.Tensor:
        return x.cuda()

    return str(move(torch.ones(1)).device)


@idiom(
    "`x.to('cuda')` and `torch.device('cuda:1')` in a script",
    "pytorch/pytorch#68626",
    ["cuda:0", "cuda:1", "cuda:0"],
)
def device_in_script() -> object:
    @torch.jit.script
    def move(x: torch.Tensor):
        y = x.to("cuda")
        return y, x.to(torch.device("cuda:1")), torch.zeros([2], device=y.device)

    return [str(y.device) for y in move(torch.ones(1))]


@idiom(
    "`x.device.type == 'cuda'` in a script",
    "pytorch/audio/src/torchaudio/functional/filtering.py",
    ["cuda", "cpu"],
)
def device_type_in_script() -> object:
    @torch.jit.script
    def ask(x: torch.Tensor) -> str:
        if x.device.type == "cuda":
            return "cuda"
        return "cpu"

    return [ask(torch.ones(1, device="cuda")), ask(torch.ones(1))]


@idiom("`torch.jit.trace(model.cuda(), x.cuda())`", "ultralytics/yolov5/export.py", ("cuda:0", True))
def trace() -> object:
    model = nn.Sequential(nn.Linear(4, 2), nn.ReLU()).cuda().eval()
    x = torch.ones(3, 4, device="cuda")
    traced = torch.jit.trace(model, x)
    return str(traced(x).device), torch.allclose(traced(x), model(x))


@idiom("a traced factory keeps its device", "openai/CLIP/clip/clip.py", (True, "cuda:0"))
def traced_device() -> object:
    traced = torch.jit.trace(lambda x: x + torch.ones(2, device="cuda"), torch.zeros(2, device="cuda"))
    return 'device="cuda:0"' in str(traced.graph) or 'value="cuda' in str(traced.graph), str(
        traced(torch.zeros(2).cuda()).device
    )


@idiom(
    "`torch.jit.save`, `torch.jit.load(file, map_location='cuda')`",
    "snakers4/silero-vad/src/silero_vad/utils_vad.py",
    ["cuda:0", "cpu", "cuda:1"],
)
def script_file() -> object:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2).cuda()), file)
    seen = []
    for where in ("cuda", "cpu", torch.device("cuda:1")):
        file.seek(0)
        seen.append(str(next(torch.jit.load(file, map_location=where).parameters()).device))
    return seen


@idiom(
    "`torch.jit.script(model).cuda().half()`",
    "pytorch/pytorch/torch/jit/_script.py",
    ("cuda:0", torch.float16),
)
def script_module_moved() -> object:
    weight = next(torch.jit.script(nn.Linear(2, 2)).cuda().half().parameters())
    return str(weight.device), weight.dtype


@idiom("`torch.jit.freeze(torch.jit.script(model.eval()))`", "pytorch/pytorch/torch/jit/_freeze.py", "cuda:0")
def frozen() -> object:
    model = torch.jit.freeze(torch.jit.script(nn.Linear(4, 2).cuda().eval()))
    return str(model(torch.ones(1, 4, device="cuda")).device)


@idiom("`class M(torch.jit.ScriptModule)` with `script_method`", "pytorch/benchmark#996", (True, "cuda:0"))
def script_method() -> object:
    class Scaled(torch.jit.ScriptModule):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((2,), 2.0))

        @torch.jit.script_method
        def forward(self, x):
            return x * self.weight

    y = Scaled().cuda()(torch.ones(2, device="cuda"))
    return y.tolist() == [2.0, 2.0], str(y.device)
