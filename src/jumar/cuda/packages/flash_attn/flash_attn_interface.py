"""The functions of flash-attn 2. Tensors are (batch, sequence, heads, size), packed ones (tokens, heads, size)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.cuda import attention
from jumar.cuda.attention import How

MOST_SIZE = 256
Window = tuple[int, int]


def _how(
    query: Tensor,
    dropout: float,
    scale: float | None,
    causal: bool,
    window: Window,
    softcap: float,
    alibi: Any,
) -> How:
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    return How(scale, causal, (int(window[0]), int(window[1])), dropout, softcap, alibi)


def _check(query: Tensor, key: Tensor, value: Tensor) -> None:
    """Refuses what CUDA's kernels refuse, in their words."""
    if query.device.type == "cpu":
        raise NotImplementedError(
            "Could not run 'flash_attn::_flash_attn_forward' with arguments from the 'CPU' backend."
        )
    if query.dtype not in (torch.float16, torch.bfloat16):
        raise RuntimeError("FlashAttention only support fp16 and bf16 data type")
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError("query and key must have the same dtype")
    if query.shape[-1] > MOST_SIZE:
        raise RuntimeError("FlashAttention forward only supports head dimension at most 256")
    if query.shape[-2] % key.shape[-2]:
        raise RuntimeError("Number of heads in key/value must divide number of heads in query")


def _answer(out: Tensor, lse: Tensor, wanted: bool) -> Any:
    """With `return_attn_probs` three values, the last for testing only and never filled without dropout."""
    return (out, lse, None) if wanted else out


def flash_attn_func(
    q: Tensor, k: Tensor, v: Tensor, dropout_p: float = 0.0, softmax_scale: float | None = None, causal: bool = False,
    window_size: Window = (-1, -1), softcap: float = 0.0, alibi_slopes: Tensor | None = None,
    deterministic: bool = False, return_attn_probs: bool = False,
) -> Any:  # fmt: skip
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    return _answer(*attention.batched(q, k, v, how), return_attn_probs)


def flash_attn_kvpacked_func(
    q: Tensor, kv: Tensor, dropout_p: float = 0.0, softmax_scale: float | None = None, causal: bool = False,
    window_size: Window = (-1, -1), softcap: float = 0.0, alibi_slopes: Tensor | None = None,
    deterministic: bool = False, return_attn_probs: bool = False,
) -> Any:  # fmt: skip
    k, v = kv.unbind(-3)
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    return _answer(*attention.batched(q, k, v, how), return_attn_probs)


def flash_attn_qkvpacked_func(
    qkv: Tensor, dropout_p: float = 0.0, softmax_scale: float | None = None, causal: bool = False,
    window_size: Window = (-1, -1), softcap: float = 0.0, alibi_slopes: Tensor | None = None,
    deterministic: bool = False, return_attn_probs: bool = False,
) -> Any:  # fmt: skip
    q, k, v = qkv.unbind(-3)
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    return _answer(*attention.batched(q, k, v, how), return_attn_probs)


def flash_attn_varlen_func(
    q: Tensor, k: Tensor, v: Tensor, cu_seqlens_q: Tensor, cu_seqlens_k: Tensor, max_seqlen_q: int, max_seqlen_k: int,
    dropout_p: float = 0.0, softmax_scale: float | None = None, causal: bool = False, window_size: Window = (-1, -1),
    softcap: float = 0.0, alibi_slopes: Tensor | None = None, deterministic: bool = False,
    return_attn_probs: bool = False, block_table: Tensor | None = None,
) -> Any:  # fmt: skip
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    k_ends = attention.ends(cu_seqlens_k)
    if block_table is not None:
        taken = attention.lengths(k_ends)
        k, v = (
            torch.cat([_paged(one, row, n) for row, n in zip(block_table, taken, strict=True)])
            for one in (k, v)
        )
    return _answer(*attention.packed(q, k, v, attention.ends(cu_seqlens_q), k_ends, how), return_attn_probs)


