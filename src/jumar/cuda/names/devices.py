"""Tensors and modules: the few methods that say CUDA without naming a device."""

from __future__ import annotations

from typing import Any

from jumar.cuda.registry import adapts


@adapts("torch.Tensor.cuda")
def cuda(self: Any, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Any:
    import torch

    memory_format = torch.preserve_format if memory_format is None else memory_format
    return self.npu(device, non_blocking, memory_format=memory_format)


adapts("torch.Tensor.is_cuda")(property(lambda self: self.device.type == "cuda"))
