"""The vendor's fused attention for inference, in its versions: prompts, decoding, keys and values in pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from jumar.ops.attention import Scores, forward
from jumar.ops.attention_layout import Masking, by_head
from jumar.ops.attention_work import inference_rule
from jumar.ops.registry import rows
from jumar.ops.results import store

_QUANT = "dequant_scale1 quant_scale1 dequant_scale2 quant_scale2 quant_offset2"
_KV_QUANT = "key_quant_scale key_quant_offset value_quant_scale value_quant_offset"
_PAGES = "antiquant_scale antiquant_offset pages"
_START = f"query key value bias mask q_lengths kv_lengths {_QUANT} {_PAGES} q_padding"
_PREFIX = "key_prefix value_prefix prefix_length"
_ROPE = "query_rope key_rope key_rope_quant_scale"
_SETTINGS = (
    "heads scale before after layout kv_heads mode precise page_size antiquant_mode "
    "lse_wanted key_mode value_mode"
)

# Names of the arguments in the vendor's order.
VERSIONS = {
    "aclnnFusedInferAttentionScoreV2": f"{_START} kv_padding {_KV_QUANT} {_PREFIX} {_SETTINGS} out lse",
    "aclnnFusedInferAttentionScoreV3": f"{_START} kv_padding {_KV_QUANT} {_PREFIX} {_ROPE} {_SETTINGS} out lse",
    "aclnnFusedInferAttentionScoreV4": f"{_START} kv_padding {_KV_QUANT} {_PREFIX} {_ROPE} query_quant_scale sink "
    f"{_SETTINGS} query_mode out lse",
    "aclnnFusedInferAttentionScoreV5": f"{_START} kv_padding {_KV_QUANT} {_PREFIX} {_ROPE} query_quant_scale sink "
    f"q_start kv_start {_SETTINGS} query_mode bias_type out lse",
    "aclnnPromptFlashAttentionV3": f"query key value bias mask q_lengths kv_lengths {_QUANT} heads scale before after "
    "layout kv_heads mode precise out",
    "aclnnIncreFlashAttentionV4": f"query key value bias mask kv_lengths {_QUANT} {_PAGES} "
    "kv_padding heads scale layout kv_heads page_size precise out",
}
_NOT_YET = (
    *_QUANT.split(),
    *_KV_QUANT.split(),
    "antiquant_scale",
    "key_prefix",
    "q_padding",
    "kv_padding",
    "query_quant_scale",
)
_FOREVER = 2147483647

Arguments = dict[str, Any]


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, Tensor) and value.numel() == 0)


def _refuse_what_is_missing(name: str, arguments: Arguments) -> None:
    present = [argument for argument in _NOT_YET if not _absent(arguments.get(argument))]
    if present:
        raise NotImplementedError(
            f"{name}: {', '.join(present)} have no arithmetic yet (ops/inference_attention.py)"
        )


def _layouts(layout: str) -> tuple[str, str]:
    """Of the inputs and of the output: 'BNSD_BSND' changes it on the way."""
    inputs, _, output = layout.upper().partition("_")
    return inputs, output or inputs


def _output(out: Tensor, layout: str, heads: int) -> Tensor:
    if layout == "NBSD":
        return out.transpose(0, 1)
    return by_head(out, layout, heads)


def _with_rope(tensor: Tensor, rope: Tensor | None, layout: str, heads: int) -> Tensor:
    if rope is None or rope.numel() == 0:
        return tensor
    return torch.cat((tensor, by_head(rope, layout, heads)), -1)


def _paged(store_: Tensor, pages: Tensor, length: int, heads: int) -> Tensor:
    """One sequence's (1, heads, length, size) from pages (page, place, features) or (page, head, place, size)."""
    taken = store_[pages.long().clamp(min=0)]
    by_place = torch.unflatten(taken, 2, (heads, -1)) if taken.dim() == 3 else taken.transpose(1, 2)
    return by_place.flatten(0, 1)[:length].transpose(0, 1)[None]


def _each(lengths: list[int] | None, count: int, whole: int) -> list[int]:
    if not lengths:
        return [whole] * count
    return [lengths[0]] * count if len(lengths) == 1 else list(lengths[:count])


def _piece(tensor: Tensor | None, index: int) -> Tensor | None:
    """A mask or bias for one sequence of the batch."""
    if tensor is None or tensor.dim() < 3 or tensor.shape[0] == 1:
        return tensor
    return tensor[index : index + 1]


