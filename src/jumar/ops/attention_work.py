"""The work of fused attention: which pairs of query and key are looked at, and the products over them.

Kernels skip blocks that a mask of known form hides, so only visible pairs count; the ragged edge of the last blocks does
not. Scores stay on the chip: memory sees the operands, once, and the statistics of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.traffic import cube_dtype, size_b, total_b
from jumar.physics.work import Kind, Product, Vector, Work

EVERYTHING, GIVEN, CAUSAL, CAUSAL_FROM_END, BAND, PREFIX, PREFIX_COMPRESSED, BAND_LAST, BAND_FIRST = range(9)
# Of each score: scaling, masking, subtracting the largest, adding up; backward about two and a half times that.
FORWARD_OPERATIONS, BACKWARD_OPERATIONS, DROPOUT_OPERATIONS = 4.0, 10.0, 2.0
# Rows of queries up to which the heads that share a key are done as rows of one product.
SHARED_ROWS = 128

Arguments = dict[str, Any]
# Arguments that are written; all other tensors are read.
_GRADIENTS = ("to_query", "to_key", "to_value", "to_bias", "to_query_rope", "to_key_rope", "to_sink")
_RESULTS = ("max", "sum", "softmax", "out")


@dataclass(frozen=True)
class Heads:
    """A tensor of attention by heads."""

    batch: int
    heads: int
    length: int
    width: int


def by_head(operand: Operand, layout: str, heads: int) -> Heads:
    """The sizes of an operand in one of the vendor's layouts."""
    sizes = operand.sizes
    match layout.upper().partition("_")[0]:
        case "BNSD":
            return Heads(*sizes)
        case "BSND":
            return Heads(sizes[0], sizes[2], sizes[1], sizes[3])
        case "BSH":
            return Heads(sizes[0], heads, sizes[1], sizes[2] // max(1, heads))
        case "SBH":
            return Heads(sizes[1], heads, sizes[0], sizes[2] // max(1, heads))
        case "TND":
            return Heads(1, sizes[1], sizes[0], sizes[2])
        case "NTD":
            return Heads(1, sizes[0], sizes[1], sizes[2])
    raise ValueError(f"layout {layout} is not known")


def up_to(queries: int, keys: int, reach: int, least: int = 0) -> int:
    """Pairs (i, j) with j < i + reach and j < keys, where every query sees at least the first `least` keys."""
    least = min(max(least, 0), keys)
    start = min(max(least - reach, 0), queries)
    full = min(max(keys - reach, start), queries)
    rising = (start + full - 1) * (full - start) // 2 + reach * (full - start)
    return least * start + rising + (queries - full) * keys


@dataclass(frozen=True)
class Mask:
    """The vendor's mode, whether a mask is given at all, and how far before and after its own place a query sees."""

    mode: int
    given: bool
    before: int
    after: int
    prefix: Sequence[int] = ()

    def pairs(self, queries: int, keys: int, first: bool = True, last: bool = True, number: int = 0) -> int:
        """Visible pairs of one sequence; the flags and the number say which of a packed batch it is."""
        mode, shift = self.mode, keys - queries
        if not self.given or mode == GIVEN:
            return queries * keys
        if mode == BAND_LAST:
            mode = BAND if last else CAUSAL_FROM_END
        elif mode == BAND_FIRST:
            mode, shift = (BAND, 0) if first else (CAUSAL, shift)
        if mode in (PREFIX, PREFIX_COMPRESSED):
            least = self.prefix[min(number, len(self.prefix) - 1)] if self.prefix else 0
            return up_to(queries, keys, shift + 1, least)
        if mode == CAUSAL:
            return up_to(queries, keys, 1)
        if mode == CAUSAL_FROM_END:
            return up_to(queries, keys, shift + 1)
        shift = shift if mode == BAND else 0
        return up_to(queries, keys, shift + self.after + 1) - up_to(queries, keys, shift - self.before)


def mask_of(arguments: Arguments) -> Mask:
    """The mask of one call."""
    forever = 2147483647
    before, after = arguments.get("before", forever), arguments.get("after", forever)
    given = arguments.get("mask") is not None
    return Mask(arguments.get("mode", 0), given, before, after, arguments.get("prefix") or ())


def lengths_of(ends: Sequence[int]) -> Iterator[int]:
    """Lengths of packed sequences from where each ends."""
    start = 0
    for end in ends:
        yield end - start
        start = end


def packed_pairs(mask: Mask, queries: Sequence[int], keys: Sequence[int]) -> int:
    """Visible pairs of packed sequences of these lengths."""
    last = len(queries) - 1
    return sum(
        mask.pairs(q, k, number == 0, number == last, number)
        for number, (q, k) in enumerate(zip(queries, keys, strict=False))
    )


def scores_of(
    query: Heads, pairs: float, sequences: int, widths: Sequence[tuple[float, float]], dtype: str
) -> tuple[Product, ...]:
    """Products over the visible pairs of one head. `widths`: (width, how many products have it)."""
    rows = query.batch * query.length
    if not rows or not pairs:
        return ()
    each = max(1, sequences)
    batch, queries, keys = each * query.heads, rows / each, pairs / rows
    merged: dict[float, float] = {}
    for width, count in widths:
        merged[width] = merged.get(width, 0.0) + count
    return tuple(Product(batch, queries, keys, width, dtype, count) for width, count in merged.items())


def _training(arguments: Arguments) -> tuple[Heads, int, int, float, float]:
    """Query by heads, visible pairs of one head, sequences, width of keys, width of values."""
    layout, heads = arguments["layout"], arguments["heads"]
    query = by_head(arguments["query"], layout, heads)
    key, value = arguments["key"], arguments["value"]
    folded = layout.upper() in ("BSH", "SBH")
    shared = max(1, key.sizes[2] // max(1, query.width)) if folded else heads
    keys, width = by_head(key, layout, shared), query.width
    value_width = by_head(value, layout, shared).width
    if (rope := arguments.get("query_rope")) is not None and rope.elements:
        width += by_head(rope, layout, heads).width
    mask = mask_of(arguments)
    q_ends, kv_ends = arguments.get("q_lengths"), arguments.get("kv_lengths")
    if layout.upper() == "TND" and q_ends and kv_ends:
        pairs = packed_pairs(mask, list(lengths_of(q_ends)), list(lengths_of(kv_ends)))
        return query, pairs, len(q_ends), width, value_width
    pairs = sum(mask.pairs(query.length, keys.length, number=number) for number in range(query.batch))
    return query, pairs, query.batch, width, value_width


def _read(arguments: Arguments, others: Sequence[str]) -> list[Any]:
    """Operands that are read. Of a compressed mask, 2048 × 2048 whatever the lengths, only the blocks at the diagonal."""
    left_out = (*others, "mask") if arguments.get("mode", 0) not in (EVERYTHING, GIVEN, PREFIX) else others
    return [value for name, value in arguments.items() if name not in left_out]


def _vector(pairs: float, operations: float, arguments: Arguments) -> Vector:
    dropped = arguments.get("keep_prob", 1.0) < 1.0
    return Vector("fp32", pairs * (operations + DROPOUT_OPERATIONS * dropped), pairs)


def forward_rule(names: str) -> Callable[..., Work]:
    """The rule of a forward entry point whose arguments have these names."""
    order = names.split()

    def work(*values: Any) -> Work:
        arguments = dict(zip(order, values, strict=True))
        query, pairs, sequences, width, value_width = _training(arguments)
        dtype = cube_dtype(arguments["query"])
        products = scores_of(query, pairs, sequences, ((width, 1), (value_width, 1)), dtype)
        vector = _vector(query.heads * pairs, FORWARD_OPERATIONS, arguments)
        read = _read(arguments, _RESULTS)
        written = [arguments[name] for name in _RESULTS]
        return Work(Kind.ATTENTION, products, (vector,), total_b(*read), total_b(*written))

    return work


def backward_rule(names: str) -> Callable[..., Work]:
    """The rule of a backward entry point: scores again, then gradients of scores, values, queries and keys."""
    order = names.split()

    def work(*values: Any) -> Work:
        arguments = dict(zip(order, values, strict=True))
        query, pairs, sequences, width, value_width = _training(arguments)
        dtype = cube_dtype(arguments["query"])
        products = scores_of(query, pairs, sequences, ((width, 3), (value_width, 2)), dtype)
        vector = _vector(query.heads * pairs, BACKWARD_OPERATIONS, arguments)
        read = _read(arguments, _GRADIENTS)
        written = [arguments.get(name) for name in _GRADIENTS]
        return Work(Kind.ATTENTION_BACKWARD, products, (vector,), total_b(*read), total_b(*written))

    return work


def _key_lengths(arguments: Arguments, keys: list[Operand], query: Heads, packed: bool) -> list[int]:
    """How many keys each sequence has: as told, or as many as there is room for."""
    told, pages = arguments.get("kv_lengths"), arguments.get("pages")
    if packed and told:
        return list(told if pages is not None else lengths_of(told))
    if told:
        return list(told) * (query.batch if len(told) == 1 else 1)
    if pages is not None:
        return [pages.sizes[-1] * arguments["page_size"]] * query.batch
    lengths = [by_head(key, arguments["layout"], 1).length for key in keys]
    return lengths * query.batch if len(lengths) == 1 else lengths


def _inference(arguments: Arguments) -> Work:
    layout, heads = arguments["layout"], arguments["heads"]
    shared = arguments.get("kv_heads") or heads
    query, dtype = by_head(arguments["query"], layout, heads), cube_dtype(arguments["query"])
    keys, values = arguments["key"], arguments["value"]
    keys = keys if isinstance(keys, list) else [keys]
    values = values if isinstance(values, list) else [values]
    packed = layout.upper().partition("_")[0] in ("TND", "NTD") and bool(arguments.get("q_lengths"))
    key_lengths = _key_lengths(arguments, keys, query, packed)
    queries = list(lengths_of(arguments["q_lengths"])) if packed else [query.length] * len(key_lengths)
    width = value_width = query.width
    if (rope := arguments.get("query_rope")) is not None and rope.elements:
        width += by_head(rope, layout, heads).width
    pairs = packed_pairs(mask_of(arguments), queries, key_lengths)
    group = max(1, heads // max(1, shared))
    each = query.batch * query.length / max(1, len(queries))
    rows = Heads(1, heads, int(sum(queries)), width)
    if each * group <= SHARED_ROWS:
        rows, pairs_each = Heads(1, shared, int(sum(queries)) * group, width), pairs * group
    else:
        pairs_each = pairs
    products = scores_of(rows, pairs_each, len(queries), ((width, 1), (value_width, 1)), dtype)
    vectors = (Vector("fp32", FORWARD_OPERATIONS * heads * pairs, heads * pairs),)
    cached = shared * sum(key_lengths) * (width * size_b(keys[0]) + value_width * size_b(values[0]))
    read = _read(arguments, ("key", "value", "out", "lse"))
    written = (arguments["out"], arguments.get("lse") if arguments.get("lse_wanted") else None)
    return Work(Kind.ATTENTION, products, vectors, cached + total_b(*read), total_b(*written))


def inference_rule(row: tuple[str, str]) -> Callable[..., Work]:
    """The rule of an entry point for inference: prefill, or few queries against a cache that may lie in pages."""
    order = row[1].split()
    return lambda *values: _inference(dict(zip(order, values, strict=True)))
