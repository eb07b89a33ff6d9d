"""Plan of one forward pass of a transformer that serves requests: prefill, or decode with a cache."""

from __future__ import annotations

from dataclasses import replace

from jumar.physics.accelerator import Accelerator
from jumar.physics.blocks import Exchange, LayerGroups, Segment, attention_forward, block_forward, exchange
from jumar.physics.layers import Shard, gather, linear, norm
from jumar.physics.link import Group, Pattern, spread_over
from jumar.physics.step import Plan
from jumar.physics.transformer import Serving
from jumar.physics.work import ELEMENT_B


def serving_plan(job: Serving, machine: Accelerator) -> Plan:
    """One forward pass."""
    model, layout = job.model, job.layout
    queries = max(1.0, job.queries / layout.data)
    tokens = queries * job.query / layout.context
    decode = job.context > 0
    shard = Shard(
        tokens=tokens,
        batch=queries,
        queries=job.query / layout.context,
        keys=job.context + job.query,
        tensor=layout.tensor,
        expert=layout.expert,
        norm_tokens=tokens,
        dtype=job.dtype,
        weight_dtype=job.weight_dtype,
        expert_dtype=job.expert_dtype or job.weight_dtype,
        flash=job.flash,
        eager=job.eager,
        gradient_b=0.0,
        decode=decode,
    )
    tensor = spread_over(layout.tensor, 1, machine)
    state_b = tokens * model.hidden * shard.size_b
    half = exchange(Pattern.ALL_REDUCE, state_b, tensor, 1)
    if layout.context_by_heads:
        group = spread_over(layout.context, layout.tensor, machine)
        half = (*half, *exchange(Pattern.ALL_TO_ALL, state_b, group, 2))
    routed: tuple[Exchange, ...] = ()
    if model.experts and layout.expert > 1:
        per_rank = tokens / layout.tensor
        group = spread_over(layout.expert, 1, machine)
        sent_b = per_rank * model.experts.per_token * model.hidden * shard.size_b
        routed = (
            *exchange(Pattern.ALL_TO_ALL, sent_b, group, 2),
            *exchange(Pattern.ALL_GATHER, state_b, tensor, 1),
        )
    groups = LayerGroups(forward=half, experts=routed or half)
    sparse_shard = replace(shard, norm_tokens=max(1.0, tokens / layout.tensor)) if routed else shard
    segments = (
        attention_forward(model, shard, groups),
        block_forward(model, shard, groups, sparse=False),
        block_forward(model, sparse_shard, groups, sparse=True),
        _last_rows(job, shard, tensor, queries),
    )
    sparse = 0 if model.experts is None else model.layers - model.experts.dense_layers
    counts = (model.layers, model.layers - sparse, sparse, 1.0)
    draft = (1, 0 if sparse else 1, 1 if sparse else 0, 1.0)
    stage = tuple(float(c + job.extra_passes * d) for c, d in zip(counts, draft, strict=True))
    return Plan(segments, stage, stage, (0.0,) * 4, 1, 1, 1, job.tokens, job.operations, False, job.compiled)


def _last_rows(job: Serving, shard: Shard, tensor: Group, queries: float) -> Segment:
    """Embedding, last norm and logits: of the last token only, unless all are asked for."""
    model = job.model
    rows = shard.tokens if job.all_logits or shard.decode else queries
    plain = replace(shard, weight_dtype=job.dtype)
    columns = model.vocabulary / job.layout.tensor
    works = (
        (gather(shard.tokens, model.hidden, shard.size_b), 1.0),
        (norm(shard, model.hidden), 1.0),
        (linear(plain, columns, model.hidden, tokens=rows), 1.0),
    )
    size_b = rows * model.vocabulary * ELEMENT_B[job.dtype]
    return Segment("head", works, exchange(Pattern.ALL_GATHER, size_b, tensor, 1))
