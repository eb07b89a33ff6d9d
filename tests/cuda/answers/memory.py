"""Memory."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest
import torch

from answers.asking import Question, cuda, done, raised, within


def grown(ask: Callable[[], int]) -> bool:
    """Whether a number of bytes grows with a tensor of 64 MiB."""
    cuda.empty_cache()
    before = ask()
    kept = torch.empty(1 << 24, device="cuda")
    return ask() - before >= kept.nbytes


def pooled() -> Any:
    pool = cuda.MemPool()
    with cuda.use_mem_pool(pool):
        kept = torch.zeros(1000, device="cuda")
    return kept.sum().item(), len(pool.snapshot()), len(pool.id)


ANSWERS: dict[str, Question] = {
    "caching_allocator_alloc": (lambda: cuda.caching_allocator_alloc(1 << 20), int),
    "caching_allocator_delete": (
        lambda: cuda.caching_allocator_delete(cuda.caching_allocator_alloc(1 << 20)),
        None,
    ),
    "caching_allocator_disabled": (
        lambda: within(cuda.caching_allocator_disabled(), lambda: torch.ones(1, device="cuda").item()),
        1.0,
    ),
    "caching_allocator_enable": (lambda: cuda.caching_allocator_enable(True), None),
    "empty_cache": (
        lambda: (
            done(lambda: torch.empty(1 << 22, device="cuda"), cuda.empty_cache, cuda.memory_reserved) >= 0
        ),
        True,
    ),
    "get_allocator_backend": (lambda: cuda.get_allocator_backend(), "native"),
    "CUDAPluggableAllocator": (
        lambda: raised(lambda: cuda.CUDAPluggableAllocator("/none.so", "a", "b"))[0],
        "OSError",
    ),
    "change_current_allocator": (
        lambda: raised(lambda: cuda.change_current_allocator(cuda.memory._get_current_allocator()))[0],
        "RuntimeError",
    ),
    "set_per_process_memory_fraction": (
        lambda: done(
            lambda: cuda.set_per_process_memory_fraction(0.5),
            lambda: cuda.get_per_process_memory_fraction(),
            lambda: cuda.set_per_process_memory_fraction(1.0),
        ),
        None,
    ),
    "get_per_process_memory_fraction": (lambda: cuda.get_per_process_memory_fraction(), 1.0),
    "host_memory_stats": (lambda: cuda.host_memory_stats()["allocated_bytes.current"], int),
    "host_memory_stats_as_nested_dict": (
        lambda: cuda.host_memory_stats_as_nested_dict()["allocated_bytes"]["peak"],
        int,
    ),
    "reset_accumulated_host_memory_stats": (lambda: cuda.reset_accumulated_host_memory_stats(), None),
    "reset_peak_host_memory_stats": (lambda: cuda.reset_peak_host_memory_stats(), None),
    "ipc_collect": (lambda: cuda.ipc_collect(), None),
    "memory_allocated": (lambda: grown(lambda: cuda.memory_allocated()), True),
    "max_memory_allocated": (
        lambda: done(
            lambda: cuda.reset_peak_memory_stats(), lambda: grown(lambda: cuda.max_memory_allocated())
        ),
        True,
    ),
    "memory_reserved": (lambda: grown(lambda: cuda.memory_reserved()), True),
    "max_memory_reserved": (lambda: cuda.max_memory_reserved() >= cuda.memory_reserved(), True),
    "memory_cached": (
        lambda: within(pytest.warns(FutureWarning, match="renamed"), lambda: cuda.memory_cached()),
        int,
    ),
    "max_memory_cached": (
        lambda: within(pytest.warns(FutureWarning, match="renamed"), lambda: cuda.max_memory_cached()),
        int,
    ),
    "reset_max_memory_allocated": (
        lambda: within(pytest.warns(FutureWarning), lambda: cuda.reset_max_memory_allocated()),
        None,
    ),
    "reset_max_memory_cached": (
        lambda: within(pytest.warns(FutureWarning), lambda: cuda.reset_max_memory_cached()),
        None,
    ),
    "reset_accumulated_memory_stats": (lambda: cuda.reset_accumulated_memory_stats(), None),
    "reset_peak_memory_stats": (
        lambda: done(
            lambda: cuda.reset_peak_memory_stats(),
            lambda: cuda.max_memory_allocated() == cuda.memory_allocated(),
        ),
        True,
    ),
    "mem_get_info": (lambda: cuda.mem_get_info()[1], 64 << 30),
    "memory_snapshot": (
        lambda: done(lambda: torch.ones(1, device="cuda"), lambda: cuda.memory_snapshot()[0]["segment_type"]),
        str,
    ),
    "memory_stats": (lambda: cuda.memory_stats(), collections.OrderedDict),
    "memory_stats_as_nested_dict": (
        lambda: cuda.memory_stats_as_nested_dict()["active_bytes"]["all"]["current"],
        int,
    ),
    "memory_summary": (lambda: "PyTorch CUDA memory summary, device ID 0" in cuda.memory_summary(), True),
    "MemPool": (pooled, (0.0, 1, 2)),
    "use_mem_pool": (pooled, (0.0, 1, 2)),
    "memory_usage": (lambda: cuda.memory_usage(), int),
    "device_memory_used": (lambda: cuda.device_memory_used(), int),
    "list_gpu_processes": (lambda: cuda.list_gpu_processes().startswith("GPU:0\n"), True),
}
