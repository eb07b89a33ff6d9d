"""The ranks of a job as a grid, pipeline × data × tensor with tensor innermost, and what its ranks exchange."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

Group = dist.ProcessGroup | None


@dataclass(frozen=True)
class Grid:
    """Where this rank stands. A group is None where it would have one rank."""

    tensor: int
    data: int
    pipeline: int
    stage: int
    tensor_rank: int
    tensor_group: Group
    data_group: Group
    rank: int

    @property
    def first(self) -> bool:
        return self.stage == 0

    @property
    def last(self) -> bool:
        return self.stage == self.pipeline - 1

    @property
    def before(self) -> int:
        return self.rank - self.tensor * self.data

    @property
    def behind(self) -> int:
        return self.rank + self.tensor * self.data


def grid(tensor: int = 1, pipeline: int = 1) -> Grid:
    """The grid of all ranks; what tensor and pipeline do not take is data. One rank without a launcher."""
    ranks, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if ranks % (tensor * pipeline):
        raise SystemExit(f"{ranks} ranks cannot be {tensor} (tensor) × {pipeline} (pipeline); use a multiple")
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    data = ranks // (tensor * pipeline)
    tensor_rank, data_rank, stage = rank % tensor, rank // tensor % data, rank // (tensor * data)
    tensor_group = data_group = None
    if ranks > 1:
        dist.init_process_group("nccl")
        first = stage * tensor * data
        for other in range(0, ranks, tensor * data):
            for row in range(data):
                members = [other + row * tensor + column for column in range(tensor)]
                made = dist.new_group(members) if tensor > 1 else None
                tensor_group = made if other == first and row == data_rank else tensor_group
            for column in range(tensor):
                members = [other + row * tensor + column for row in range(data)]
                made = dist.new_group(members) if data > 1 else None
                data_group = made if other == first and column == tensor_rank else data_group
    return Grid(tensor, data, pipeline, stage, tensor_rank, tensor_group, data_group, rank)


class _Copied(torch.autograd.Function):
    """The same input for all ranks of a group: its gradients are added up."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, group: Group) -> torch.Tensor:
        ctx.group = group
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        gradient = gradients[0].contiguous()
        dist.all_reduce(gradient, group=ctx.group)
        return gradient, None


class _Reduced(torch.autograd.Function):
    """Parts of a sum from all ranks of a group, added up."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, group: Group) -> torch.Tensor:
        x = x.contiguous()
        dist.all_reduce(x, group=group)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        return gradients[0], None


class _Exchanged(torch.autograd.Function):
    """Equal pieces to all ranks of a group, and theirs back."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, group: Group) -> torch.Tensor:
        ctx.group = group
        out = torch.empty_like(x)
        dist.all_to_all_single(out, x.contiguous(), group=group)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        out = torch.empty_like(gradients[0])
        dist.all_to_all_single(out, gradients[0].contiguous(), group=ctx.group)
        return out, None


def copied(x: torch.Tensor, group: Group) -> torch.Tensor:
    return x if group is None else _apply(_Copied, x, group)


def reduced(x: torch.Tensor, group: Group) -> torch.Tensor:
    return x if group is None else _apply(_Reduced, x, group)


def exchanged(x: torch.Tensor, group: Group) -> torch.Tensor:
    return x if group is None else _apply(_Exchanged, x, group)


def _apply(function: Any, x: torch.Tensor, group: Group) -> torch.Tensor:
    result: torch.Tensor = function.apply(x, group)
    return result
