"""The vendor's fused attention for training, in its versions.

PyTorch's CPU kernel gives the logarithm of a row's sum of exponentials where the chip gives the row's maximum and its
sum. `softmax_max` here holds that logarithm and `softmax_sum` ones, in all eight columns: the same distribution, and
what the derivative and attention over a ring of chips make of the pair is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from jumar.ops.attention import Gradients, Scores, backward, forward
from jumar.ops.attention_layout import Masking, by_head, key_heads
from jumar.ops.attention_work import backward_rule, forward_rule
from jumar.ops.bitmask import unpack
from jumar.ops.registry import rows
from jumar.ops.results import store

BIAS_AFTER_SCALE = (0, 2, 3)

_INPUTS = "query key value bias drop padding mask"
_SETTINGS = "scale keep_prob before after heads layout precise mode"
_LENGTHS = "prefix q_lengths kv_lengths"
_STARTS = "q_start kv_start"
_FORWARD = "max sum softmax out"
_SAVED = "query key value grad bias drop padding mask max sum softmax out"
_GRADS = "to_query to_key to_value to_bias"
_WITH_ROPE = "query query_rope key key_rope value"
_SCALES = "query_scale key_scale value_scale"

# Names of the arguments in the vendor's order.
FORWARDS = {
    "aclnnFlashAttentionScore": f"{_INPUTS} prefix {_SETTINGS} {_FORWARD}",
    "aclnnFlashAttentionScoreV2": f"{_INPUTS} prefix {_STARTS} {_SETTINGS} bias_type {_FORWARD}",
    "aclnnFlashAttentionScoreV3": f"{_INPUTS} sink prefix {_STARTS} {_SETTINGS} bias_type {_FORWARD}",
    "aclnnFlashAttentionScoreV4": f"{_INPUTS} query_rope key_rope {_SCALES} sink {_LENGTHS} {_STARTS} {_SETTINGS} "
    f"out_dtype bias_type softmax_layout seed offset {_FORWARD}",
    "aclnnFlashAttentionVarLenScore": f"{_INPUTS} {_LENGTHS} {_SETTINGS} {_FORWARD}",
    "aclnnFlashAttentionVarLenScoreV2": f"{_INPUTS} {_LENGTHS} {_STARTS} {_SETTINGS} bias_type {_FORWARD}",
    "aclnnFlashAttentionVarLenScoreV3": f"{_WITH_ROPE} bias drop padding mask {_LENGTHS} {_STARTS} {_SETTINGS} "
    f"bias_type {_FORWARD}",
    "aclnnFlashAttentionVarLenScoreV4": f"{_INPUTS} {_LENGTHS} {_SETTINGS} softmax_layout {_FORWARD}",
    "aclnnFlashAttentionVarLenScoreV5": f"{_WITH_ROPE} bias drop padding mask sink {_LENGTHS} {_STARTS} {_SETTINGS} "
    f"bias_type softmax_layout {_FORWARD}",
}
BACKWARDS = {
    "aclnnFlashAttentionScoreGrad": f"{_SAVED} prefix {_SETTINGS} {_GRADS}",
    "aclnnFlashAttentionScoreGradV2": f"{_SAVED} prefix {_STARTS} {_SETTINGS} bias_type {_GRADS}",
    "aclnnFlashAttentionScoreGradV3": f"{_SAVED} sink prefix {_STARTS} {_SETTINGS} bias_type {_GRADS} to_sink",
    "aclnnFlashAttentionScoreGradV4": f"{_SAVED} sink query_rope key_rope {_SCALES} grad_scale out_scale {_LENGTHS} "
    f"{_STARTS} scale keep_prob before after heads layout softmax_layout precise mode bias_type seed offset out_dtype "
    "to_query to_key to_value to_query_rope to_key_rope to_bias to_sink",
    "aclnnFlashAttentionUnpaddingScoreGrad": f"{_SAVED} {_LENGTHS} {_SETTINGS} {_GRADS}",
    "aclnnFlashAttentionUnpaddingScoreGradV2": f"{_SAVED} {_LENGTHS} {_STARTS} {_SETTINGS} bias_type {_GRADS}",
    "aclnnFlashAttentionUnpaddingScoreGradV3": f"{_WITH_ROPE} grad bias drop padding mask max sum softmax out "
    f"{_LENGTHS} {_STARTS} {_SETTINGS} bias_type to_query to_query_rope to_key to_key_rope to_value to_bias",
    "aclnnFlashAttentionUnpaddingScoreGradV4": f"{_SAVED} {_LENGTHS} {_SETTINGS} {_GRADS} softmax_layout",
    "aclnnFlashAttentionUnpaddingScoreGradV5": f"{_WITH_ROPE} grad bias drop padding mask max sum softmax out sink "
    f"{_LENGTHS} {_STARTS} {_SETTINGS} bias_type softmax_layout "
    "to_query to_query_rope to_key to_key_rope to_value to_bias to_sink",
}

Arguments = dict[str, Any]


def _tensors(arguments: Arguments, names: tuple[str, ...]) -> list[Tensor]:
    """The named tensors by head; the separate rotary part of query and key follows their other part."""
    layout, heads = arguments["layout"].upper(), arguments["heads"]
    shared = key_heads(arguments["query"], arguments["key"], layout, heads)
    found = []
    for name in names:
        tensor = by_head(arguments[name], layout, shared if name in ("key", "value") else heads)
        rope = arguments.get(f"{name}_rope")
        if rope is not None and rope.numel():
            tensor = torch.cat((tensor, by_head(rope, layout, tensor.shape[1])), -1)
        found.append(tensor)
    return found


def _scores(arguments: Arguments) -> Scores:
    return Scores(
        scale=arguments["scale"],
        bias=arguments["bias"],
        bias_first=arguments.get("bias_type", 1) not in BIAS_AFTER_SCALE,
        sink=arguments.get("sink"),
        keep_prob=arguments["keep_prob"],
    )


def _pieces(arguments: Arguments, query: Tensor, key: Tensor) -> Iterator[tuple[slice, slice, Scores]]:
    """The ranges of queries and keys that belong together, one for each packed sequence, with their scores."""
    general = _scores(arguments)
    masking = Masking(
        arguments["mode"], arguments["mask"], arguments["before"], arguments["after"], arguments["prefix"]
    )
    packed = arguments["layout"].upper() == "TND"
    q_ends = arguments.get("q_lengths") if packed else None
    kv_ends = arguments.get("kv_lengths") if packed else None
    drop, used = arguments["drop"], 0
    q_start = kv_start = 0
    for q_end, kv_end in zip(q_ends or [query.shape[2]], kv_ends or [key.shape[2]], strict=True):
        queries, keys = q_end - q_start, kv_end - kv_start
        batch, heads = query.shape[:2]
        hidden, causal = masking.scores((batch, queries, keys), q_end == query.shape[2], q_start == 0)
        scores = replace(general, hidden=hidden, causal=causal)
        if drop is not None and drop.numel() and general.keep_prob < 1:
            count = batch * heads * queries * keys
            keep = unpack(drop, used + count)[used:].view(batch, heads, queries, keys)
            scores, used = replace(scores, keep=keep), used + count
        yield slice(q_start, q_end), slice(kv_start, kv_end), scores
        q_start, kv_start = q_end, kv_end


def _statistics(tensor: Tensor, layout: str) -> Tensor:
    """(batch, heads, sequence, 8) of `softmax_max` and `softmax_sum`; packed ones are (sequence, heads, 8)."""
    return by_head(tensor, "TND", 0) if layout.upper() == "TND" else tensor


def _forward(names: str) -> Callable[..., None]:
    order = names.split()

    def run(*values: Any) -> None:
        arguments = dict(zip(order, values, strict=True))
        query, key, value, out = _tensors(arguments, ("query", "key", "value", "out"))
        maximum = _statistics(arguments["max"], arguments["layout"])
        arguments["sum"].fill_(1)
        for queries, keys, scores in _pieces(arguments, query, key):
            result, lse = forward(query[:, :, queries], key[:, :, keys], value[:, :, keys], scores)
            store(out[:, :, queries], result)
            store(maximum[:, :, queries], lse[..., None].expand(*lse.shape, 8))

    return run


def _parts(arguments: Arguments, name: str, value: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Where the gradient of a tensor, and of its separate rotary part, goes."""
    layout = arguments["layout"].upper()
    rope = arguments.get(f"to_{name}_rope")
    plain = by_head(arguments[f"to_{name}"], layout, value.shape[1])
    yield plain, value[..., : plain.shape[-1]]
    if rope is not None and rope.numel():
        yield by_head(rope, layout, value.shape[1]), value[..., plain.shape[-1] :]


