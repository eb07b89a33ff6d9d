"""Tensors: the few methods that say CUDA without naming a device."""

from __future__ import annotations

import re
from typing import Any

from jumar.cuda.registry import Maker, adapts, changes

# What programs call a tensor type, and the dtype it stands for.
DTYPES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Byte": "uint8",
    "Char": "int8", "Short": "int16", "Int": "int32", "Long": "int64", "Bool": "bool",
}  # fmt: skip
TYPE_NAME = re.compile(r"torch\.cuda\.(\w+)Tensor")


@changes("torch.Tensor.cuda")
def _cuda(original: Any) -> Any:
    import torch
    from torch.overrides import handle_torch_function, has_torch_function_unary

    preserve, to = torch.preserve_format, torch.Tensor.to

    def cuda(self: Any, device: Any = None, non_blocking: bool = False, memory_format: Any = preserve) -> Any:
        if has_torch_function_unary(self):
            keywords = {"device": device, "non_blocking": non_blocking, "memory_format": memory_format}
            return handle_torch_function(cuda, (self,), self, **keywords)
        return to(self, chip(device), None, non_blocking, memory_format=memory_format)

    return cuda


def chip(device: Any) -> Any:
    """What `.cuda(device)` means: the current chip for None; RuntimeError if it names another kind of device."""
    import torch

    if device is None:
        return "cuda"
    if not isinstance(device, int):
        device = torch.device(device)
        if device.type != "cuda":
            raise RuntimeError(f"Invalid device, must be cuda device, got {device.type}")
    return device


adapts("torch.Tensor.is_cuda")(property(lambda self: self.device.type == "cuda"))


@changes("torch.Tensor.type")
def _type(original: Any) -> Maker:
    import torch

    def type_(self: Any, dtype: Any = None, non_blocking: bool = False, **keywords: Any) -> Any:
        name = qualified(dtype) if isinstance(dtype, type) else dtype
        if isinstance(name, str) and (found := TYPE_NAME.fullmatch(name)) and found[1] in DTYPES:
            return self.to("cuda", getattr(torch, DTYPES[found[1]]), non_blocking)
        return original(self, dtype, non_blocking, **keywords)

    type_.__name__ = "type"
    return type_


def qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__name__}"
