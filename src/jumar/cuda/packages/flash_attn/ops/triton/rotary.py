"""The rotary embedding that is a Triton kernel on CUDA."""

from __future__ import annotations

from torch import Tensor

from ...layers.rotary import Offsets, apply_rotary_emb


def apply_rotary(
    x: Tensor, cos: Tensor, sin: Tensor, seqlen_offsets: Offsets = 0, cu_seqlens: Tensor | None = None,
    max_seqlen: int | None = None, interleaved: bool = False, inplace: bool = False, conjugate: bool = False,
) -> Tensor:  # fmt: skip
    sin = -sin if conjugate else sin
    return apply_rotary_emb(x, cos, sin, interleaved, inplace, seqlen_offsets, cu_seqlens, max_seqlen)
