"""A decoder-only transformer in plain PyTorch, in the shapes of published models, cut over the ranks of a tensor group."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from jumar.shelf.experts import Experts
from jumar.shelf.groups import Grid, Group, copied, reduced

TYPE = torch.bfloat16


@dataclass(frozen=True)
class Shape:
    """Sizes of a model. `experts`: how many, of which each token takes `per_token`; 0 for a dense one."""

    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    vocabulary: int
    gated: bool = True
    experts: int = 0
    per_token: int = 0

    @property
    def width(self) -> int:
        return self.hidden // self.heads


SHAPES = {
    "gpt2": Shape(12, 768, 3072, 12, 12, 50304, gated=False),
    "llama-2-7b": Shape(32, 4096, 11008, 32, 32, 32000),
    "llama-2-13b": Shape(40, 5120, 13824, 40, 40, 32000),
    "llama-2-70b": Shape(80, 8192, 28672, 64, 8, 32000),
    "mixtral-8x7b": Shape(32, 4096, 14336, 32, 8, 32000, experts=8, per_token=2),
}


def linear(inside: int, outside: int) -> nn.Linear:
    return nn.Linear(inside, outside, bias=False, dtype=TYPE, device="cuda")


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; of its heads each rank has an equal part."""

    def __init__(self, shape: Shape, tensor: int, group: Group) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.width = (
            shape.heads // tensor,
            max(1, shape.kv_heads // tensor),
            shape.width,
        )
        self.group = group
        self.query_key_value = linear(shape.hidden, (self.heads + 2 * self.kv_heads) * self.width)
        self.out = linear(self.heads * self.width, shape.hidden)

    def forward(
        self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor], cache: torch.Tensor | None, past: int
    ) -> torch.Tensor:
        batch, length, _ = x.shape
        parts = (
            self.query_key_value(copied(x, self.group)).view(batch, length, -1, self.width).transpose(1, 2)
        )
        query, key, value = parts.split((self.heads, self.kv_heads, self.kv_heads), dim=1)
        query, key = rotated(query, turn), rotated(key, turn)
        if cache is not None:
            cache[0, :, :, past : past + length] = key
            cache[1, :, :, past : past + length] = value
            key, value = cache[0, :, :, : past + length], cache[1, :, :, : past + length]
        if self.kv_heads != self.heads:
            key = key.repeat_interleave(self.heads // self.kv_heads, dim=1)
            value = value.repeat_interleave(self.heads // self.kv_heads, dim=1)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=length > 1)
        return reduced(self.out(mixed.transpose(1, 2).reshape(batch, length, -1)), self.group)


def rotated(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    cosine, sine = turn
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


class Dense(nn.Module):
    """The feed-forward block, its inner width cut over the ranks."""

    def __init__(self, shape: Shape, tensor: int, group: Group) -> None:
        super().__init__()
        self.gated, self.group = shape.gated, group
        inner = shape.ffn // tensor
        self.up = linear(shape.hidden, inner * (2 if shape.gated else 1))
        self.down = linear(inner, shape.hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.up(copied(x, self.group))
        if self.gated:
            gate, inner = inner.chunk(2, dim=-1)
            inner = functional.silu(gate) * inner
        else:
            inner = functional.gelu(inner)
        return reduced(self.down(inner), self.group)


class Block(nn.Module):
    def __init__(self, shape: Shape, grid: Grid) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.hidden, dtype=TYPE, device="cuda")
        self.attention = Attention(shape, grid.tensor, grid.tensor_group)
        self.ffn_norm = nn.RMSNorm(shape.hidden, dtype=TYPE, device="cuda")
        # Experts lie on the ranks that otherwise hold the same weights.
        self.ffn: nn.Module = (
            Experts(shape.hidden, shape.ffn, shape.experts, shape.per_token, grid.data, grid.data_group)
            if shape.experts
            else Dense(shape, grid.tensor, grid.tensor_group)
        )

    def forward(
        self,
        x: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        cache: torch.Tensor | None = None,
        past: int = 0,
    ) -> torch.Tensor:
        x = x + self.attention(self.attention_norm(x), turn, cache, past)
        result: torch.Tensor = x + self.ffn(self.ffn_norm(x))
        return result


class Decoder(nn.Module):
    """The layers of one pipeline stage, with embedding and head where they belong."""

    def __init__(self, shape: Shape, grid: Grid, longest: int, recompute: bool = False) -> None:
        super().__init__()
        self.shape, self.grid, self.recompute = shape, grid, recompute
        part = shape.vocabulary // grid.tensor
        self.embedding = nn.Embedding(part, shape.hidden, dtype=TYPE, device="cuda") if grid.first else None
        self.layers = nn.ModuleList(Block(shape, grid) for _ in range(shape.layers // grid.pipeline))
        self.norm = nn.RMSNorm(shape.hidden, dtype=TYPE, device="cuda") if grid.last else None
        self.head = linear(shape.hidden, part) if grid.last else None
        angles = torch.arange(longest, device="cuda")[:, None] / 10000 ** (
            torch.arange(0, shape.width, 2, device="cuda") / shape.width
        )
        angles = torch.cat((angles, angles), dim=-1)
        self.cosine, self.sine = angles.cos().to(TYPE), angles.sin().to(TYPE)

    def forward(
        self, x: torch.Tensor, caches: list[torch.Tensor] | None = None, past: int = 0
    ) -> torch.Tensor:
        """Hidden states from tokens or from hidden states; logits of this rank's words on the last stage."""
        length = x.shape[1]
        if self.embedding is not None:
            x = self._looked_up(x)
        turn = self.cosine[past : past + length], self.sine[past : past + length]
        for number, layer in enumerate(self.layers):
            if self.recompute:
                x = checkpoint(layer, x, turn, use_reentrant=False, preserve_rng_state=False)
            else:
                x = layer(x, turn, caches[number] if caches else None, past)
        if self.norm is None or self.head is None:
            return x
        logits: torch.Tensor = self.head(copied(self.norm(x), self.grid.tensor_group))
        return logits

    def _looked_up(self, tokens: torch.Tensor) -> torch.Tensor:
        """Each rank knows a part of the words; the others' come as zeros."""
        assert self.embedding is not None
        group = self.grid.tensor_group
        if group is None:
            found: torch.Tensor = self.embedding(tokens)
            return found
        part = self.embedding.num_embeddings
        own = tokens - self.grid.tensor_rank * part
        mine = (own >= 0) & (own < part)
        return reduced(self.embedding(own.clamp(0, part - 1)) * mine[..., None], group)


def loss_of(logits: torch.Tensor, labels: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Cross entropy; with a tensor group each rank has the logits of a part of the words."""
    logits, labels = logits.flatten(0, 1).float(), labels.flatten()
    if grid.tensor_group is None:
        return functional.cross_entropy(logits, labels)
    import torch.distributed as dist

    greatest = logits.detach().amax(dim=-1, keepdim=True)
    dist.all_reduce(greatest, dist.ReduceOp.MAX, group=grid.tensor_group)
    logits = logits - greatest
    whole = reduced(logits.exp().sum(dim=-1), grid.tensor_group)
    own = labels - grid.tensor_rank * logits.shape[-1]
    mine = (own >= 0) & (own < logits.shape[-1])
    wanted = logits.gather(1, own.clamp(0, logits.shape[-1] - 1)[:, None]).squeeze(1) * mine
    return (whole.log() - reduced(wanted, grid.tensor_group)).mean()
