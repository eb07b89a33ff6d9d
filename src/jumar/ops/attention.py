"""Attention over heads: the arithmetic that training and inference entry points share.

Tensors here are (batch, heads, sequence, head size). Where CPU PyTorch has a fused kernel for the case it does the
work, so that results equal those of `scaled_dot_product_attention` on the CPU; otherwise the scores are spelled out in
float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from jumar.ops.results import wide

aten: Any = torch.ops.aten


@dataclass(frozen=True)
class Scores:
    """What happens between query times key and value.

    hidden    bool, true where a key is not seen; None: all are
    causal    query i sees keys 0..i; then `hidden` is None
    bias      added to the scores: before scaling if `bias_first`
    keep      bool dropout mask of the probabilities, which are divided by `keep_prob`
    sink      for each head one more score that takes part in the softmax and has no value
    """

    scale: float
    hidden: Tensor | None = None
    causal: bool = False
    bias: Tensor | None = None
    bias_first: bool = True
    keep: Tensor | None = None
    keep_prob: float = 1.0
    sink: Tensor | None = None


def _fused(query: Tensor, value: Tensor, scores: Scores) -> bool:
    plain = scores.bias is None and scores.keep is None and scores.sink is None
    return plain and query.shape[-1] == value.shape[-1] and min(query.shape) > 0 and min(value.shape) > 0


def _per_query_head(tensor: Tensor, heads: int) -> Tensor:
    """Repeats each key or value head for the query heads that share it."""
    return tensor if tensor.shape[1] == heads else tensor.repeat_interleave(heads // tensor.shape[1], 1)


def _dense(tensor: Tensor) -> Tensor:
    """The fused kernel wants the head dimension dense."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def _additive(scores: Scores, dtype: torch.dtype) -> Tensor | None:
    if scores.hidden is None:
        return None
    mask = torch.zeros(scores.hidden.shape, dtype=dtype).masked_fill_(scores.hidden, float("-inf"))
    return mask if mask.dim() in (2, 4) else mask[None]


def forward(query: Tensor, key: Tensor, value: Tensor, scores: Scores) -> tuple[Tensor, Tensor]:
    """The result and the logarithm of each row's sum of exponentials."""
    if _fused(query, value, scores):
        tensors = (_dense(tensor) for tensor in (query, key, value))
        result: tuple[Tensor, Tensor] = aten._scaled_dot_product_flash_attention_for_cpu(
            *tensors, 0.0, scores.causal, attn_mask=_additive(scores, query.dtype), scale=scores.scale
        )
        return result
    heads = query.shape[1]
    weights, lse = _weights(query, _per_query_head(key, heads), scores)
    return _dropped(weights, scores) @ wide(_per_query_head(value, heads)), lse


def _weights(query: Tensor, key: Tensor, scores: Scores, lse: Tensor | None = None) -> tuple[Tensor, Tensor]:
    value = wide(query) @ wide(key).mT
    if scores.bias is not None and scores.bias_first:
        value = (value + wide(scores.bias)) * scores.scale
    else:
        value = value * scores.scale
        value = value if scores.bias is None else value + wide(scores.bias)
    hidden = scores.hidden
    if scores.causal:
        hidden = torch.ones(value.shape[-2:], dtype=torch.bool).triu_(1)
    if hidden is not None:
        value = value.masked_fill(hidden, float("-inf"))
    if lse is None:
        lse = value.logsumexp(-1)
        if scores.sink is not None:
            lse = torch.logaddexp(lse, scores.sink.float().view(1, -1, 1).expand_as(lse))
    return torch.exp(value - lse[..., None]).nan_to_num_(0.0), lse


def _dropped(weights: Tensor, scores: Scores) -> Tensor:
    return weights if scores.keep is None else weights * scores.keep * (1 / scores.keep_prob)


@dataclass(frozen=True)
class Gradients:
    query: Tensor
    key: Tensor
    value: Tensor
    bias: Tensor | None = None
    sink: Tensor | None = None


def _to_shared_heads(grad: Tensor, like: Tensor) -> Tensor:
    if grad.shape[1] == like.shape[1]:
        return grad
    groups: Tensor = torch.unflatten(wide(grad), 1, (like.shape[1], -1))
    return groups.sum(2)


def backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, lse: Tensor, scores: Scores
) -> Gradients:
    if _fused(query, value, scores):
        tensors = (_dense(tensor) for tensor in (grad, query, key, value, out))
        values = aten._scaled_dot_product_flash_attention_for_cpu_backward(
            *tensors,
            lse,
            0.0,
            scores.causal,
            attn_mask=_additive(scores, query.dtype),
            scale=scores.scale,
        )
        return Gradients(*values)
    heads = query.shape[1]
    whole_key, whole_value = _per_query_head(key, heads), _per_query_head(value, heads)
    gradient = wide(grad)
    weights, _ = _weights(query, whole_key, scores, lse)
    to_value = _dropped(weights, scores).mT @ gradient
    to_weights = _dropped(gradient @ wide(whole_value).mT, scores)
    mean = (gradient * wide(out)).sum(-1, True)
    to_scores = weights * (to_weights - mean)
    to_scaled = to_scores * scores.scale
    to_key = to_scaled.mT @ wide(query)
    to_bias = to_sink = None
    if scores.bias is not None:
        to_bias = (to_scaled if scores.bias_first else to_scores).sum_to_size(scores.bias.shape)
    if scores.sink is not None:
        taken = torch.exp(scores.sink.float().view(1, -1, 1) - lse)
        to_sink = -(taken * mean[..., 0]).sum((0, 2))
    return Gradients(
        to_scaled @ wide(whole_key),
        _to_shared_heads(to_key, key),
        _to_shared_heads(to_value, value),
        to_bias,
        to_sink,
    )
