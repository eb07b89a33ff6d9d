"""The work of fused operators for serving against calculations by hand."""

from __future__ import annotations

from typing import Any

from jumar.ops.working import work_of
from jumar.physics import Kind, Work

from .calls import operand

FOREVER = 2**60


def work(name: str, *arguments: Any) -> Work:
    found = work_of(name, arguments)
    assert found.source == "rule", found
    return found.work


def test_latent_attention_s_prolog() -> None:
    """DeepSeek-V2 (2024), §2.1, with the sizes of V3: hidden 7168, ranks 1536 and 512, 128 heads of 128 and 64."""
    rows = 16
    weights = (operand(7168, 1536), operand(1536, 128 * 192), operand(128, 128, 512), operand(7168, 576))
    rest = [
        operand(1536),
        operand(512),
        operand(rows, 64),
        operand(rows, 64),
        *[None] * 10,
        1e-6,
        1e-6,
        "PA_BSND",
    ]
    out = operand(rows, 128, 512), operand(rows, 128, 64), None
    found = work("aclnnMlaPrologV2WeightNz", operand(rows, 7168), *weights, *rest, *out)
    multiplied = 7168 * 1536 + 1536 * 128 * 192 + 128 * 128 * 512 + 7168 * 576
    assert found.operations == 2 * rows * multiplied
    assert found.read_b >= 2 * multiplied  # every weight once


def test_sparse_attention_looks_at_the_keys_that_were_chosen() -> None:
    """DeepSeek-V3.2 (2025), §2.1: 2,048 keys a query, in the compressed space of 512 and a rotary part of 64."""
    tokens, chosen = 4096, 2048
    latent, rotary = operand(1, tokens, 1, 512), operand(1, tokens, 1, 64)
    query, places = operand(1, tokens, 128, 512), operand(1, tokens, 1, chosen, dtype="int32")
    settings = [0.1, 1, "BSND", "BSND", 3, FOREVER, FOREVER, 2, False]
    found = work("aclnnSparseFlashAttention", query, latent, latent, places, None, None, None,
                 operand(1, tokens, 128, 64), rotary, *settings, query, None, None)  # fmt: skip
    assert found.kind is Kind.ATTENTION and found.operations == 2 * tokens * 128 * chosen * (576 + 512)


def test_the_indexer_scores_every_key_before() -> None:
    query, key, weights = operand(1, 512, 64, 128), operand(1, 512, 1, 128), operand(1, 512, 64)
    places = operand(1, 512, 1, 256, dtype="int32")
    found = work("aclnnLightningIndexer", query, key, weights, None, None, None, "BSND", "BSND", 256, 3, FOREVER,
                 FOREVER, False, places, None)  # fmt: skip
    assert found.operations == 2 * 64 * 128 * (512 * 513 // 2)


def test_caches_are_touched_where_something_is_written() -> None:
    new, cache = operand(8, 1, 1, 576), (operand(4000, 128, 1, 64), operand(4000, 128, 1, 512))
    turned = operand(8, 1, 1, 64)
    found = work("aclnnKvRmsNormRopeCache", new, operand(512), turned, turned, operand(8, dtype="int64"), *cache,
                 None, None, None, None, 1e-6, "PA", False, None, None)  # fmt: skip
    assert found.written_b == 8 * 576 * 2 and found.read_b < 20_000


def test_products_that_talk_say_what_they_leave_out() -> None:
    found = work_of(
        "aclnnMatmulAllReduce", [operand(64, 128), operand(128, 32), None, "g", "sum", 0, 1, operand(64, 32)]
    )
    assert found.work.operations == 2 * 64 * 128 * 32 and "other chips" in found.note
