"""Device memory: what is allocated, what is free, what the allocator says."""

from __future__ import annotations

import gc
import pickle
import tempfile
from pathlib import Path

import torch

from idioms import DEVICES, idiom

MIB = 2**20


def take(size_bytes: int, device: str = "cuda") -> torch.Tensor:
    return torch.empty(size_bytes, dtype=torch.uint8, device=device)


@idiom("`torch.cuda.memory_allocated()` before, with and after a tensor", "pytorch/pytorch#49923", (4, 0))
def allocated() -> object:
    gc.collect()
    before = torch.cuda.memory_allocated()
    x = take(4 * MIB)
    during = torch.cuda.memory_allocated() - before
    del x
    return round(during / MIB), torch.cuda.memory_allocated() - before


@idiom("`max_memory_allocated` and `reset_peak_memory_stats`", "Stonesjtu/pytorch_memlab#26", (True, True))
def peak() -> object:
    torch.cuda.reset_peak_memory_stats()
    base = torch.cuda.memory_allocated()
    x = take(8 * MIB)
    del x
    high = torch.cuda.max_memory_allocated() - base >= 8 * MIB
    torch.cuda.reset_peak_memory_stats()
    return high, torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated() < 8 * MIB


@idiom(
    "`reset_max_memory_allocated`, `memory_cached` of older programs",
    "pytorch/pytorch/torch/cuda/memory.py",
    True,
)
def older_names() -> object:
    torch.cuda.reset_max_memory_allocated()
    torch.cuda.reset_max_memory_cached()
    return torch.cuda.memory_cached() == torch.cuda.memory_reserved() <= torch.cuda.max_memory_cached()


@idiom("`memory_reserved` and `empty_cache`", "oobabooga/textgen#3128", (True, True))
def reserved() -> object:
    x = take(64 * MIB)
    del x
    held = torch.cuda.memory_reserved()
    torch.cuda.empty_cache()
    return (
        held - torch.cuda.memory_reserved() >= 64 * MIB,
        torch.cuda.memory_reserved() >= torch.cuda.memory_allocated(),
    )


@idiom("`free, total = torch.cuda.mem_get_info()`", "Ascend/pytorch#28", (True, True, True))
def free_and_total() -> object:
    free, total = torch.cuda.mem_get_info()
    same = torch.cuda.mem_get_info("cuda:0")[1] == torch.cuda.mem_get_info(torch.device("cuda:0"))[1] == total
    return 0 < free <= total, total == torch.cuda.get_device_properties(0).total_memory, same


@idiom(
    "`{i: torch.cuda.mem_get_info(i)[0] for i in range(n)}`", "huggingface/accelerate#2222", ([0, 1], True)
)
def free_by_device() -> object:
    for i in range(torch.cuda.device_count()):
        torch.tensor([0], device=i)
    free = {i: torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count())}
    return list(free), all(isinstance(one, int) and one > 2**30 for one in free.values())


@idiom("`mem_get_info` sees an allocation", "kijai/ComfyUI-SUPIR#84", True)
def free_falls() -> object:
    torch.cuda.empty_cache()
    before = torch.cuda.mem_get_info()[0]
    x = take(256 * MIB)
    taken = before - torch.cuda.mem_get_info()[0]
    del x
    torch.cuda.empty_cache()
    return 256 * MIB <= taken < 300 * MIB


@idiom("keys of `torch.cuda.memory_stats()`", "pytorch/pytorch#27361", [])
def statistics() -> object:
    wanted = (
        "allocated_bytes.all.current", "allocated_bytes.all.peak", "reserved_bytes.all.current", "num_ooms",
        "active_bytes.all.peak", "inactive_split_bytes.all.current", "num_alloc_retries", "segment.all.current",
        "allocation.all.allocated", "active_bytes.all.current", "requested_bytes.all.current",
    )  # fmt: skip
    take(MIB)
    found = torch.cuda.memory_stats()
    return [key for key in wanted if not isinstance(found.get(key), int)]


