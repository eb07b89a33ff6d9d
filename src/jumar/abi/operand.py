"""What a recorded operator was called with, without the values of its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod


@dataclass(frozen=True)
class Operand:
    """A tensor argument. `dtype` as PyTorch spells it without `torch.`; `sizes` and `strides` in elements.

    `format`: the vendor's layout ("ND", "NCHW", "FRACTAL_NZ", …).
    """

    dtype: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    format: str = "ND"

    @cached_property
    def elements(self) -> int:
        return prod(self.sizes)


# One argument of an operator; floats are those of the first call of its kind, as none decides how long it takes.
Argument = (
    Operand | int | float | bool | complex | str | None | list["Operand"] | list[int] | list[float] | list[bool]
)
