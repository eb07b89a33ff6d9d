"""Devices, random numbers and the rest."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import torch

from answers.asking import Question, cuda, done, raised, within

CHIPS = 2


def drawn(seed: Callable[[], Any]) -> bool:
    """Whether the same seed gives the same numbers."""
    return done(seed, lambda: torch.rand(3, device="cuda").tolist()) == done(
        seed, lambda: torch.rand(3, device="cuda").tolist()
    )


def restored(get: Callable[[], Any], put: Callable[[Any], Any]) -> bool:
    state = get()
    first = torch.rand(3, device="cuda").tolist()
    put(state)
    return first == torch.rand(3, device="cuda").tolist()


ANSWERS: dict[str, Question] = {
    "CudaError": (lambda: str(cuda.CudaError(2)), "out of memory (2)"),
    "DeferredCudaCallError": (lambda: issubclass(cuda.DeferredCudaCallError, Exception), True),
    "can_device_access_peer": (
        lambda: (cuda.can_device_access_peer(0, 1), raised(lambda: cuda.can_device_access_peer(0, 9))),
        (True, ("AssertionError", "Invalid peer device id")),
    ),
    "check_error": (
        lambda: (cuda.check_error(0), raised(lambda: cuda.check_error(2))),
        (None, ("CudaError", "out of memory (2)")),
    ),
    "cudaStatus": (lambda: (cuda.cudaStatus.SUCCESS, cuda.cudaStatus.ERROR_NOT_READY), (0, 34)),
    "cudart": (
        lambda: cuda.cudart().cudaGetErrorString(cuda.cudart().cudaError(700)),
        "an illegal memory access was encountered",
    ),
    "current_blas_handle": (lambda: cuda.current_blas_handle() > 0, True),
    "current_solver_handle": (lambda: cuda.current_solver_handle() > 0, True),
    "current_device": (cuda.current_device, 0),
    "device": (lambda: within(cuda.device(1), lambda: str(torch.ones(1, device="cuda").device)), "cuda:1"),
    "device_of": (
        lambda: within(cuda.device_of(torch.ones(1, device="cuda:1")), lambda: cuda.current_device()),
        1,
    ),
    "set_device": (
        lambda: done(lambda: cuda.set_device("cuda:1"), cuda.current_device, lambda: cuda.set_device(0)),
        None,
    ),
    "device_count": (lambda: cuda.device_count(), CHIPS),
    "default_generators": (
        lambda: [str(one.device) for one in cuda.default_generators],
        ["cuda:0", "cuda:1"],
    ),
    "get_arch_list": (lambda: {"sm_80", "sm_90"} <= set(cuda.get_arch_list()), True),
    "get_gencode_flags": (lambda: "-gencode compute=compute_80,code=sm_80" in cuda.get_gencode_flags(), True),
    "get_device_capability": (lambda: cuda.get_device_capability(), (8, 0)),
    "get_device_name": (lambda: cuda.get_device_name("cuda:1"), "NVIDIA A100-SXM4-80GB"),
    "get_device_properties": (
        lambda: (p := cuda.get_device_properties(0)) and (p.multi_processor_count, p.warp_size, p.major),
        (108, 32, 8),
    ),
    "get_rng_state": (
        lambda: (s := cuda.get_rng_state()) is not None and (s.dtype, s.numel(), s.device.type),
        (torch.uint8, 16, "cpu"),
    ),
    "get_rng_state_all": (lambda: len(cuda.get_rng_state_all()), CHIPS),
    "set_rng_state": (lambda: restored(lambda: cuda.get_rng_state(), lambda s: cuda.set_rng_state(s)), True),
    "set_rng_state_all": (
        lambda: restored(lambda: cuda.get_rng_state_all(), lambda s: cuda.set_rng_state_all(s)),
        True,
    ),
    "manual_seed": (lambda: drawn(lambda: cuda.manual_seed(5)), True),
    "manual_seed_all": (lambda: drawn(lambda: cuda.manual_seed_all(5)), True),
    "initial_seed": (lambda: done(lambda: cuda.manual_seed(7), lambda: cuda.initial_seed()), 7),
    "seed": (lambda: done(lambda: cuda.seed(), lambda: cuda.initial_seed()) != 7, True),
    "seed_all": (lambda: done(lambda: cuda.seed_all(), lambda: cuda.initial_seed()) != 7, True),
    "has_half": (lambda: cuda.has_half, True),
    "has_magma": (lambda: cuda.has_magma, bool),
    "init": (lambda: done(cuda.init, lambda: cuda.is_initialized()), True),
    "is_initialized": (lambda: cuda.is_initialized(), True),
    "is_available": (lambda: cuda.is_available(), True),
    "is_bf16_supported": (lambda: cuda.is_bf16_supported(), True),
    "is_tf32_supported": (lambda: cuda.is_tf32_supported(), True),
    "utilization": (lambda: cuda.utilization(), int),
    "temperature": (lambda: cuda.temperature(), int),
    "power_draw": (lambda: cuda.power_draw(), int),
    "clock_rate": (lambda: cuda.clock_rate(), int),
    **{
        name: (lambda name=name: getattr(cuda, name), types.ModuleType)
        for name in (
            "amp",
            "graphs",
            "jiterator",
            "memory",
            "nccl",
            "nvtx",
            "profiler",
            "random",
            "sparse",
            "streams",
            "tunable",
        )
    },
}