@idiom(
    "`torch.cuda.memory_summary(abbreviated=True)`", "weiaicunzai/pytorch-cifar100#39", (True, True, False)
)
def summary() -> object:
    text = torch.cuda.memory_summary(device=0, abbreviated=True)
    return (
        "PyTorch CUDA memory summary, device ID 0" in text,
        "CUDA OOMs: 0" in text or "CUDA OOMs:" in text,
        "NPU" in text,
    )


@idiom("`torch.cuda.memory_snapshot()`", "pytorch/pytorch/torch/cuda/memory.py", (True, True))
def snapshot() -> object:
    x = take(3 * MIB)
    blocks = [block for segment in torch.cuda.memory_snapshot() for block in segment["blocks"]]
    states = {block["state"] for block in blocks}
    return x.is_cuda and "active_allocated" in states, any(block["size"] >= 3 * MIB for block in blocks)


@idiom(
    "`_record_memory_history` and `_dump_snapshot`",
    "pytorch/torchtitan/torchtitan/tools/profiling.py",
    (True, True),
)
def history() -> object:
    torch.cuda.memory._record_memory_history(max_entries=1000)
    try:
        x = take(MIB)
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "snapshot.pickle"
            torch.cuda.memory._dump_snapshot(str(file))
            found = pickle.loads(file.read_bytes())
    finally:
        torch.cuda.memory._record_memory_history(enabled=None)
    return x.is_cuda, {"segments", "device_traces"} <= set(found)


@idiom("memory of one device is not that of another", "pytorch/pytorch/torch/cuda/memory.py", (0, 4))
def each_device() -> object:
    before = [torch.cuda.memory_allocated(i) for i in range(DEVICES)]
    x = take(4 * MIB, "cuda:1")
    after = [torch.cuda.memory_allocated(torch.device("cuda", i)) for i in range(DEVICES)]
    del x
    return after[0] - before[0], round((after[1] - before[1]) / MIB)


@idiom(
    "`torch.cuda.caching_allocator_alloc` and `_delete`",
    "cupy/cupy/docs/source/user_guide/interoperability.rst",
    (True, True),
)
def raw_allocation() -> object:
    before = torch.cuda.memory_allocated()
    address = torch.cuda.caching_allocator_alloc(MIB)
    during = torch.cuda.memory_allocated() - before
    torch.cuda.caching_allocator_delete(address)
    return isinstance(address, int) and address > 0, round(during / MIB) == 1


@idiom("`torch.cuda.ipc_collect()`", "lm-sys/FastChat/fastchat/serve/model_worker.py", None)
def ipc_collect() -> object:
    with torch.cuda.device("cuda:0"):
        torch.cuda.empty_cache()
        return torch.cuda.ipc_collect()


@idiom("`torch.cuda.list_gpu_processes()`", "pytorch/pytorch/torch/cuda/memory.py", True)
def processes() -> object:
    return torch.cuda.list_gpu_processes(0).startswith("GPU:0")


@idiom("`torch.cuda.get_allocator_backend()`", "pytorch/pytorch/torch/cuda/memory.py", "native")
def allocator() -> object:
    return torch.cuda.get_allocator_backend()


@idiom("`torch.cuda.memory._set_allocator_settings`", "verl-project/verl/verl/utils/device.py", None)
def allocator_settings() -> object:
    torch.cuda.memory._set_allocator_settings("expandable_segments:True")
    return torch.cuda.memory._set_allocator_settings("expandable_segments:False")


@idiom("`torch.cuda.host_memory_stats()`", "pytorch/pytorch/torch/cuda/memory.py", True)
def host_statistics() -> object:
    torch.empty(MIB, dtype=torch.uint8, pin_memory=True)
    return "allocated_bytes.current" in torch.cuda.host_memory_stats()
