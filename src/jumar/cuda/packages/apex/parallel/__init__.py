"""Data parallelism: PyTorch's own does what Apex's did."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = [
    "LARC",
    "DistributedDataParallel",
    "Reducer",
    "SyncBatchNorm",
    "convert_syncbn_model",
    "create_syncbn_process_group",
]


class DistributedDataParallel(nn.parallel.DistributedDataParallel):
    """Apex's options on when gradients are exchanged have no counterpart; PyTorch overlaps by itself."""

    def __init__(
        self, module: nn.Module, message_size: int = 10_000_000, delay_allreduce: bool = False,
        shared_param: Any = None, allreduce_trigger_params: Any = None, retain_allreduce_buffers: bool = False,
        allreduce_always_fp32: bool = False, num_allreduce_streams: int = 1, allreduce_communicators: Any = None,
        gradient_average: bool = True, gradient_predivide_factor: float = 1.0, prof: bool = False,
    ) -> None:  # fmt: skip
        if not gradient_average:
            raise NotImplementedError(
                "jumar's apex.parallel.DistributedDataParallel always averages gradients"
            )
        super().__init__(module, find_unused_parameters=False)


class Reducer:
    """Averages the gradients of a module when told to."""

    def __init__(self, module_or_grads_list: Any) -> None:
        self.module = module_or_grads_list

    def reduce(self) -> None:
        listed = isinstance(self.module, list)
        grads = (
            self.module if listed else [one.grad for one in self.module.parameters() if one.grad is not None]
        )
        for grad in grads:
            torch.distributed.all_reduce(grad)
            grad.div_(torch.distributed.get_world_size())


class SyncBatchNorm(nn.SyncBatchNorm):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, channel_last: bool = False, fuse_relu: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, process_group)
        self.fuse_relu = fuse_relu

    def forward(self, input: torch.Tensor, z: torch.Tensor | None = None) -> torch.Tensor:
        out = super().forward(input)
        out = out if z is None else out + z
        return torch.relu(out) if self.fuse_relu else out


def convert_syncbn_model(
    module: nn.Module, process_group: Any = None, channel_last: bool = False
) -> nn.Module:
    convert: Any = nn.SyncBatchNorm.convert_sync_batchnorm
    converted: nn.Module = convert(module, process_group)
    return converted


def create_syncbn_process_group(group_size: int) -> Any:
    """Groups of so many neighbours; the one that this rank is in."""
    world = torch.distributed.get_world_size()
    if group_size in (0, world):
        return None
    assert world % group_size == 0, "the number of ranks must be a multiple of the group's size"
    groups = [
        torch.distributed.new_group(list(range(at, at + group_size))) for at in range(0, world, group_size)
    ]
    return groups[torch.distributed.get_rank() // group_size]


class LARC:
    """Layer-wise rates: scales or clips each tensor's rate by its norm over that of its gradient, then steps."""

    def __init__(
        self, optimizer: Any, trust_coefficient: float = 0.02, clip: bool = True, eps: float = 1e-8
    ) -> None:
        self.optim, self.trust_coefficient, self.clip, self.eps = optimizer, trust_coefficient, clip, eps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["optim"], name)

    def step(self) -> None:
        decays = [group.get("weight_decay", 0) for group in self.optim.param_groups]
        with torch.no_grad():
            for group, decay in zip(self.optim.param_groups, decays, strict=True):
                group["weight_decay"] = 0
                for one in group["params"]:
                    if one.grad is not None:
                        self._scale(one, group["lr"], decay)
        self.optim.step()
        for group, decay in zip(self.optim.param_groups, decays, strict=True):
            group["weight_decay"] = decay

    def _scale(self, one: torch.Tensor, rate: float, decay: float) -> None:
        assert one.grad is not None
        size, slope = one.norm(), one.grad.norm()
        adaptive = self.trust_coefficient * size / (slope + size * decay + self.eps)
        adaptive = (adaptive / rate).clamp(max=1.0) if self.clip else adaptive
        nonzero = (size != 0) & (slope != 0)
        one.grad.copy_(torch.where(nonzero, (one.grad + decay * one) * adaptive, one.grad))