def _attend(
    arguments: Arguments, query: Tensor, key: Tensor, value: Tensor, index: int | None
) -> tuple[Tensor, Tensor]:
    mode = 0 if query.shape[2] == 1 else arguments.get("mode", 0)
    mask, bias = arguments["mask"], arguments["bias"]
    if mask is not None and mask.dim() == 2 and query.shape[2] == 1 and mode == 0:
        mask = mask[:, None, None]
    if index is not None:
        mask, bias = _piece(mask, index), _piece(bias, index)
    if mask is not None and mask.dim() == 3:
        mask = mask[:, None]
    masking = Masking(mode, mask, arguments.get("before", _FOREVER), arguments.get("after", _FOREVER))
    hidden, causal = masking.scores((query.shape[0], query.shape[2], key.shape[2]))
    scores = Scores(arguments["scale"], bias=bias, bias_first=False, sink=arguments.get("sink"))
    if bias is not None:
        scores = replace(scores, bias=bias[..., : query.shape[2], : key.shape[2]])
    return forward(query, key, value, replace(scores, hidden=hidden, causal=causal))


def _packed(
    arguments: Arguments, query: Tensor, key: Tensor, value: Tensor, out: Tensor, lse: Tensor | None
) -> None:
    """Sequences behind one another; lengths are where each ends, those of paged keys how long each is."""
    pages = arguments.get("pages")
    q_start = kv_start = 0
    for index, (q_end, kv_end) in enumerate(
        zip(arguments["q_lengths"], arguments["kv_lengths"], strict=True)
    ):
        place = slice(q_start, q_end)
        if pages is None:
            own = [tensor[:, :, kv_start:kv_end] for tensor in (key, value)]
        else:
            own = [_paged(tensor, pages[index], kv_end, arguments["kv_heads"]) for tensor in (key, value)]
        result, logarithm = _attend(arguments, query[:, :, place], own[0], own[1], index)
        store(out[:, :, place], result)
        if lse is not None:
            store(lse[place], logarithm[0].T[..., None])
        q_start, kv_start = q_end, kv_end


def _one_by_one(
    arguments: Arguments,
    query: Tensor,
    keys: list[Tensor],
    values: list[Tensor],
    out: Tensor,
    lse: Tensor | None,
) -> None:
    """Each sequence of the batch with keys of its own length; rows past the query's length are zero."""
    batch, pages, kv_heads = query.shape[0], arguments.get("pages"), arguments["kv_heads"]
    together = len(keys) == 1
    longest = query.shape[2] if pages is not None else keys[0].shape[2]
    kv_lengths = _each(arguments["kv_lengths"], batch, longest)
    q_lengths = _each(arguments.get("q_lengths"), batch, query.shape[2])
    for index in range(batch):
        if pages is not None:
            own = [_paged(tensor[0], pages[index], kv_lengths[index], kv_heads) for tensor in (keys, values)]
        else:
            place = slice(index, index + 1) if together else slice(None)
            own = [
                tensors[0 if together else index][place, :, : kv_lengths[index]] for tensors in (keys, values)
            ]
        length = q_lengths[index]
        result, logarithm = _attend(arguments, query[index : index + 1, :, :length], own[0], own[1], index)
        store(out[index : index + 1, :, :length], result)
        out[index, :, length:] = 0
        if lse is not None:
            store(lse[index : index + 1, :, :length], logarithm[..., None])


def _version(row: tuple[str, str]) -> Callable[..., None]:
    name, names = row
    order = names.split()

    def run(*given: Any) -> None:
        arguments = dict(zip(order, given, strict=True))
        _refuse_what_is_missing(name, arguments)
        layout, out_layout = _layouts(arguments["layout"])
        heads = arguments["heads"]
        arguments["kv_heads"] = kv_heads = arguments["kv_heads"] or heads
        for side in ("key", "value"):
            if isinstance(arguments[side], Tensor):
                arguments[side] = [arguments[side]]
        query = _with_rope(
            by_head(arguments["query"], layout, heads), arguments.get("query_rope"), layout, heads
        )
        out = _output(arguments["out"], out_layout, heads)
        lse = arguments.get("lse") if arguments.get("lse_wanted") else None
        keys, values = arguments["key"], arguments["value"]
        if arguments.get("pages") is None:
            rope = arguments.get("key_rope")
            keys = [_with_rope(by_head(tensor, layout, kv_heads), rope, layout, kv_heads) for tensor in keys]
            values = [by_head(tensor, layout, kv_heads) for tensor in values]
        lengths = arguments["kv_lengths"] or arguments.get("q_lengths")
        if layout in ("TND", "NTD"):
            _packed(arguments, query, keys[0], values[0], out, lse)
        elif arguments.get("pages") is not None or len(keys) > 1 or lengths:
            _one_by_one(arguments, query, keys, values, out, lse)
        else:
            result, logarithm = _attend(arguments, query, keys[0], values[0], None)
            store(out, result)
            if lse is not None:
                store(lse, logarithm[..., None])

    return run


rows(_version, {name: (name, names) for name, names in VERSIONS.items()}, work=inference_rule)
