"""Automatic mixed precision: functions that mean CUDA when no device is named."""

from __future__ import annotations

import functools
from typing import Any

from jumar.cuda.registry import adapts, changes


@changes("torch.is_autocast_enabled")
def _is_enabled(original: Any) -> Any:
    @functools.wraps(original)
    def is_autocast_enabled(device_type: str = "cuda") -> bool:
        return bool(original(device_type))

    return _known_to_torchscript(is_autocast_enabled)


def _known_to_torchscript(function: Any) -> Any:
    from torch.jit import _builtins

    _builtins._register_builtin(function, f"aten::{function.__name__}")
    return function


@changes("torch.set_autocast_enabled")
def _set_enabled(original: Any) -> Any:
    @functools.wraps(original)
    def set_autocast_enabled(*arguments: Any, **keywords: Any) -> None:
        if len(arguments) + len(keywords) == 1:
            arguments = ("cuda", *arguments)
        original(*arguments, **keywords)

    return set_autocast_enabled


@adapts("torch.get_autocast_gpu_dtype")
def get_autocast_gpu_dtype() -> Any:
    import torch

    return torch.get_autocast_dtype("cuda")


@adapts("torch.set_autocast_gpu_dtype")
def set_autocast_gpu_dtype(dtype: Any) -> None:
    import torch

    torch.set_autocast_dtype("cuda", dtype)
