"""Plan of a training step of a transformer, with every usual kind of parallelism."""

from __future__ import annotations

from dataclasses import replace

from jumar.physics.accelerator import Accelerator
from jumar.physics.blocks import (
    Exchange,
    LayerGroups,
    Segment,
    attention_forward,
    backward,
    block_forward,
    exchange,
)
from jumar.physics.footprint import weights_on_rank
from jumar.physics.layers import Shard, gather, linear, linear_backward, norm, optimizer, pointwise
from jumar.physics.link import Pattern, spread_over
from jumar.physics.step import Plan
from jumar.physics.transformer import Training


def training_plan(job: Training, machine: Accelerator) -> Plan:
    """One optimizer step."""
    model, layout = job.model, job.layout
    tokens = job.micro_batch * job.sequence / layout.context
    shard = Shard(
        tokens=tokens,
        batch=job.micro_batch,
        queries=job.sequence / layout.context,
        keys=job.sequence,
        tensor=layout.tensor,
        expert=layout.expert,
        norm_tokens=tokens / layout.tensor if layout.sequence_parallel else tokens,
        dtype="bf16" if job.dtype == "fp8" else job.dtype,
        weight_dtype=job.dtype,
        expert_dtype=job.dtype,
        flash=job.flash,
        portable=job.portable_flash,
        eager=job.eager,
        gradient_b=job.gradient_b if job.trained_share == 1 else 0.0,
        pieces=1 if layout.context_by_heads else layout.context,
    )
    groups = _training_groups(job, shard, machine)
    forward = [
        attention_forward(model, shard, groups),
        block_forward(model, shard, groups, sparse=False),
        block_forward(model, shard, groups, sparse=True),
    ]
    back = [
        backward(forward[0], model, shard, groups.backward),
        backward(forward[1], model, shard, groups.backward),
        backward(forward[2], model, shard, groups.experts_backward),
    ]
    segments = (*forward, *back, _head(job, shard), _ends(job, shard, machine), *_once(job, machine))
    per_stage = model.layers / layout.pipeline
    sparse = 0.0 if model.experts is None else per_stage * (1 - model.experts.dense_layers / model.layers)
    again = 1.0 + job.recompute_layers
    layers = [per_stage, per_stage - sparse, sparse]
    stage = (*(again * count for count in layers), *layers, 0.0, 1.0, 0.0, 0.0)
    last = (*stage[:6], 1.0, 1.0, 0.0, 0.0)
    return Plan(
        segments=segments,
        stage=stage,
        last=last,
        once=(*(0.0 for _ in range(8)), 1.0, 1.0),
        micro_batches=job.micro_batches,
        pipeline=layout.pipeline,
        virtual=layout.virtual,
        tokens=job.tokens,
        operations=job.operations,
        training=True,
    )


def _training_groups(job: Training, shard: Shard, machine: Accelerator) -> LayerGroups:
    """Exchanges of half a layer."""
    model, layout = job.model, job.layout
    tensor = spread_over(layout.tensor, 1, machine)
    state_b = shard.tokens * model.hidden * shard.size_b
    cover = "tensor" if job.overlap_tensor else ""
    half = exchange(Pattern.ALL_REDUCE, state_b, tensor, 1, cover)
    half_back = exchange(Pattern.ALL_REDUCE, state_b, tensor, 1, "tensor")
    if layout.sequence_parallel:
        gathered = exchange(Pattern.ALL_GATHER, state_b, tensor, 1, cover)
        half = (*gathered, *exchange(Pattern.REDUCE_SCATTER, state_b, tensor, 1, cover))
        half_back = (
            *exchange(Pattern.ALL_GATHER, state_b, tensor, 2, "tensor"),
            *exchange(Pattern.REDUCE_SCATTER, state_b, tensor, 1, "tensor"),
        )
    context = _context_exchanges(job, shard, machine)
    sharded, sharded_back = _shard_exchanges(job, machine)
    routed: tuple[Exchange, ...] = ()
    if model.experts and layout.expert > 1:
        group = spread_over(layout.expert, layout.tensor, machine)
        routed_b = shard.norm_tokens * model.experts.per_token * model.hidden * shard.size_b
        routed = exchange(Pattern.ALL_TO_ALL, routed_b, group, 2)
        half_sparse = half if layout.tensor > 1 and not layout.sequence_parallel else ()
        return LayerGroups(
            (*half, *context, *sharded),
            (*half_back, *context, *context, *sharded_back),
            (*half_sparse, *routed),
            (*half_sparse, *routed),
        )
    forward, back = (*half, *context, *sharded), (*half_back, *context, *context, *sharded_back)
    return LayerGroups(forward, back, (*half, *sharded), (*half_back, *sharded_back))


