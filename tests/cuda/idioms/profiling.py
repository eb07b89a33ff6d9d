"""Profilers and the marks that programs leave for them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, record_function, schedule

from idioms import idiom

BOTH = [ProfilerActivity.CPU, ProfilerActivity.CUDA]


def work() -> None:
    x = torch.ones(16, 16, device="cuda")
    torch.mm(x, x).sum().item()


@idiom(
    "`profile(activities=[CPU, CUDA])` and a table by `cuda_time_total`",
    "pytorch/pytorch#60783",
    (True, True, False),
)
def table() -> object:
    with profile(activities=BOTH, record_shapes=True) as found, record_function("my_range"):
        work()
    text = found.key_averages().table(sort_by="cuda_time_total", row_limit=20)
    return "aten::mm" in text, "my_range" in text, "NPU" in text


@idiom(
    "`sort_by='self_device_time_total'`, `event.device_time_total`", "NVIDIA/cudnn-frontend#795", (True, True)
)
def device_time() -> object:
    with profile(activities=BOTH) as found:
        work()
    events = found.key_averages()
    text = events.table(sort_by="self_device_time_total", row_limit=5)
    return "Self CPU" in text, all(
        event.device_time_total >= 0 and event.self_device_time_total >= 0 for event in events
    )


@idiom("`schedule(wait, warmup, active)` with `on_trace_ready`", "pytorch/pytorch#124547", 1)
def scheduled() -> object:
    ready = []
    with profile(
        activities=BOTH, schedule=schedule(wait=1, warmup=1, active=2, repeat=1), on_trace_ready=ready.append
    ) as found:
        for _ in range(5):
            work()
            found.step()
    return len(ready)


@idiom("`prof.export_chrome_trace(file)`", "pytorch/pytorch#130730", (True, True))
def chrome_trace() -> object:
    with profile(activities=BOTH) as found:
        work()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "trace.json"
        found.export_chrome_trace(str(file))
        events = json.loads(file.read_text())["traceEvents"]
    return len(events) > 0, any(event.get("name") == "aten::mm" for event in events)


@idiom("`tensorboard_trace_handler(directory)`", "karpathy/nanoGPT/bench.py", (True, True))
def tensorboard() -> object:
    with tempfile.TemporaryDirectory() as directory:
        with profile(activities=BOTH, with_stack=False, profile_memory=False,
                     on_trace_ready=torch.profiler.tensorboard_trace_handler(directory)):  # fmt: skip
            work()
        files = list(Path(directory).iterdir())
    return len(files) == 1, files[0].name.endswith(".pt.trace.json")


@idiom("`torch.profiler.supported_activities()`", "pytorch/pytorch/torch/profiler/profiler.py", True)
def activities() -> object:
    return ProfilerActivity.CUDA in torch.profiler.supported_activities()


@idiom("`torch.autograd.profiler.profile(use_device='cuda')`", "pytorch/pytorch#33855", True)
def autograd_profiler() -> object:
    with torch.autograd.profiler.profile(use_device="cuda") as found:
        work()
    return "aten::mm" in found.key_averages().table()


@idiom("`torch.cuda.nvtx.range_push`, `range_pop`, `mark`", "uw-ipd/RoseTTAFold2NA#36", True)
def marks() -> object:
    depth = torch.cuda.nvtx.range_push("forward")
    torch.cuda.nvtx.mark("here")
    return isinstance(depth, int) and isinstance(torch.cuda.nvtx.range_pop(), int)


@idiom("`with torch.cuda.nvtx.range('epoch {}', 1):`", "pytorch/pytorch#121663", (256.0, 256.0))
def mark_context() -> object:
    with torch.cuda.nvtx.range("epoch {}", 1):
        x = torch.ones(16, 16, device="cuda").sum().item()
    return x, torch.cuda.nvtx.range("named")(lambda: torch.ones(256).cuda().sum().item())()


@idiom("`torch.cuda.nvtx.range_start`, `range_end`", "pytorch/pytorch/torch/cuda/nvtx.py", None)
def mark_ids() -> object:
    return torch.cuda.nvtx.range_end(torch.cuda.nvtx.range_start("copy"))


@idiom("`with torch.autograd.profiler.emit_nvtx():`", "pytorch/pytorch/torch/autograd/profiler.py", 32.0)
def emit_marks() -> object:
    with torch.autograd.profiler.emit_nvtx(record_shapes=True):
        return (torch.ones(32, device="cuda") * 1).sum().item()


@idiom(
    "`torch.cuda.profiler.start()` and `stop()`",
    "NVIDIA/Megatron-LM/megatron/training/training.py",
    (None, None),
)
def start_and_stop() -> object:
    return torch.cuda.profiler.start(), torch.cuda.profiler.stop()


@idiom(
    "`torch.cuda.cudart().cudaProfilerStart()`",
    "NVIDIA/Megatron-LM/megatron/training/training.py",
    [True, True],
)
def runtime_profiler() -> object:
    runtime = torch.cuda.cudart()
    codes = [runtime.cudaProfilerStart(), runtime.cudaProfilerStop()]
    return [int(code) == 0 for code in codes]


@idiom("`torch.cuda.cudart().cudaMemGetInfo(0)`", "pytorch/pytorch/torch/cuda/memory.py", True)
def runtime_memory() -> object:
    free, total = torch.cuda.cudart().cudaMemGetInfo(0)
    return 0 < free <= total == torch.cuda.mem_get_info()[1]


@idiom("`with torch.cuda.profiler.profile():`", "pytorch/pytorch/torch/cuda/profiler.py", 16.0)
def runtime_profiler_context() -> object:
    with torch.cuda.profiler.profile():
        return torch.ones(16, device="cuda").sum().item()
