"""Linear layers that CUDA fuses with bias and activation."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def fused_dense_func(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, return_residual: bool = False, process_group: Any = None,
    sequence_parallel: bool = True,
) -> Any:  # fmt: skip
    if process_group is not None:
        raise NotImplementedError("jumar's stand-in for flash_attn has no tensor-parallel dense layer")
    out = F.linear(x, weight, bias)
    return (out, x) if return_residual else out


class FusedDense(nn.Linear):
    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, return_residual: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(in_features, out_features, bias, device=device, dtype=dtype)
        self.return_residual = return_residual

    def forward(self, x: Tensor, process_group: Any = None) -> Any:
        return fused_dense_func(x, self.weight, self.bias, self.return_residual, process_group)


class FusedMLP(nn.Module):
    """Two linear layers with an activation between."""

    ACTIVATIONS = ("gelu_approx", "relu", "sqrelu")

    def __init__(
        self, in_features: int, hidden_features: int | None = None, out_features: int | None = None,
        bias1: bool = True, bias2: bool = True, activation: str = "gelu_approx", return_residual: bool = False,
        checkpoint_lvl: int = 0, heuristic: Any = "auto", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        assert activation in self.ACTIVATIONS
        hidden = hidden_features or in_features * 4
        self.activation, self.return_residual = activation, return_residual
        self.fc1 = nn.Linear(in_features, hidden, bias1, device=device, dtype=dtype)
        self.fc2 = nn.Linear(hidden, out_features or in_features, bias2, device=device, dtype=dtype)

    def forward(self, x: Tensor, process_group: Any = None) -> Any:
        inner = self.fc1(x)
        if self.activation == "gelu_approx":
            inner = F.gelu(inner, approximate="tanh")
        else:
            inner = F.relu(inner).square() if self.activation == "sqrelu" else F.relu(inner)
        out = self.fc2(inner)
        return (out, x) if self.return_residual else out
