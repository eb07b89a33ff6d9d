"""Taking and adding rows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def scaled_index_add(
    input: Tensor, index: Tensor, source: Tensor, scaling: Tensor | None = None, alpha: float = 1.0
) -> Tensor:
    return input.index_add_(0, index.long(), source if scaling is None else source * scaling, alpha=alpha)


def index_select_cat(sources: Sequence[Tensor], indices: Sequence[Tensor]) -> Tensor:
    """The chosen rows of each, flattened, one after the other."""
    return torch.cat([one[index.long()].flatten() for one, index in zip(sources, indices, strict=True)])
