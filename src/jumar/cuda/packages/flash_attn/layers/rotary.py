"""Rotary position embedding, with plain operators in float32 as CUDA's kernel computes it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

Offsets = int | Tensor


def rotate_half(x: Tensor, interleaved: bool = False) -> Tensor:
    if interleaved:
        return torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
    one, two = x.chunk(2, -1)
    return torch.cat((-two, one), -1)


def _spread(angles: Tensor, interleaved: bool) -> Tensor:
    """From one number for each pair to one for each element, with a dimension for the heads."""
    wide = angles.repeat_interleave(2, -1) if interleaved else torch.cat((angles, angles), -1)
    return wide.unsqueeze(-2)


def apply_rotary_emb_torch(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False) -> Tensor:
    """`cos`, `sin`: (sequence, size / 2) or with a batch before; what is beyond `size` stays as it is."""
    width = cos.shape[-1] * 2
    cos, sin = _spread(cos, interleaved), _spread(sin, interleaved)
    turned = x[..., :width]
    return torch.cat((turned * cos + rotate_half(turned, interleaved) * sin, x[..., width:]), -1)


def _places(x: Tensor, offsets: Offsets, cu_seqlens: Tensor | None) -> Tensor:
    """Where each token stands: (sequence,), (batch, sequence), or (tokens,) of packed sequences."""
    if cu_seqlens is None:
        run = torch.arange(x.shape[1], device=x.device)
        return offsets[:, None] + run if isinstance(offsets, Tensor) else run + offsets
    run = torch.arange(x.shape[0], device=x.device)
    owner = torch.searchsorted(cu_seqlens[1:].contiguous(), run.to(cu_seqlens.dtype), right=True)
    owner = owner.clamp(max=cu_seqlens.numel() - 2)
    start = run - cu_seqlens[owner]
    return start + (offsets[owner] if isinstance(offsets, Tensor) else offsets)


def apply_rotary_emb(
    x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False, inplace: bool = False,
    seqlen_offsets: Offsets = 0, cu_seqlens: Tensor | None = None, max_seqlen: int | None = None,
) -> Tensor:  # fmt: skip
    """`x`: (batch, sequence, heads, size), or (tokens, heads, size) with `cu_seqlens`. `cos`: (places, size / 2)."""
    places = _places(x, seqlen_offsets, cu_seqlens)
    turned = apply_rotary_emb_torch(x.float(), cos.float()[places], sin.float()[places], interleaved).to(
        x.dtype
    )
    if not inplace:
        return turned
    return x.copy_(turned) if not x.requires_grad else turned


apply_rotary_emb_func = apply_rotary_emb


def _turn(part: Tensor, *angles: Any, **keywords: Any) -> Tensor:
    return apply_rotary_emb(part, *angles, **keywords)


def apply_rotary_emb_qkv_(
    qkv: Tensor, cos: Tensor, sin: Tensor, cos_k: Tensor | None = None, sin_k: Tensor | None = None,
    interleaved: bool = False, seqlen_offsets: Offsets = 0, num_heads_q: int | None = None,
) -> Tensor:  # fmt: skip
    """Turns query and key of (batch, sequence, 3, heads, size), or of all heads side by side with `num_heads_q`."""
    key_angles = (cos if cos_k is None else cos_k, sin if sin_k is None else sin_k)
    where = {"interleaved": interleaved, "seqlen_offsets": seqlen_offsets}
    if qkv.dim() == 5:
        q, k, v = qkv.unbind(2)
        return torch.stack((_turn(q, cos, sin, **where), _turn(k, *key_angles, **where), v), 2)
    assert num_heads_q is not None
    heads_k = (qkv.shape[2] - num_heads_q) // 2
    q, k, v = torch.split(qkv, [num_heads_q, heads_k, heads_k], 2)
    return torch.cat((_turn(q, cos, sin, **where), _turn(k, *key_angles, **where), v), 2)


def apply_rotary_emb_kv_(
    kv: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = False, seqlen_offsets: Offsets = 0
) -> Tensor:
    k, v = kv.unbind(2)
    return torch.stack((_turn(k, cos, sin, interleaved=interleaved, seqlen_offsets=seqlen_offsets), v), 2)


class RotaryEmbedding(nn.Module):
    """Angles for the longest sequence seen so far, applied to packed query, key and value."""

    inv_freq: Tensor

    def __init__(
        self, dim: int, base: float = 10000.0, interleaved: bool = False, scale_base: float | None = None,
        pos_idx_in_fp32: bool = True, device: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if scale_base is not None:
            raise NotImplementedError("jumar's stand-in for flash_attn has no scale_base (xPos)")
        self.dim, self.base, self.interleaved = dim, float(base), interleaved
        frequencies = 1.0 / (self.base ** (torch.arange(0, dim, 2, device=device, dtype=torch.float32) / dim))
        self.register_buffer("inv_freq", frequencies, persistent=False)

    def _angles(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        angles = torch.outer(
            torch.arange(length, device=like.device).float(), self.inv_freq.to(like.device).float()
        )
        return torch.cos(angles).to(like.dtype), torch.sin(angles).to(like.dtype)

    def forward(
        self, qkv: Tensor, kv: Tensor | None = None, seqlen_offset: Offsets = 0, max_seqlen: int | None = None,
        num_heads_q: int | None = None,
    ) -> Any:  # fmt: skip
        reach = int(seqlen_offset.max()) if isinstance(seqlen_offset, Tensor) else seqlen_offset
        cos, sin = self._angles(max(qkv.shape[1] + reach, max_seqlen or 0), qkv)
        where: dict[str, Any] = {"interleaved": self.interleaved, "seqlen_offsets": seqlen_offset}
        if kv is None:
            return apply_rotary_emb_qkv_(qkv, cos, sin, num_heads_q=num_heads_q, **where)
        return _turn(qkv, cos, sin, **where), apply_rotary_emb_kv_(kv, cos, sin, **where)
