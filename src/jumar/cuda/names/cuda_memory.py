"""Memory: where the adapter's caching allocator takes other arguments than CUDA's, or says less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from jumar.cuda import account
from jumar.cuda.registry import adapts, changes, resolve
from jumar.cuda.remake import remade

for name in ("CUDAPluggableAllocator", "MemPool"):
    changes(f"torch.cuda.{name}")(remade("torch.cuda.memory", name))
changes("torch.cuda.memory._CUDAAllocator")(remade("torch.cuda.memory", "_CUDAAllocator"))

Snapshot = dict[str, Any]
_metadata = ""
_caches = True
_benchmark_empties_cache = True


@changes("torch._C._cuda_memorySnapshot", adds=True)
def _memory_snapshot(original: Any) -> Callable[[tuple[int, int, bool] | None], Snapshot]:
    import torch_npu

    read = torch_npu._C._npu_memorySnapshot

    def snapshot(pool: tuple[int, int, bool] | None = None) -> Snapshot:
        # Pool (0, 0) stands for all of them in PyTorch, and for one of its own in the adapter.
        found: Snapshot = read(None if pool is None or pool[:2] == (0, 0) else pool[:2])
        if pool is not None and not pool[2]:
            found["device_traces"] = [[] for _ in found["device_traces"]]
        found.setdefault("allocator_settings", dict(SETTINGS))
        found.setdefault("external_annotations", [])
        return found

    return snapshot


# Where the most asked for numbers stand among the statistics.
CURRENT = {
    "memory_allocated": ("allocated_bytes", "current"), "max_memory_allocated": ("allocated_bytes", "peak"),
    "memory_reserved": ("reserved_bytes", "current"), "max_memory_reserved": ("reserved_bytes", "peak"),
}  # fmt: skip


def _number(name: str, kind: str, part: str) -> None:
    @changes(f"torch.cuda.{name}")
    def make(original: Any) -> Callable[..., int]:
        import torch
        import torch_npu

        initialized: Any = torch.cuda.is_initialized
        index_of = resolve("torch.cuda._utils._get_device_index")
        statistics = torch_npu._C._npu_memoryStats

        def number(device: Any = None) -> int:
            if not initialized():
                return 0
            return int(statistics(index_of(device, optional=True))[kind]["all"][part])

        number.__name__ = number.__qualname__ = name
        return account.counted("redirected", f"torch.cuda.{name}", number)


for name, (kind, part) in CURRENT.items():
    _number(name, kind, part)


# What an allocator that nobody configured says of itself in a snapshot.
SETTINGS = {
    "PYTORCH_CUDA_ALLOC_CONF": "", "max_split_size": -1, "garbage_collection_threshold": 0.0,
    "expandable_segments": False, "pinned_num_register_threads": 1, "release_lock_on_cudamalloc": False,
    "pinned_use_cuda_host_register": False, "roundup_power2_divisions": {},
}  # fmt: skip


@changes("torch._C._cuda_record_memory_history", adds=True)
def _record_memory_history(original: Any) -> Callable[..., None]:
    import torch_npu

    begin = resolve("torch.cuda._lazy_init")

    def record(enabled: str | None, context: str | None, stacks: str, max_entries: int,
               clear_history: bool = False, *details: Any) -> None:  # fmt: skip
        begin()
        torch_npu._C._npu_record_memory_history(enabled, context, stacks, max_entries)

    return record


@changes("torch._C._cuda_record_memory_history_legacy", adds=True)
def _record_memory_history_legacy(original: Any) -> Callable[..., None]:
    def record(enabled: bool, context: bool = True, entries: int = 1, alloc_context: bool = False,
               cpp: bool = False, *details: Any) -> None:  # fmt: skip
        kept = ("all" if entries > 1 else "state") if enabled else None
        frames = ("alloc" if alloc_context else "state") if enabled and context else None
        resolve("torch._C._cuda_record_memory_history")(kept, frames, "all" if cpp else "python", entries)

    return record


@adapts("torch._C._cuda_allocationTraceback", adds=True)
def allocation_traceback(address: int) -> list[dict[str, Any]] | None:
    import torch

    for segment in torch._C._cuda_memorySnapshot(None)["segments"]:
        for block in segment["blocks"]:
            if block["address"] == address:
                return block.get("frames") or None
    return None


@adapts("torch._C._cuda_setMemoryMetadata", adds=True)
def set_memory_metadata(metadata: str) -> None:
    global _metadata
    _metadata = metadata


@adapts("torch._C._cuda_getMemoryMetadata", adds=True)
def get_memory_metadata() -> str:
    return _metadata


@adapts("torch._C._cuda_cudaCachingAllocator_enable", adds=True)
def enable_caching(value: bool) -> None:
    global _caches
    _caches = bool(value)
    if not _caches:
        account.note("ignored", "torch.cuda.caching_allocator_enable(False)")


@adapts("torch._C._cuda_cudaCachingAllocator_is_enabled", adds=True)
def caching_enabled() -> bool:
    return _caches


@adapts("torch._C._cudnn_set_conv_benchmark_empty_cache", adds=True)
def set_benchmark_empties_cache(value: bool) -> None:
    global _benchmark_empties_cache
    _benchmark_empties_cache = value


@adapts("torch._C._cuda_get_conv_benchmark_empty_cache", adds=True)
def benchmark_empties_cache() -> bool:
    return _benchmark_empties_cache


@adapts("torch._C._cuda_cudaHostAllocator", adds=True)
def host_allocator() -> NoReturn:
    account.note("refused", "torch.cuda.memory._host_allocator")
    raise NotImplementedError("torch.cuda.memory._host_allocator: pin tensors with Tensor.pin_memory()")


@adapts("torch._C._cuda_getAllocatorBackend", adds=True)
def allocator_backend() -> str:
    return "native"


@adapts("torch._C._cuda_setCublasWorkspaceSize", "torch._C._cuda_setCublasLtWorkspaceSize", adds=True)
def set_workspace(size: int) -> None:
    account.note("ignored", "size of a cuBLAS workspace")


@adapts(
    "torch._C._cuda_clearCublasWorkspaces",
    "torch._C._cuda_resetCublasWorkspaceSize",
    "torch._C._cuda_resetCublasLtWorkspaceSize",
    adds=True,
)
def clear_workspaces() -> None:
    """The chip's operators ask for their workspaces call by call."""


@changes("torch._C._cuda_cudaCachingAllocator_raw_alloc", adds=True)
def _raw_alloc(original: Any) -> Callable[[int, int], int]:
    import torch_npu

    def allocate(size: int, stream: int) -> int:
        address = stream or torch_npu.npu.default_stream().npu_stream
        return int(torch_npu._C._npu_npuCachingAllocator_raw_alloc(size, address))

    return allocate
