"""Memory-efficient attention: the kinds of bias in terms of `jumar.cuda.attention`.

Tensors are (batch, sequence, heads, size), or (batch, sequence, size), or with groups of heads
(batch, sequence, groups, heads, size). `op` is accepted and has no effect: there is one way here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.cuda import attention
from jumar.cuda.attention import How

from . import attn_bias
from .attn_bias import (
    AttentionBias,
    BlockDiagonalCausalFromBottomRightMask,
    BlockDiagonalCausalMask,
    BlockDiagonalCausalWithOffsetPaddedKeysMask,
    BlockDiagonalMask,
    LowerTriangularMask,
    LowerTriangularMaskWithTensorBias,
)

__all__ = [
    "AttentionBias", "AttentionOp", "BlockDiagonalCausalFromBottomRightMask", "BlockDiagonalCausalMask",
    "BlockDiagonalCausalWithOffsetPaddedKeysMask", "BlockDiagonalMask", "LowerTriangularMask",
    "LowerTriangularMaskWithTensorBias", "MemoryEfficientAttentionCutlassOp",
    "MemoryEfficientAttentionFlashAttentionOp", "attn_bias", "cutlass", "flash", "memory_efficient_attention",
    "memory_efficient_attention_forward", "memory_efficient_attention_forward_requires_grad",
    "memory_efficient_attention_partial", "merge_attentions",
]  # fmt: skip


class _Operator:
    """Named in arguments and printed; never run."""

    def __init__(self, name: str) -> None:
        self.NAME = name

    def __repr__(self) -> str:
        return self.NAME


class _Kind:
    def __init__(self, name: str) -> None:
        self.FwOp, self.BwOp = _Operator(f"{name}F"), _Operator(f"{name}B")


AttentionOp = tuple[Any, Any]
flash, cutlass = _Kind("fa2"), _Kind("cutlass")
MemoryEfficientAttentionFlashAttentionOp = (flash.FwOp, flash.BwOp)
MemoryEfficientAttentionCutlassOp = (cutlass.FwOp, cutlass.BwOp)


def memory_efficient_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_bias: Any = None, p: float = 0.0, scale: float | None = None, *,
    op: Any = None, output_dtype: torch.dtype | None = None,
) -> Tensor:  # fmt: skip
    out = _attention(query, key, value, attn_bias, p, scale)[0]
    return out if output_dtype is None else out.to(output_dtype)


def memory_efficient_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, attn_bias: Any = None, p: float = 0.0, scale: float | None = None, *,
    op: Any = None, output_dtype: torch.dtype | None = None,
) -> Tensor:  # fmt: skip
    """Without derivative."""
    with torch.no_grad():
        return memory_efficient_attention(query, key, value, attn_bias, p, scale, output_dtype=output_dtype)


def memory_efficient_attention_forward_requires_grad(
    query: Tensor, key: Tensor, value: Tensor, attn_bias: Any = None, p: float = 0.0, scale: float | None = None, *,
    op: Any = None, output_dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Without derivative, with the logarithm of the sum of exponentials (batch, heads, queries)."""
    with torch.no_grad():
        return _attention(query, key, value, attn_bias, p, scale)


memory_efficient_attention_partial = memory_efficient_attention_forward_requires_grad


def merge_attentions(
    attn_split: Any, lse_split: Any, write_lse: bool = True, **_: Any
) -> tuple[Tensor, Tensor | None]:
    """One result of several over parts of the keys, by their logarithms."""
    outs = attn_split.unbind(0) if isinstance(attn_split, Tensor) else attn_split
    lses = torch.stack(tuple(lse_split.unbind(0) if isinstance(lse_split, Tensor) else lse_split))
    total = lses.logsumexp(0)
    shares = (lses - total).exp().movedim(-1, 2)
    merged = sum(out.float() * share[..., None] for out, share in zip(outs, shares, strict=True))
    assert isinstance(merged, Tensor)
    return merged.to(outs[0].dtype), total if write_lse else None


def _attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Any, dropout: float, scale: float | None
) -> tuple[Tensor, Tensor]:
    if query.dim() == 3:
        out, lse = _attention(
            query[:, :, None], key[:, :, None], value[:, :, None], _per_head(bias), dropout, scale
        )
        return out[:, :, 0], lse[:, 0]
    if query.dim() == 5:
        return _grouped(query, key, value, bias, dropout, scale)
    if not query.dtype == key.dtype == value.dtype:
        raise ValueError(f"Query/Key/Value should all have the same dtype\n  query.dtype: {query.dtype}\n"
                         f"  key.dtype  : {key.dtype}\n  value.dtype: {value.dtype}")  # fmt: skip
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    if isinstance(bias, attn_bias.Blocks):
        return _blocks(query, key, value, bias, How(scale, bias.causal, bias.window, dropout))
    if bias is None or isinstance(bias, Tensor):
        return attention.batched(query, key, value, How(scale, dropout=dropout, bias=bias))
    how = bias.how(How(scale, dropout=dropout), query, key)
    return attention.batched(query, key, value, how)


def _per_head(bias: Any) -> Any:
    """A bias (batch, queries, keys) of tensors without heads."""
    return bias[:, None] if isinstance(bias, Tensor) and bias.dim() == 3 else bias


def _grouped(
    query: Tensor, key: Tensor, value: Tensor, bias: Any, dropout: float, scale: float | None
) -> tuple[Tensor, Tensor]:
    groups, heads = query.shape[2:4]
    # A key that is the same for the heads of a group comes expanded; then one head of it is enough.
    shared = all(one.stride(3) == 0 or heads == 1 for one in (key, value))
    key, value = (one[:, :, :, 0] if shared else one.flatten(2, 3) for one in (key, value))
    flat = bias.flatten(1, 2) if isinstance(bias, Tensor) and bias.dim() == 5 else bias
    out, lse = _attention(query.flatten(2, 3), key, value, flat, dropout, scale)
    return torch.unflatten(out, 2, (groups, heads)), torch.unflatten(lse, 1, (groups, heads))


def _blocks(query: Tensor, key: Tensor, value: Tensor, bias: Any, how: How) -> tuple[Tensor, Tensor]:
    """Sequences one after the other in a batch of one."""
    q_ends, k_ends = bias.ends()
    if bias.top_left and any(
        a != b for a, b in zip(attention.lengths(q_ends), attention.lengths(k_ends), strict=True)
    ):
        raise NotImplementedError(
            f"jumar's stand-in for xformers has {type(bias).__name__} only where queries and keys are as many: "
            "use make_causal_from_bottomright()"
        )
    keys, values = (bias.taken(one[0]) for one in (key, value))
    out, lse = attention.packed(query[0], keys, values, q_ends, k_ends, how)
    return out[None], lse[None]
