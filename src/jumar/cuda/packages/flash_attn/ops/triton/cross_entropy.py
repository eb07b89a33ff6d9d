"""The loss over a vocabulary, with its additions: label smoothing, a scale of the logits, a penalty on their sum."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy_loss(
    logits: Tensor, labels: Tensor, precomputed_lse: Tensor | None = None, label_smoothing: float = 0.0,
    logit_scale: float = 1.0, lse_square_scale: float = 0.0, ignore_index: int = -100,
    inplace_backward: bool = False, process_group: Any = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The loss of each row, the penalty included, and the penalty alone: (rows,) in float32 each."""
    if process_group is not None:
        raise NotImplementedError("jumar's stand-in for flash_attn has no loss over a split vocabulary")
    scaled = logits.float() * logit_scale
    loss = F.cross_entropy(
        scaled, labels, ignore_index=ignore_index, reduction="none", label_smoothing=label_smoothing
    )
    if not lse_square_scale:
        return loss, torch.zeros_like(loss)
    penalty = lse_square_scale * scaled.logsumexp(-1).square()
    penalty = penalty.masked_fill(labels == ignore_index, 0)
    return loss + penalty, penalty.detach()
