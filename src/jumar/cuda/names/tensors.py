"""Tensors: the methods that say CUDA without naming a device, and those that ask for a layout the adapter refuses."""

from __future__ import annotations

import functools
import re
from typing import Any

from jumar.cuda import double
from jumar.cuda.names.cuda_types import DTYPES
from jumar.cuda.registry import Maker, adapts, changes

# What programs call a tensor type, and the dtype it stands for.
TYPE_NAME = re.compile(r"torch\.(cuda|npu)\.(\w+)Tensor")


@changes("torch.Tensor.cuda")
def _cuda(original: Any) -> Any:
    import torch
    from torch.overrides import handle_torch_function, has_torch_function_unary

    preserve, to = torch.preserve_format, torch.Tensor.to

    def cuda(self: Any, device: Any = None, non_blocking: bool = False, memory_format: Any = preserve) -> Any:
        if has_torch_function_unary(self):
            keywords = {"device": device, "non_blocking": non_blocking, "memory_format": memory_format}
            return handle_torch_function(cuda, (self,), self, **keywords)
        if memory_format is not preserve:
            return torch.Tensor.to(self, chip(device), non_blocking=non_blocking, memory_format=memory_format)
        moved = to(self, chip(device), None, non_blocking)
        if moved.dtype is torch.float64:
            double.tell()
        return moved

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


@changes("torch.Tensor.to")
def _to(original: Any) -> Any:
    import torch

    layouts, float64 = (torch.channels_last, torch.channels_last_3d), torch.float64

    @functools.wraps(original)
    def to(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if keywords and keywords.get("memory_format") in layouts:
            layout = keywords.pop("memory_format")
            return laid_out(original(self, *arguments, **keywords), layout)
        moved = original(self, *arguments, **keywords)
        if moved.dtype is float64 and moved.device.type == "cuda":
            double.tell()
        return moved

    return to


@changes("torch.Tensor.contiguous")
def _contiguous(original: Any) -> Any:
    import torch

    usual, layouts = torch.contiguous_format, (torch.channels_last, torch.channels_last_3d)

    @functools.wraps(original)
    def contiguous(self: Any, memory_format: Any = usual) -> Any:
        if memory_format is usual:
            return original(self)
        if memory_format in layouts:
            return laid_out(self, memory_format)
        return original(self, memory_format=memory_format)

    return contiguous


def laid_out(tensor: Any, layout: Any) -> Any:
    """That tensor with the strides of the layout, copied only if it has others."""
    import torch

    if tensor.device.type != "cuda":
        return tensor if tensor.is_contiguous(memory_format=layout) else tensor.clone(memory_format=layout)
    if tensor.is_contiguous(memory_format=layout):
        return tensor
    spatial = 2 if layout is torch.channels_last else 3
    if tensor.dim() != spatial + 2:
        raise RuntimeError(
            f"required rank {spatial + 2} tensor to use {str(layout).removeprefix('torch.')} format"
        )
    last = (0, *range(2, spatial + 2), 1)
    back = (0, spatial + 1, *range(1, spatial + 1))
    return tensor.permute(last).contiguous().permute(back)


@changes("torch.Tensor.double")
def _double(original: Any) -> Any:
    @functools.wraps(original)
    def double_(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if self.device.type == "cuda":
            double.tell()
        return original(self, *arguments, **keywords)

    return double_


@changes("torch.Tensor.type")
def _type(original: Any) -> Maker:
    def type_(self: Any, dtype: Any = None, non_blocking: bool = False, **keywords: Any) -> Any:
        if (wanted := dtype_on_chip(dtype)) is not None:
            return self.to("cuda", wanted, non_blocking)
        return original(self, dtype, non_blocking, **keywords)

    type_.__name__ = "type"
    return type_


def dtype_on_chip(kind: Any) -> Any:
    """The dtype of a tensor type of CUDA, given as a class or by name; None for any other."""
    import torch

    name = f"{kind.__module__}.{kind.__name__}" if isinstance(kind, type) else kind
    if not isinstance(name, str) or (found := TYPE_NAME.fullmatch(name)) is None or found[2] not in DTYPES:
        return None
    return getattr(torch, DTYPES[found[2]])
