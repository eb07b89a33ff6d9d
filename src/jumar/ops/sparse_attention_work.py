"""The work of sparse and compressed attention, which has no arithmetic here: every query has keys of its own.

Arguments have the names and order of the adapter's calls. Which keys an index picks, and how full a cache is whose
lengths are tensors, is not known: all the room that there is counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.ops.attention_work import (
    BACKWARD_OPERATIONS,
    CAUSAL_FROM_END,
    FORWARD_OPERATIONS,
    Mask,
    backward_rule,
    by_head,
    forward_rule,
    packed_pairs,
)
from jumar.ops.registry import work_rule
from jumar.ops.traffic import cube_dtype, size_b, total_b
from jumar.physics.work import Kind, Pattern, Product, Vector, Work

Arguments = dict[str, Any]

_SPARSE = "query key value indices pages q_lengths kv_lengths query_rope key_rope"
_SPARSE_SETTINGS = "scale block layout kv_layout mode before after"
_INDEXER = "query key weights q_lengths kv_lengths pages layout kv_layout count mode before after with_values"
_QUANT_INDEXER = (
    "query key weights query_scale key_scale q_lengths kv_lengths pages query_mode key_mode layout kv_layout count mode "
    "before after out"
)


def _named(names: str, rule: Callable[[Arguments], Work]) -> Callable[..., Work]:
    order = names.split()
    return lambda *values: rule(dict(zip(order, values, strict=True)))


def _named_rule(name: str, names: str, rule: Callable[[Arguments], Work]) -> None:
    work_rule(f"aclnn{name}")(_named(names, rule))


def _chosen(
    a: Arguments, keys: int, count: float, width_count: float
) -> tuple[tuple[Product, ...], float, float]:
    """Products of every query with `keys` keys that it chose for itself, pairs, and bytes of those keys and values."""
    query = by_head(a["query"], a["layout"], a.get("heads", 1))
    rope = a.get("query_rope")
    extra = rope.sizes[-1] if rope is not None and rope.elements else 0
    tokens, dtype = query.batch * query.length, cube_dtype(a["query"])
    products = (
        Product(tokens, query.heads, keys, query.width + extra, dtype, count),
        Product(tokens, query.heads, keys, query.width, dtype, width_count),
    )
    shared = max(1, a.get("kv_heads") or 1)
    picked_b = float(tokens * keys * shared * (2 * query.width + extra) * size_b(a["key"]))
    # Queries pick the same ones over and over.
    read_b = min(picked_b, total_b(a["key"], a.get("value"), a.get("key_rope")))
    return products, float(tokens * query.heads * keys), read_b


def _sparse_forward(a: Arguments) -> Work:
    products, pairs, read_b = _chosen(a, a["indices"].sizes[-1] * max(1, a["block"]), 1, 1)
    vectors = (Vector("fp32", FORWARD_OPERATIONS * pairs, pairs),)
    read_b += total_b(a["query"], a.get("query_rope"), a["indices"])
    written_b = total_b(a["out"], a.get("max"), a.get("sum"))
    return Work(Kind.ATTENTION, products, vectors, read_b, written_b, Pattern.GATHER)


def _sparse_backward(a: Arguments) -> Work:
    products, pairs, read_b = _chosen(a, a["indices"].sizes[-1] * max(1, a["block"]), 3, 2)
    vectors = (Vector("fp32", BACKWARD_OPERATIONS * pairs, pairs),)
    written = [a.get(name) for name in ("to_query", "to_key", "to_value", "to_query_rope", "to_key_rope")]
    read_b += total_b(a["query"], a["indices"], a["grad"], a["out"], a["max"], a["sum"])
    return Work(Kind.ATTENTION_BACKWARD, products, vectors, read_b, total_b(written), Pattern.GATHER)


_named_rule(
    "SparseFlashAttention",
    f"{_SPARSE} {_SPARSE_SETTINGS} attention_mode with_lse out max sum",
    _sparse_forward,
)
_named_rule(
    "SparseFlashAttentionV2",
    f"{_SPARSE} sink {_SPARSE_SETTINGS} attention_mode with_lse out max sum",
    _sparse_forward,
)
_named_rule(
    "SparseFlashAttentionGrad",
    "query key value indices grad out max sum q_lengths kv_lengths query_rope key_rope scale block layout mode before "
    "after deterministic to_query to_key to_value to_query_rope to_key_rope",
    _sparse_backward,
)
_named_rule(
    "KvQuantSparseFlashAttention",
    "query key value indices key_scale value_scale pages q_lengths kv_lengths scale key_mode value_mode block layout "
    "kv_layout mode before after attention_mode scale_mode tile rope_width out",
    _sparse_forward,
)
_named_rule(
    "NsaSelectedAttention",
    "query key value indices mask q_lengths kv_lengths scale heads layout mode block count max sum out",
    _sparse_forward,
)
_named_rule(
    "NsaSelectedAttentionInfer",
    "query key value indices mask pages q_lengths kv_lengths layout heads kv_heads block count page scale mode out",
    _sparse_forward,
)
_named_rule(
    "NsaSelectedAttentionGrad",
    "query key value out grad max sum indices q_lengths kv_lengths mask scale block count heads layout mode to_query "
    "to_key to_value",
    _sparse_backward,
)
work_rule("aclnnQuantFlashAttentionScore")(
    forward_rule(
        "query key value mask query_scale key_scale value_scale p_scale scale before after heads layout mode max sum "
        "softmax out"
    )
)
work_rule("aclnnQuantFlashAttentionScoreGrad")(
    backward_rule(
        "query key value grad mask max sum out query_scale key_scale value_scale grad_scale scores_scale p_scale scale "
        "before after heads layout mode out_dtype to_query to_key to_value"
    )
)


def _compressed(a: Arguments) -> Work:
    """Attention to keys that each stand for a block, of which a query sees those before it."""
    layout, heads = a["layout"], a["heads"]
    query, key = by_head(a["query"], layout, heads), by_head(a["key"], layout, heads)
    queries = a["q_lengths"] or [query.length] * query.batch
    keys = a["kv_lengths"] or [key.length] * query.batch
    if a["q_lengths"]:
        starts = [0, *queries[:-1]], [0, *keys[:-1]]
        queries = [end - start for start, end in zip(starts[0], queries, strict=True)]
        keys = [end - start for start, end in zip(starts[1], keys, strict=True)]
    pairs = sum(q * k for q, k in zip(queries, keys, strict=False)) / 2
    tokens, dtype = max(1, sum(queries)), cube_dtype(a["query"])
    product = Product(query.heads, float(tokens), pairs / tokens, query.width, dtype, 2)
    vectors = (Vector("fp32", FORWARD_OPERATIONS * query.heads * pairs, query.heads * pairs),)
    written = [a.get(name) for name in ("max", "sum", "out", "places")]
    return Work(
        Kind.ATTENTION, (product,), vectors, total_b(a["query"], a["key"], a["value"]), total_b(written)
    )


_named_rule(
    "NsaCompressAttention",
    "query key value mask topk_mask q_lengths kv_lengths selected_lengths scale heads layout mode compress_block stride "
    "select_block select_count max sum out places",
    _compressed,
)


def _indexed(a: Arguments) -> Work:
    """Scores of all keys for every query, added up over heads, and the best of them."""
    query = by_head(a["query"], a["layout"], 1)
    pages, key = a.get("pages"), a["key"]
    if pages is not None and pages.elements:
        keys = pages.sizes[-1] * key.sizes[1]
    else:
        keys = key.sizes[1] if a["kv_layout"].upper() == "BSND" else key.sizes[0] // max(1, query.batch)
    mask = Mask(a["mode"], a["mode"] == CAUSAL_FROM_END, a["before"], a["after"])
    pairs = packed_pairs(mask, [query.length] * query.batch, [keys] * query.batch)
    rows = max(1, query.batch * query.length)
    product = Product(
        query.batch, query.length * query.heads, pairs / rows, query.width, cube_dtype(a["query"])
    )
    vectors = (Vector("fp32", (3.0 * query.heads + 20.0) * pairs),)
    cached_b = float(query.batch * keys * query.width * size_b(key))
    written = [a.get(name) for name in ("out", "values")]
    read_b = cached_b + total_b(a["query"], a["weights"])
    return Work(Kind.ATTENTION, (product,), vectors, read_b, total_b(written))


def _indexed_backward(a: Arguments) -> Work:
    """Gradients of query, key and weights from the places that were chosen."""
    products, pairs, read_b = _chosen(a, a["indices"].sizes[-1], 3, 0)
    vectors = (Vector("fp32", 8.0 * pairs),)
    read_b += total_b(a["query"], a["grad"], a["indices"], a["weights"])
    written_b = total_b(a["to_query"], a["to_key"], a["to_weights"])
    return Work(Kind.ATTENTION_BACKWARD, products[:1], vectors, read_b, written_b, Pattern.GATHER)


_named_rule(
    "LightningIndexerGrad",
    "query key grad indices weights q_lengths kv_lengths heads layout mode before after deterministic to_query to_key "
    "to_weights",
    _indexed_backward,
)
_named_rule("LightningIndexer", f"{_INDEXER} out values", _indexed)
_named_rule("QuantLightningIndexer", _QUANT_INDEXER, _indexed)
