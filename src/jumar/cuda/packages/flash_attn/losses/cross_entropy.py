"""Cross entropy as a module."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ..ops.triton.cross_entropy import cross_entropy_loss


class CrossEntropyLoss(nn.Module):
    def __init__(
        self, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0, logit_scale: float = 1.0,
        lse_square_scale: float = 0.0, inplace_backward: bool = False, process_group: Any = None,
        return_z_loss: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if reduction not in ("mean", "none", "sum"):
            raise NotImplementedError("Only support reduction = 'mean' or 'none' or 'sum'")
        self.ignore_index, self.reduction, self.return_z_loss = ignore_index, reduction, return_z_loss
        self.chosen = {"label_smoothing": label_smoothing, "logit_scale": logit_scale,
                       "lse_square_scale": lse_square_scale, "process_group": process_group}  # fmt: skip

    def forward(self, input: Tensor, target: Tensor, precomputed_lse: Tensor | None = None) -> Any:
        loss, penalty = cross_entropy_loss(input, target, ignore_index=self.ignore_index, **self.chosen)
        if self.reduction == "mean":
            count = (target != self.ignore_index).sum()
            loss, penalty = loss.sum() / count, penalty.sum() / count
        elif self.reduction == "sum":
            loss, penalty = loss.sum(), penalty.sum()
        return (loss, penalty) if self.return_z_loss else loss
