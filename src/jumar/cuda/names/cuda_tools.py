"""What surrounds kernels: NVTX ranges, tunable operators, kernels written as text, GPUDirect Storage."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from jumar.cuda import account
from jumar.cuda.registry import adapts, changes

_ranges = threading.local()
_number = itertools.count(1)


def _push(message: str) -> int:
    """The level of the range begun, from 0, as NVTX counts."""
    account.note("ignored", "torch.cuda.nvtx ranges and marks")
    depth = getattr(_ranges, "depth", 0)
    _ranges.depth = depth + 1
    return depth


def _pop() -> int:
    """The level of the range ended; negative if there was none."""
    depth = getattr(_ranges, "depth", 0) - 1
    _ranges.depth = max(depth, 0)
    return depth


def _start(message: str) -> int:
    account.note("ignored", "torch.cuda.nvtx ranges and marks")
    return next(_number)


def _nothing(*arguments: Any) -> None:
    """Nobody listens."""


NVTX = {
    "rangePushA": _push, "rangePop": _pop, "rangeStartA": _start, "rangeEnd": _nothing, "markA": _nothing,
    "deviceRangeStart": lambda message, stream: _start(message), "deviceRangeEnd": _nothing,
}  # fmt: skip
_nvtx = ModuleType("torch._C._nvtx", "NVTX ranges")
vars(_nvtx).update(NVTX)


@changes("torch._C._nvtx", "torch.cuda.nvtx._nvtx", adds=True)
def _nvtx_module(original: Any) -> ModuleType:
    return _nvtx


# Switches of tunable operators and what they are at first: set, told, and without effect.
TUNING: dict[str, Any] = {
    "enabled": False, "tuning": True, "untuned": False, "duration": 30, "iterations": 100, "rotating": -1,
    "filename": "tunableop_results.csv",
}  # fmt: skip
SWITCHES = {
    "tunableop_enable": "enabled", "tunableop_tuning_enable": "tuning", "record_untuned_enable": "untuned",
    "tunableop_set_max_tuning_duration": "duration", "tunableop_set_max_tuning_iterations": "iterations",
    "tunableop_set_rotating_buffer_size": "rotating", "tunableop_set_filename": "filename",
}  # fmt: skip
READERS = {
    "tunableop_is_enabled": "enabled", "tunableop_tuning_is_enabled": "tuning",
    "record_untuned_is_enabled": "untuned", "tunableop_get_max_tuning_duration": "duration",
    "tunableop_get_max_tuning_iterations": "iterations", "tunableop_get_rotating_buffer_size": "rotating",
    "tunableop_get_filename": "filename",
}  # fmt: skip
_tuning = dict(TUNING)


def _setter(key: str) -> Callable[..., None]:
    def set_(value: Any, *details: Any) -> None:
        account.note("ignored", "torch.cuda.tunable")
        _tuning[key] = value

    return set_


def _getter(key: str) -> Callable[[], Any]:
    return lambda: _tuning[key]


for name, key in SWITCHES.items():
    adapts(f"torch._C._cuda_{name}", adds=True)(_setter(key))
for name, key in READERS.items():
    adapts(f"torch._C._cuda_{name}", adds=True)(_getter(key))


@adapts("torch._C._cuda_tunableop_get_results", "torch._C._cuda_tunableop_get_validators", adds=True)
def tuning_results() -> tuple[()]:
    """Nothing has been tuned."""
    return ()


@adapts("torch._C._cuda_tunableop_read_file", adds=True)
def read_tuning(filename: str = "") -> bool:
    account.note("ignored", "torch.cuda.tunable")
    return False


@adapts("torch._C._cuda_tunableop_set_numerical_check_tolerances", adds=True)
def set_tolerances(*values: Any) -> None:
    account.note("ignored", "torch.cuda.tunable")


def _refused(name: str, why: str) -> NoReturn:
    account.note("refused", name)
    raise NotImplementedError(f"{name}: {why}")


@adapts("torch._C._cuda_jiterator_compile_and_launch_kernel", adds=True)
def launch_text(code: str, name: str, *details: Any) -> NoReturn:
    _refused(
        "torch.cuda.jiterator",
        f"the kernel {name} is CUDA C++ and does not run on the chip; write it with PyTorch's functions",
    )


@adapts("torch.cuda._compile_kernel")
def compile_kernel(kernel_source: str, kernel_name: str, *details: Any, **options: Any) -> NoReturn:
    _refused(
        "torch.cuda._compile_kernel",
        f"the kernel {kernel_name} is CUDA C++ and does not run on the chip; `jumar port` shows what it asks for",
    )


def _no_storage(*arguments: Any) -> NoReturn:
    _refused(
        "torch.cuda.gds", "GPUDirect Storage is NVIDIA's; read the file on the host and copy it to the chip"
    )


for name in ("register_buffer", "deregister_buffer", "register_handle", "deregister_handle", "load_storage",
             "save_storage"):  # fmt: skip
    adapts(f"torch._C._gds_{name}", adds=True)(_no_storage)
