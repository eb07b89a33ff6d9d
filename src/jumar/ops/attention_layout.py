"""How programs lay out attention: the vendor's layout names and sparse modes in terms of `attention`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

EVERYTHING, GIVEN, CAUSAL, CAUSAL_FROM_END, BAND, PREFIX, PREFIX_COMPRESSED, BAND_LAST, BAND_FIRST = range(9)

# From a tensor in the named layout, and its number of heads, to a view (batch, heads, sequence, head size).
_VIEWS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "BNSD": lambda tensor, heads: tensor,
    "BSND": lambda tensor, heads: tensor.transpose(1, 2),
    "BSH": lambda tensor, heads: torch.unflatten(tensor, 2, (heads, -1)).transpose(1, 2),
    "SBH": lambda tensor, heads: torch.unflatten(tensor, 2, (heads, -1)).permute(1, 2, 0, 3),
    "TND": lambda tensor, heads: tensor.transpose(0, 1)[None],
    "NTD": lambda tensor, heads: tensor[None],
}


def by_head(tensor: Tensor, layout: str, heads: int) -> Tensor:
    return _VIEWS[layout](tensor, heads)


def key_heads(query: Tensor, key: Tensor, layout: str, heads: int) -> int:
    """The number of key heads where the layout folds them into one dimension; the head size is the query's."""
    return key.shape[2] // (query.shape[2] // heads) if layout in ("BSH", "SBH") else heads


@dataclass(frozen=True)
class Masking:
    """The vendor's mask arguments: a mask (true: hidden), how to read it, the band's edges from the diagonal."""

    mode: int
    mask: Tensor | None
    before: int
    after: int
    prefix: list[int] | None = None

    def scores(
        self, sizes: tuple[int, int, int], last: bool = True, first: bool = True
    ) -> tuple[Tensor | None, bool]:
        """`hidden` and `causal` of `attention.Scores` for (batch, queries, keys); the flags are of packed sequences."""
        if self.mask is None:
            return None, False
        batch, queries, keys = sizes
        shift = keys - queries
        mode = self.mode
        if mode == BAND_LAST:
            mode = BAND if last else CAUSAL_FROM_END
        elif mode == BAND_FIRST:
            mode, shift = (BAND, 0) if first else (CAUSAL, shift)
        if mode == CAUSAL or (mode == CAUSAL_FROM_END and shift == 0):
            return None, True
        if mode in (EVERYTHING, GIVEN, PREFIX):
            return self._given(queries, keys), False
        distance = torch.arange(keys) - (torch.arange(queries) + shift).view(-1, 1)
        hidden = distance > (self.after if mode == BAND else 0)
        if mode == BAND:
            hidden |= distance < -self.before
        elif mode == PREFIX_COMPRESSED and self.prefix:
            ends = torch.tensor(self.prefix).view(batch, 1, 1, 1)
            hidden = hidden & (torch.arange(keys) >= ends)
        return hidden, False

    def _given(self, queries: int, keys: int) -> Tensor:
        assert self.mask is not None
        mask = self.mask if self.mask.dtype is torch.bool else self.mask != 0
        return mask[..., :queries, :keys]
