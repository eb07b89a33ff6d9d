"""A mixture of experts in plain PyTorch: tokens are sent to the ranks that hold their experts, and back.

Every expert takes an equal number of tokens, as routers are trained to see to; so no size depends on values.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from jumar.shelf.groups import Group, exchanged


class Experts(nn.Module):
    """`count` gated blocks over `ranks` ranks; each token takes `per_token` of them."""

    def __init__(self, hidden: int, ffn: int, count: int, per_token: int, ranks: int, group: Group) -> None:
        super().__init__()
        if count % ranks:
            raise SystemExit(f"{count} experts cannot lie on {ranks} ranks; use a divisor of {count}")
        self.count, self.per_token, self.group = count, per_token, group
        own = count // ranks
        self.router = nn.Linear(hidden, count, bias=False, dtype=torch.bfloat16, device="cuda")
        self.up = nn.Parameter(torch.empty(own, hidden, 2 * ffn, dtype=torch.bfloat16, device="cuda"))
        self.down = nn.Parameter(torch.empty(own, ffn, hidden, dtype=torch.bfloat16, device="cuda"))
        for weight in (self.up, self.down):
            nn.init.normal_(weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(0, 1)
        weights, chosen = self.router(flat).float().softmax(dim=-1).topk(self.per_token, dim=-1)
        weights = (weights / weights.sum(dim=-1, keepdim=True)).to(x.dtype)
        order = chosen.flatten().argsort()
        sent = flat[order // self.per_token]
        own, hidden = self.up.shape[0], x.shape[-1]
        # [ranks, own experts, tokens of each] on the way there, [own experts, tokens from all ranks] while computed.
        ranks = self.count // own
        arrived = (
            exchanged(sent, self.group).view(ranks, own, -1, hidden).transpose(0, 1).reshape(own, -1, hidden)
        )
        gate, inner = torch.bmm(arrived, self.up).chunk(2, dim=-1)
        done = torch.bmm(functional.silu(gate) * inner, self.down)
        back = exchanged(done.view(own, ranks, -1, hidden).transpose(0, 1).reshape(-1, hidden), self.group)
        placed = torch.empty_like(back).index_copy(0, order, back)
        mixed = (placed.view(-1, self.per_token, hidden) * weights[..., None]).sum(dim=1)
        return mixed.view_as(x)
