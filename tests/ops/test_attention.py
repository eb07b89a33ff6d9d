"""Fused attention against scaled_dot_product_attention, bit for bit where that is what it must equal, and against the
formula in float32 elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from jumar.ops.bitmask import pack
from jumar.ops.flash_attention import BACKWARDS, FORWARDS

from .compare import FLOATS, assert_near, assert_same, call

B, N, S, D = 2, 4, 6, 8
FOREVER = 2147483647

DEFAULTS: dict[str, Any] = {
    "scale": D**-0.5, "keep_prob": 1.0, "before": FOREVER, "after": FOREVER, "heads": N, "layout": "BNSD",
    "precise": 0, "mode": 0, "bias_type": 1, "softmax_layout": "", "seed": 0, "offset": 0, "out_dtype": 0,
}  # fmt: skip


def _call(name: str, table: dict[str, str], **given: Any) -> None:
    call(name, *({**DEFAULTS, **given}.get(argument) for argument in table[name].split()))


def _layout(tensor: Tensor, layout: str) -> Tensor:
    """From (batch, heads, sequence, head size)."""
    if layout == "BNSD":
        return tensor.contiguous()
    if layout == "SBH":
        return tensor.permute(2, 0, 1, 3).flatten(2).contiguous()
    moved = tensor.transpose(1, 2).contiguous()
    return moved.flatten(2) if layout == "BSH" else moved


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", ("plain", "causal", "mask"))
@pytest.mark.parametrize("shared", (1, 2))
@pytest.mark.parametrize("layout", ("BNSD", "BSND", "BSH", "SBH"))
def test_as_scaled_dot_product_attention(layout: str, shared: int, kind: str, dtype: torch.dtype) -> None:
    query, key, value, grad = (
        torch.randn(B, heads, S, D).to(dtype) for heads in (N, N // shared, N // shared, N)
    )
    visible = torch.rand(B, 1, S, S) < 0.7
    visible[..., 0] = True
    leaves = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
    masked = {"attn_mask": visible} if kind == "mask" else {"is_causal": kind == "causal"}
    wanted = F.scaled_dot_product_attention(*leaves, **masked, enable_gqa=shared > 1)
    references = torch.autograd.grad(wanted, leaves, grad)
    laid = {
        name: _layout(tensor, layout)
        for name, tensor in (("query", query), ("key", key), ("value", value), ("grad", grad))
    }
    settings = {"layout": layout, "mask": ~visible if kind == "mask" else None}
    if kind == "causal":
        settings |= {"mode": 2, "mask": torch.ones(2048, 2048, dtype=torch.bool).triu(1), "after": 0}
    out, maximum, total = torch.empty_like(laid["query"]), torch.empty(B, N, S, 8), torch.empty(B, N, S, 8)
    saved = {"max": maximum, "sum": total, "softmax": torch.empty(0), "out": out}
    _call("aclnnFlashAttentionScore", FORWARDS, **laid, **saved, **settings)
    assert_same(out, _layout(wanted.detach(), layout))
    results = {f"to_{name}": torch.empty_like(laid[name]) for name in ("query", "key", "value")}
    _call("aclnnFlashAttentionScoreGrad", BACKWARDS, **laid, **saved, **settings, **results)
    for result, reference in zip(results.values(), references, strict=True):
        assert_same(result, _layout(reference, layout))


def _formula(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor | None = None, **extra: Any) -> Tensor:
    scores = q @ k.mT
    if extra.get("bias") is not None:
        scores = scores + extra["bias"]
    scores = scores * DEFAULTS["scale"] + extra.get("late_bias", 0)
    if hidden is not None:
        scores = scores.masked_fill(hidden, -torch.inf)
    if extra.get("sink") is not None:
        sink = extra["sink"].view(1, -1, 1, 1).expand(*scores.shape[:-1], 1)
        weights = torch.cat((scores, sink), -1).softmax(-1)[..., :-1]
    else:
        weights = scores.softmax(-1)
    return (weights * extra.get("keep", 1)) @ v


def _check(
    version: str, gradient: str, reference: Any, queries: int = S, keys: int = S, **given: Any
) -> None:
    tensors = {"query": torch.randn(B, N, queries, D), "key": torch.randn(B, N, keys, D)}
    tensors["value"] = torch.randn(B, N, keys, D)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
    extra = {name: given[name].clone().requires_grad_() for name in ("bias", "sink") if name in given}
    wanted = reference(*leaves.values(), **extra)
    grad = torch.randn(wanted.shape)
    references = torch.autograd.grad(wanted, [*leaves.values(), *extra.values()], grad)
    statistics = {name: torch.empty(B, N, queries, 8) for name in ("max", "sum")}
    out = torch.empty(B, N, queries, D)
    everything = {**tensors, **statistics, "out": out, "softmax": torch.empty(0), "grad": grad, **given}
    _call(version, FORWARDS, **everything)
    assert_near(out, wanted.detach())
    results = {f"to_{name}": torch.empty(tensor.shape) for name, tensor in {**tensors, **extra}.items()}
    _call(gradient, BACKWARDS, **everything, **results)
    for result, expected in zip(results.values(), references, strict=True):
        assert_near(result, expected)


TRIANGLE = torch.ones(2048, 2048, dtype=torch.bool).triu(1)


@pytest.mark.parametrize(("queries", "keys"), ((4, 7), (7, 7)))
def test_sparse_modes(queries: int, keys: int) -> None:
    distance = torch.arange(keys) - torch.arange(queries).view(-1, 1)
    shift = keys - queries
    modes: dict[int, tuple[Tensor, dict[str, Any]]] = {
        2: (distance > 0, {}),
        3: (distance > shift, {}),
        4: ((distance > shift + 1) | (distance < shift - 2), {"before": 2, "after": 1}),
    }
    for mode, (hidden, settings) in modes.items():
        _check(
            "aclnnFlashAttentionScore", "aclnnFlashAttentionScoreGrad",
            lambda q, k, v, hidden=hidden: _formula(q, k, v, hidden),
            queries, keys, mode=mode, mask=TRIANGLE, **settings,
        )  # fmt: skip


def test_prefix() -> None:
    hidden = torch.ones(S, S, dtype=torch.bool).triu(1)[None, None]
    hidden = hidden & (torch.arange(S) >= torch.tensor([2, 4]).view(2, 1, 1, 1))
    _check(
        "aclnnFlashAttentionScore", "aclnnFlashAttentionScoreGrad",
        lambda q, k, v: _formula(q, k, v, hidden), mode=6, mask=TRIANGLE, prefix=[2, 4],
    )  # fmt: skip


def test_bias_sink_and_dropout() -> None:
    _check(
        "aclnnFlashAttentionScoreV2", "aclnnFlashAttentionScoreGradV2", _formula, bias=torch.randn(1, N, S, S)
    )
    _check(
        "aclnnFlashAttentionScoreV2", "aclnnFlashAttentionScoreGradV2",
        lambda q, k, v, bias: _formula(q, k, v, late_bias=bias), bias=torch.randn(B, N, S, S), bias_type=0,
    )  # fmt: skip
    _check("aclnnFlashAttentionScoreV3", "aclnnFlashAttentionScoreGradV3", _formula, sink=torch.randn(N))
    keep = torch.rand(B, N, S, S) < 0.8
    packed = torch.zeros(keep.numel() // 8 + 32, dtype=torch.uint8)
    pack(keep.flatten(), packed)
    _check(
        "aclnnFlashAttentionScore", "aclnnFlashAttentionScoreGrad",
        lambda q, k, v: _formula(q, k, v, keep=keep / 0.8), drop=packed, keep_prob=0.8,
    )  # fmt: skip


@pytest.mark.parametrize("causal", (False, True))
def test_packed_sequences(causal: bool) -> None:
    q_ends, kv_ends = [3, 3, 8], [4, 6, 11]
    tensors = {"query": torch.randn(8, N, D), "key": torch.randn(11, N, D), "value": torch.randn(11, N, D)}
    leaves = [tensor.clone().requires_grad_() for tensor in tensors.values()]
    parts = []
    starts = zip([0, *q_ends], [0, *kv_ends], q_ends, kv_ends, strict=False)
    for q_start, kv_start, q_end, kv_end in starts:
        ranges = ((q_start, q_end), (kv_start, kv_end), (kv_start, kv_end))
        q, k, v = (
            leaf[slice(*place)].transpose(0, 1)[None] for leaf, place in zip(leaves, ranges, strict=True)
        )
        hidden = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).triu(1 + k.shape[2] - q.shape[2])
        parts.append(_formula(q, k, v, hidden if causal else None)[0].transpose(0, 1))
    wanted = torch.cat(parts)
    grad = torch.randn(wanted.shape)
    references = torch.autograd.grad(wanted, leaves, grad)
    settings: dict[str, Any] = {"layout": "TND", "q_lengths": q_ends, "kv_lengths": kv_ends}
    if causal:
        settings |= {"mode": 3, "mask": TRIANGLE}
    everything = {
        **tensors, **settings, "max": torch.empty(8, N, 8), "sum": torch.empty(8, N, 8),
        "softmax": torch.empty(0), "out": torch.empty(8, N, D), "grad": grad,
    }  # fmt: skip
    _call("aclnnFlashAttentionVarLenScore", FORWARDS, **everything)
    assert_near(everything["out"], wanted.detach())
    results = {f"to_{name}": torch.zeros(tensor.shape) for name, tensor in tensors.items()}
    _call("aclnnFlashAttentionUnpaddingScoreGrad", BACKWARDS, **everything, **results)
    assert_near(results["to_query"], references[0])
    assert_near(results["to_value"], references[2])


def test_separate_rotary_part() -> None:
    ends = [4, 9]
    names = ("query", "query_rope", "key", "key_rope", "value")
    tensors = {name: torch.randn(9, N, D // 2 if "rope" in name else D) for name in names}
    out = torch.empty(9, N, D)
    _call(
        "aclnnFlashAttentionVarLenScoreV3", FORWARDS, **tensors, layout="TND", q_lengths=ends, kv_lengths=ends,
        max=torch.empty(9, N, 8), sum=torch.empty(9, N, 8), out=out,
    )  # fmt: skip
    query, key = (torch.cat((tensors[name], tensors[f"{name}_rope"]), -1) for name in ("query", "key"))
    first = [tensor[:4].transpose(0, 1)[None] for tensor in (query, key, tensors["value"])]
    assert_near(out[:4], _formula(*first)[0].transpose(0, 1))