def flash_attn_varlen_kvpacked_func(
    q: Tensor, kv: Tensor, cu_seqlens_q: Tensor, cu_seqlens_k: Tensor, max_seqlen_q: int, max_seqlen_k: int,
    dropout_p: float = 0.0, softmax_scale: float | None = None, causal: bool = False, window_size: Window = (-1, -1),
    softcap: float = 0.0, alibi_slopes: Tensor | None = None, deterministic: bool = False,
    return_attn_probs: bool = False,
) -> Any:  # fmt: skip
    k, v = kv.unbind(-3)
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    found = attention.packed(q, k, v, attention.ends(cu_seqlens_q), attention.ends(cu_seqlens_k), how)
    return _answer(*found, return_attn_probs)


def flash_attn_varlen_qkvpacked_func(
    qkv: Tensor, cu_seqlens: Tensor, max_seqlen: int, dropout_p: float = 0.0, softmax_scale: float | None = None,
    causal: bool = False, window_size: Window = (-1, -1), softcap: float = 0.0, alibi_slopes: Tensor | None = None,
    deterministic: bool = False, return_attn_probs: bool = False,
) -> Any:  # fmt: skip
    q, k, v = qkv.unbind(-3)
    _check(q, k, v)
    how = _how(q, dropout_p, softmax_scale, causal, window_size, softcap, alibi_slopes)
    bounds = attention.ends(cu_seqlens)
    return _answer(*attention.packed(q, k, v, bounds, bounds, how), return_attn_probs)


