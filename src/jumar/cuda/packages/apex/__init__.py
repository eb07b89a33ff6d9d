"""NVIDIA's Apex by its interface, on PyTorch's own optimizers, normalisations and autocast."""

from . import amp, multi_tensor_apply, normalization, optimizers, parallel

__all__ = ["amp", "multi_tensor_apply", "normalization", "optimizers", "parallel"]
