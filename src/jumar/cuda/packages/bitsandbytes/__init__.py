"""bitsandbytes by its interface: quantised layers with plain operators, optimizers with their state in full precision."""

from . import functional, nn, optim
from .functional import matmul, matmul_4bit

MatmulLtState = functional.Int8State
supported_torch_devices = {"cuda", "cpu"}
features = {"multi_backend"}

__all__ = [
    "MatmulLtState",
    "features",
    "functional",
    "matmul",
    "matmul_4bit",
    "nn",
    "optim",
    "supported_torch_devices",
]
