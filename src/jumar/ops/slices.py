"""The strided slice with bit masks, of which the plain slice of Python is a special case."""

from __future__ import annotations

from torch import Tensor


def _bit(mask: int, position: int) -> bool:
    return bool(mask >> position & 1)


def _along(self: Tensor, dim: int, bounds: slice) -> Tensor:
    """Tensor slicing takes no negative steps: the same elements forward, then turned around."""
    places = range(*bounds.indices(self.shape[dim]))
    if not places:
        return self.narrow(dim, 0, 0)
    first, last = min(places[0], places[-1]), max(places[0], places[-1])
    part = self[(slice(None),) * dim + (slice(first, last + 1, abs(places.step)),)]
    return part.flip(dim) if places.step < 0 else part


def strided_slice(
    self: Tensor,
    begin: list[int],
    end: list[int],
    strides: list[int],
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
) -> Tensor:
    """Bit i of a mask is about entry i of the lists: open bound, `...`, new axis, or a single index."""
    dim = 0
    for entry, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if _bit(ellipsis_mask, entry):
            later = sum(not _bit(new_axis_mask, other) for other in range(entry + 1, len(begin)))
            dim = self.dim() - later
        elif _bit(new_axis_mask, entry):
            self = self.unsqueeze(dim)
            dim += 1
        elif _bit(shrink_axis_mask, entry):
            if not -self.shape[dim] <= first < self.shape[dim]:
                raise IndexError(
                    f"slice index {first} is out of range for dimension {dim} of {list(self.shape)}"
                )
            self = self.select(dim, first)
        else:
            bounds = slice(
                None if _bit(begin_mask, entry) else first, None if _bit(end_mask, entry) else last, step
            )
            self = _along(self, dim, bounds)
            dim += 1
    return self