def _paged(cache: Tensor, pages: Tensor, length: int) -> Tensor:
    """The first tokens of a sequence that lies in pages (pages, page size, heads, size)."""
    count = -(-length // cache.shape[1])
    return cache[pages[:count].long()].flatten(0, 1)[:length]


def _whole(numbers: Any, count: int, otherwise: int) -> list[int]:
    """One number for each sequence."""
    if numbers is None:
        return [otherwise] * count
    return [int(numbers)] * count if isinstance(numbers, int) else [int(one) for one in numbers.tolist()]


def flash_attn_with_kvcache(
    q: Tensor, k_cache: Tensor, v_cache: Tensor, k: Tensor | None = None, v: Tensor | None = None,
    rotary_cos: Tensor | None = None, rotary_sin: Tensor | None = None, cache_seqlens: Any = None,
    cache_batch_idx: Tensor | None = None, cache_leftpad: Tensor | None = None, block_table: Tensor | None = None,
    softmax_scale: float | None = None, causal: bool = False, window_size: Window = (-1, -1), softcap: float = 0.0,
    rotary_interleaved: bool = True, alibi_slopes: Tensor | None = None, num_splits: int = 0,
    return_softmax_lse: bool = False,
) -> Any:  # fmt: skip
    """Attention to a cache, into which `k` and `v` are first written behind what it holds."""
    _check(q, k_cache, v_cache)
    batch, queries = q.shape[:2]
    room = k_cache.shape[1] if block_table is None else block_table.shape[1] * k_cache.shape[1]
    held = _whole(cache_seqlens, batch, room)
    skipped = _whole(cache_leftpad, batch, 0)
    rows = _whole(cache_batch_idx, batch, 0) if cache_batch_idx is not None else list(range(batch))
    if rotary_cos is not None and rotary_sin is not None:
        from .layers.rotary import apply_rotary_emb

        offsets = torch.tensor(held, device=q.device)
        # Without causality all queries stand at the same place, behind the cache.
        places = (
            offsets if causal or window_size != (-1, -1) else offsets[:, None].expand(-1, queries).reshape(-1)
        )
        shape = q.shape if places.dim() == 1 and len(places) == batch else (batch * queries, 1, *q.shape[2:])
        q = apply_rotary_emb(
            q.reshape(shape), rotary_cos, rotary_sin, rotary_interleaved, seqlen_offsets=places
        ).view_as(q)
        if k is not None:
            k = apply_rotary_emb(k, rotary_cos, rotary_sin, rotary_interleaved, seqlen_offsets=offsets)
    if k is not None and v is not None:
        for cache, fresh in ((k_cache, k), (v_cache, v)):
            _append(cache, fresh, held, rows, block_table)
        held = [length + k.shape[1] for length in held]
    parts = [
        [_held(cache, row, at, length, block_table)[pad:]
         for at, (row, length, pad) in enumerate(zip(rows, held, skipped, strict=True))]
        for cache in (k_cache, v_cache)
    ]  # fmt: skip
    bounds = torch.tensor([len(part) for part in parts[0]]).cumsum(0).tolist()
    how = _how(q, 0.0, softmax_scale, causal, window_size, softcap, alibi_slopes)
    q_ends = [queries * (at + 1) for at in range(batch)]
    out, lse = attention.packed(
        q.flatten(0, 1), torch.cat(parts[0]), torch.cat(parts[1]), q_ends, bounds, how
    )
    out = torch.unflatten(out, 0, (batch, queries))
    lse = torch.unflatten(lse, 1, (batch, queries)).transpose(0, 1)
    return (out, lse) if return_softmax_lse else out


def _append(
    cache: Tensor, fresh: Tensor, held: list[int], rows: list[int], block_table: Tensor | None
) -> None:
    for at, (row, length) in enumerate(zip(rows, held, strict=True)):
        if block_table is None:
            cache[row, length : length + fresh.shape[1]] = fresh[at]
            continue
        places = torch.arange(length, length + fresh.shape[1], device=cache.device)
        pages = block_table[at].long()[places // cache.shape[1]]
        cache[pages, places % cache.shape[1]] = fresh[at]


def _held(cache: Tensor, row: int, at: int, length: int, block_table: Tensor | None) -> Tensor:
    return cache[row, :length] if block_table is None else _paged(cache, block_table[at], length)


def _flash_attn_forward(
    q: Tensor, k: Tensor, v: Tensor, dropout_p: float, softmax_scale: float | None, causal: bool,
    window_size_left: int = -1, window_size_right: int = -1, softcap: float = 0.0,
    alibi_slopes: Tensor | None = None, return_softmax: bool = False,
) -> tuple[Tensor, Tensor, None, None]:  # fmt: skip
    """What libraries call that join pieces of attention themselves: result, logarithm, no mask, no random state."""
    if dropout_p:
        raise NotImplementedError(
            "jumar's stand-in for flash_attn has no random state to give back for dropout"
        )
    _check(q, k, v)
    how = _how(q, 0.0, softmax_scale, causal, (window_size_left, window_size_right), softcap, alibi_slopes)
    with torch.no_grad():
        out, lse = attention.batched(q, k, v, how)
    return out, lse, None, None


def _flash_attn_backward(
    dout: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, softmax_lse: Tensor, dq: Tensor | None,
    dk: Tensor | None, dv: Tensor | None, dropout_p: float, softmax_scale: float | None, causal: bool,
    window_size_left: int = -1, window_size_right: int = -1, softcap: float = 0.0,
    alibi_slopes: Tensor | None = None, deterministic: bool = False, rng_state: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Writes the gradients of one piece, whose share of the whole is what `softmax_lse` says, into dq, dk and dv."""
    if dropout_p:
        raise NotImplementedError(
            "jumar's stand-in for flash_attn has no random state to give back for dropout"
        )
    how = _how(q, 0.0, softmax_scale, causal, (window_size_left, window_size_right), softcap, alibi_slopes)
    found, delta = attention.gradients(dout, q, k, v, out, softmax_lse, how)
    for place, value in zip((dq, dk, dv), found, strict=True):
        if place is not None:
            place.copy_(value)
    return delta


_wrapped_flash_attn_forward, _wrapped_flash_attn_backward = _flash_attn_forward, _flash_attn_backward
