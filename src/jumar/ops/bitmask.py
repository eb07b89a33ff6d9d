"""Dropout masks as the chip keeps them: one bit an element, the lowest bit of a byte first."""

from __future__ import annotations

import functools
import sys

import torch
from torch import Tensor

# Eight bytes of 0 or 1, read as one integer and multiplied by this: their bits are then its top byte.
_GATHER_BITS = 0x0102040810204080

assert sys.byteorder == "little", "the packing below reads eight bytes as one little-endian integer"


@functools.cache
def _bytes_of() -> Tensor:
    """For each byte its eight bits as eight bytes, in one int64."""
    return torch.tensor(
        [sum((byte >> bit & 1) << 8 * bit for bit in range(8)) for byte in range(256)], dtype=torch.int64
    )


def pack(bits: Tensor, out: Tensor) -> None:
    """Writes a vector of bool to the beginning of `out` (uint8) and fills the rest with zeros."""
    whole = torch.zeros(-(-len(bits) // 8) * 8, dtype=torch.uint8)
    whole[: len(bits)] = bits
    packed = whole.view(torch.int64).mul_(_GATHER_BITS).bitwise_right_shift_(56).bitwise_and_(255)
    flat = out.view(-1)
    flat[: len(packed)] = packed
    flat[len(packed) :] = 0


def unpack(mask: Tensor, count: int) -> Tensor:
    """The first `count` bits of a packed mask, as bool."""
    used = mask.reshape(-1).view(torch.uint8)[: -(-count // 8)]
    return torch.index_select(_bytes_of(), 0, used.int()).view(torch.bool)[:count]