def _context_exchanges(job: Training, shard: Shard, machine: Accelerator) -> tuple[Exchange, ...]:
    """Half of what attention over a cut sequence sends, for one of a layer's two halves."""
    model, layout = job.model, job.layout
    if layout.context == 1:
        return ()
    group = spread_over(layout.context, layout.tensor, machine)
    if layout.context_by_heads:
        width = (2 * model.heads + 2 * model.key_heads) * model.width / layout.tensor
        return exchange(Pattern.ALL_TO_ALL, shard.tokens * width * shard.size_b / 4, group, 2)
    keys_b = 2 * shard.tokens * max(1.0, model.key_heads / layout.tensor) * model.width * shard.size_b
    return exchange(Pattern.SEND, keys_b, group, (layout.context - 1) / 2, "tensor")


def _shard_exchanges(
    job: Training, machine: Accelerator
) -> tuple[tuple[Exchange, ...], tuple[Exchange, ...]]:
    """Gathering half a layer's sharded weights, and scattering its gradients."""
    layout, model = job.layout, job.model
    if not layout.sharded:
        return (), ()
    group = spread_over(layout.data, layout.tensor, machine)
    weights = (model.attention_parameters + model.dense_parameters) / 2 / layout.tensor
    gather_ = exchange(Pattern.ALL_GATHER, 2.0 * weights, group, 1, "shard")
    return gather_, (
        *gather_,
        *exchange(Pattern.REDUCE_SCATTER, job.gradient_b * weights, group, 1, "shard"),
    )


def _head(job: Training, shard: Shard) -> Segment:
    """Last norm, logits, loss in fp32, and the way back."""
    model = job.model
    columns = model.vocabulary / job.layout.tensor
    logits = shard.tokens * columns
    whole = replace(shard, weight_dtype=shard.dtype)
    works = [(norm(shard, model.hidden), 1.0), (linear(whole, columns, model.hidden), 1.0)]
    works += [(norm(shard, model.hidden, backward=True), 1.0)]
    works += linear_backward(whole, columns, model.hidden)
    works += [(pointwise(logits, 1.5, 1, 4.0, 3, 0.5), 4.0)]
    return Segment("head", tuple(works))


def _ends(job: Training, shard: Shard, machine: Accelerator) -> Segment:
    """Embedding forward and backward, and passing the hidden state between stages."""
    layout = job.layout
    rows = gather(shard.norm_tokens, job.model.hidden, shard.size_b)
    sent_b = shard.norm_tokens * job.model.hidden * shard.size_b
    neighbours = spread_over(2, layout.tensor * layout.context * layout.data, machine)
    sends = exchange(Pattern.SEND, sent_b, neighbours, 2.0 * layout.virtual if layout.pipeline > 1 else 0)
    return Segment("ends", ((rows, 3.0),), sends)


def _once(job: Training, machine: Accelerator) -> tuple[Segment, Segment]:
    """Reduction of gradients over data, and the optimizer."""
    layout = job.layout
    held = weights_on_rank(job.model, layout) * job.trained_share
    owned = held / (layout.data * layout.context if job.distributed_optimizer or layout.sharded else 1)
    ranks = layout.data * layout.context
    group = spread_over(ranks, layout.tensor, machine)
    cover = "gradient" if job.overlap_gradients else ""
    reduce_: tuple[Exchange, ...] = ()
    works = ()
    if not layout.sharded:
        pattern = Pattern.REDUCE_SCATTER if job.distributed_optimizer else Pattern.ALL_REDUCE
        reduce_ = exchange(pattern, held * job.gradient_b, group, 1, cover)
        if job.distributed_optimizer:
            reduce_ = (*reduce_, *exchange(Pattern.ALL_GATHER, held * 2.0, group, 1, cover))
    state = optimizer(owned, job.gradient_b, job.optimizer_b)
    return Segment("gradients", works, reduce_), Segment("optimizer", state)
