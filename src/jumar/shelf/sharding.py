"""AdamW with its fp32 weights and moments cut over the ranks that hold the same weights (ZeRO, first stage)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import nn

from jumar.shelf.groups import Group


class ShardedAdamW(torch.optim.Optimizer):
    """Gradients are reduced and scattered, each rank updates its part in fp32, and the weights are gathered again."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], group: Group, ranks: int, lr: float = 1e-4
    ) -> None:
        super().__init__(list(parameters), {"lr": lr})
        self.group, self.ranks = group, ranks
        self.held = [one for group_ in self.param_groups for one in group_["params"]]
        rank = dist.get_rank(group) if group is not None else 0
        self.masters = [self._padded(one.detach()).chunk(ranks)[rank].float() for one in self.held]
        self.inner = torch.optim.AdamW(self.masters, lr=lr, fused=False, foreach=True)

    def _padded(self, one: torch.Tensor) -> torch.Tensor:
        """As a row that can be cut into equal parts, one for each rank."""
        return torch.nn.functional.pad(one.flatten(), (0, -one.numel() % self.ranks))

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        waiting = [self._scattered(one, master) for one, master in zip(self.held, self.masters, strict=True)]
        for work, master, part in waiting:
            if work is not None:
                work.wait()
            master.grad = part.float()
        torch.optim.AdamW.step(self.inner)
        for one, master in zip(self.held, self.masters, strict=True):
            self._gathered(one, master)
            one.grad = None

    def _scattered(
        self, one: nn.Parameter, master: torch.Tensor
    ) -> tuple[dist.Work | None, torch.Tensor, torch.Tensor]:
        assert one.grad is not None
        padded = self._padded(one.grad)
        if self.group is None:
            return None, master, padded
        part = torch.empty(master.numel(), dtype=padded.dtype, device=padded.device)
        work = dist.reduce_scatter_tensor(part, padded, dist.ReduceOp.AVG, group=self.group, async_op=True)
        return work, master, part

    def _gathered(self, one: nn.Parameter, master: torch.Tensor) -> None:
        part = master.to(one.dtype)
        if self.group is not None:
            whole = torch.empty(part.numel() * self.ranks, dtype=one.dtype, device=one.device)
            dist.all_gather_into_tensor(whole, part, group=self.group)
            part = whole[: one.numel()]
        one.copy_(part.view_as(one))
