"""Triton's own kernels on a virtual chip: its interpreter runs them on the host, on copies of the chip's tensors.

The interpreter brings everything but a driver, which autotuning, warm-up and queries of the device ask for.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

from jumar.cuda import account
from jumar.cuda.driver import persona
from jumar.cuda.packages import triton_bfloat16
from jumar.patches import Applied, Patch, apply

WARP = 32
# An interpreted kernel has neither registers nor shared memory; programs divide by these.
REGISTERS, SHARED_BYTES = 32, 1024


def prepare(module: ModuleType) -> Applied:
    """Gives triton.runtime a driver and counts the kernels that run."""
    importlib.import_module("triton.runtime.interpreter")  # which triton itself reads with the first kernel
    return apply(
        [
            Patch(
                "triton.runtime.driver:_create_driver", lambda original: driver, "no NVIDIA driver is there"
            ),
            Patch(
                "triton.runtime.interpreter:InterpretedFunction.run",
                _run,
                "counted, and warm-up gives a kernel",
            ),
            *triton_bfloat16.patches(),
        ]
    )


def _run(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def run(self: Any, *arguments: Any, grid: Any, warmup: bool, **keywords: Any) -> Any:
        if warmup:
            return Warmed(self)
        account.note("on the CPU", f"Triton kernel {self.__name__}")
        return original(self, *arguments, grid=grid, warmup=False, **_without_launch(self, keywords))

    return run


def _without_launch(kernel: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    """How many warps and stages means nothing to an interpreter that the kernel itself does not ask for."""
    launch = {"num_warps", "num_stages", "num_ctas", "maxnreg"} - set(kernel.arg_names)
    return {name: value for name, value in keywords.items() if name not in launch}


class Warmed:
    """What warming up a kernel gives: to be launched, and with the figures that programs plan by."""

    n_regs, n_spills, n_max_threads = REGISTERS, 0, 1024

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self.name = kernel.__name__
        self.metadata = SimpleNamespace(shared=SHARED_BYTES, num_warps=4, num_stages=1, name=self.name)
        self.asm: dict[str, str] = {}

    def _init_handles(self) -> None:
        pass

    def __getitem__(self, grid: Any) -> Callable[..., Any]:
        launch: Callable[..., Any] = self._kernel[grid]
        return launch


@functools.cache
def driver() -> Any:
    """A driver of the interface that triton wants, which knows the persona and torch, and launches nothing."""
    import torch
    from triton.backends.compiler import GPUTarget
    from triton.backends.driver import GPUDriver

    class Interpreter(GPUDriver):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.utils = SimpleNamespace(
                get_device_properties=_properties, set_printf_fifo_size=lambda size_bytes: None
            )

        @classmethod
        def is_active(cls) -> bool:
            return True

        def map_python_to_cpp_type(self, ty: str) -> str:
            raise NotImplementedError("kernels are interpreted here, not compiled")

        def get_current_target(self) -> Any:
            major, minor = persona().capability
            return GPUTarget("cuda", major * 10 + minor, WARP)

        def get_active_torch_device(self) -> Any:
            return torch.device("cuda", torch.cuda.current_device())

        def get_device_interface(self) -> Any:
            return torch.cuda

        def get_benchmarker(self) -> Callable[..., Any]:
            return first_configuration

        def get_empty_cache_for_benchmark(self) -> Any:
            return torch.empty(1, device="cuda")

        def clear_cache(self, cache: Any) -> None:
            pass

    return Interpreter()


def first_configuration(
    kernel_call: Callable[[], Any], *, quantiles: Sequence[float] | None = None, **more: Any
) -> Any:
    """All configurations take the same time, without running: autotuning then chooses the first."""
    return 1.0 if quantiles is None else [1.0] * len(quantiles)


def _properties(device: int) -> dict[str, int]:
    one = persona()
    return {
        "max_shared_mem": one.shared_per_block_kib << 10,
        "max_num_regs": 65536,
        "multiprocessor_count": one.sm_count,
        "warpSize": WARP,
        "sm_clock_rate": one.clock_mhz * 1000,
        "mem_clock_rate": one.memory_clock_mhz * 1000,
        "mem_bus_width": one.memory_bus_bits,
    }
