"""The layers that BERT and ViT share: attention over the whole sequence and a GELU block, under autocast."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    """`first`: normalise before attention and block, as ViT does, or after them, as BERT."""

    def __init__(self, hidden: int, heads: int, first: bool, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads, self.first = heads, first
        self.query_key_value = nn.Linear(hidden, 3 * hidden, device="cuda")
        self.out = nn.Linear(hidden, hidden, device="cuda")
        self.up = nn.Linear(hidden, 4 * hidden, device="cuda")
        self.down = nn.Linear(4 * hidden, hidden, device="cuda")
        self.norms = nn.ModuleList(nn.LayerNorm(hidden, device="cuda") for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, hidden = x.shape
        parts = self.query_key_value(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2])
        return self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, length, hidden)))

    def block(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.down(functional.gelu(self.up(x))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.first:
            x = x + self.attend(self.norms[0](x))
            return x + self.block(self.norms[1](x))
        x = self.norms[0](x + self.attend(x))
        result: torch.Tensor = self.norms[1](x + self.block(x))
        return result