def _store_piece(arguments: Arguments, gradients: Gradients, queries: slice, keys: slice) -> None:
    parts = (
        ("query", gradients.query, queries),
        ("key", gradients.key, keys),
        ("value", gradients.value, keys),
    )
    for name, value, place in parts:
        for out, part in _parts(arguments, name, value):
            store(out[:, :, place], part)


def _backward(names: str) -> Callable[..., None]:
    order = names.split()

    def run(*values: Any) -> None:
        arguments = dict(zip(order, values, strict=True))
        query, key, value, out, grad = _tensors(arguments, ("query", "key", "value", "out", "grad"))
        layout = arguments["layout"]
        maximum, total = (_statistics(arguments[name], layout)[..., 0] for name in ("max", "sum"))
        to_bias: Tensor | None = None
        to_sink: Tensor | None = None
        for queries, keys, scores in _pieces(arguments, query, key):
            lse = maximum[:, :, queries] + total[:, :, queries].log()
            tensors = (grad[:, :, queries], query[:, :, queries], key[:, :, keys], value[:, :, keys])
            gradients = backward(*tensors, out[:, :, queries], lse.contiguous(), scores)
            _store_piece(arguments, gradients, queries, keys)
            if gradients.bias is not None:
                to_bias = gradients.bias if to_bias is None else to_bias + gradients.bias
            if gradients.sink is not None:
                to_sink = gradients.sink if to_sink is None else to_sink + gradients.sink
        if to_bias is not None:
            store(arguments["to_bias"], to_bias)
        if to_sink is not None:
            store(arguments["to_sink"], to_sink)

    return run


rows(_forward, FORWARDS, work=forward_rule)
rows(_backward, BACKWARDS, work=backward_rule)
