"""Fused attention for inference against scaled_dot_product_attention, sequence by sequence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from jumar.ops.inference_attention import VERSIONS

from .compare import assert_near, assert_same, call

B, N, KV, D = 2, 4, 2, 8
DEFAULTS: dict[str, Any] = {
    "heads": N, "scale": D**-0.5, "before": 2147483647, "after": 2147483647, "layout": "BNSD", "kv_heads": KV,
    "mode": 0, "precise": 0, "page_size": 0, "lse_wanted": False, "lse": torch.empty(0),
}  # fmt: skip


def _call(name: str, **given: Any) -> None:
    call(name, *({**DEFAULTS, **given}.get(argument) for argument in VERSIONS[name].split()))


def _reference(query: Tensor, key: Tensor, value: Tensor, **settings: Any) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, enable_gqa=True, **settings)


def _tensors(queries: int, keys: int) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(B, N, queries, D), torch.randn(B, KV, keys, D), torch.randn(B, KV, keys, D)


@pytest.mark.parametrize("version", [name for name in VERSIONS if "Incre" not in name])
def test_prompt(version: str) -> None:
    query, key, value = _tensors(6, 6)
    lists: Any = (lambda tensor: [tensor]) if "Fused" in version else (lambda tensor: tensor)
    out = torch.empty(query.shape)
    _call(version, query=query, key=lists(key), value=lists(value), out=out)
    assert_same(out, _reference(query, key, value))
    triangle = torch.ones(2048, 2048, dtype=torch.bool).triu(1)
    _call(version, query=query, key=lists(key), value=lists(value), mask=triangle, mode=2, out=out)
    assert_same(out, _reference(query, key, value, is_causal=True))


def test_layouts_and_logarithms() -> None:
    query, key, value = _tensors(6, 7)
    flat = [tensor.transpose(1, 2).flatten(2) for tensor in (query, key, value)]
    out, lse = torch.empty(B, 6, N * D), torch.empty(B, N, 6, 1)
    _call(
        "aclnnFusedInferAttentionScoreV3", query=flat[0], key=[flat[1]], value=[flat[2]], layout="BSH", out=out,
        lse=lse, lse_wanted=True,
    )  # fmt: skip
    assert_near(out, _reference(query, key, value).transpose(1, 2).flatten(2))
    scores = query @ key.repeat_interleave(2, 1).mT * D**-0.5
    assert_near(lse, scores.logsumexp(-1, True))
    moved = torch.empty(B, 6, N, D)
    _call(
        "aclnnFusedInferAttentionScoreV2",
        query=query,
        key=[key],
        value=[value],
        layout="BNSD_BSND",
        out=moved,
    )
    assert_near(moved, _reference(query, key, value).transpose(1, 2))


@pytest.mark.parametrize("version", ("aclnnFusedInferAttentionScoreV4", "aclnnIncreFlashAttentionV4"))
def test_decoding(version: str) -> None:
    query, key, value = _tensors(1, 9)
    lengths = [4, 9]
    wanted = torch.cat(
        [
            _reference(query[i : i + 1], key[i : i + 1, :, :length], value[i : i + 1, :, :length])
            for i, length in enumerate(lengths)
        ]
    )
    out = torch.empty(query.shape)
    _call(version, query=query, key=[key], value=[value], kv_lengths=lengths, out=out)
    assert_same(out, wanted)
    pages = torch.tensor([[5, 2, 7], [0, 3, 1]], dtype=torch.int32)
    stores = [torch.zeros(8, 4, KV * D), torch.zeros(8, 4, KV * D)]
    for tensor, room in zip((key, value), stores, strict=True):
        padded = F.pad(tensor.transpose(1, 2).flatten(2), (0, 0, 0, 3)).view(B, 3, 4, KV * D)
        room[pages.long()] = padded
    _call(
        version,
        query=query,
        key=[stores[0]],
        value=[stores[1]],
        kv_lengths=lengths,
        pages=pages,
        page_size=4,
        out=out,
    )
    assert_same(out, wanted)


def test_packed() -> None:
    query, key, value = torch.randn(7, N, D), torch.randn(9, KV, D), torch.randn(9, KV, D)
    out = torch.empty(7, N, D)
    _call(
        "aclnnFusedInferAttentionScoreV3", query=query, key=[key], value=[value], layout="TND", q_lengths=[3, 7],
        kv_lengths=[4, 9], out=out,
    )  # fmt: skip
    first = _reference(*(t.transpose(0, 1)[None] for t in (query[:3], key[:4], value[:4])))[0].transpose(0, 1)
    assert_near(out[:3], first)


def test_missing_arithmetic_says_so() -> None:
    query, key, value = _tensors(1, 4)
    with pytest.raises(NotImplementedError, match="quant_scale2"):
        _call(
            "aclnnFusedInferAttentionScoreV3", query=query, key=[key], value=[value], quant_scale2=torch.ones(1),
            out=torch.empty(query.shape),
        )  # fmt: skip
