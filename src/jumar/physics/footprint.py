"""Peak memory of a training step on the fullest rank: weights, gradients, optimizer, activations, logits. In bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jumar.physics.transformer import Layout, Model, Training

# Of each score row the fused attention of the vendor keeps greatest value and sum, eight fp32 numbers each.
ROW_STATISTICS_B = 64.0
# Logits in 16 bits, in fp32, and their gradient while the loss is differentiated.
LOGIT_B = 12.0
# Buffers that are there in any case: context of the libraries, workspaces, masks.
FIXED_B = 0.2e9
# Of the optimizer's memory the part that is there from the beginning: master weights, without the two moments.
MASTER_SHARE = 1 / 3


@dataclass(frozen=True)
class Footprint:
    """Peak of a rank and what it is made of; `parts` adds up to `peak_b`."""

    peak_b: float
    parts: Mapping[str, float]


def training_footprint(job: Training, first_step: bool = False) -> Footprint:
    """The fullest of the first and the last pipeline stage.

    In the first step the moments of the optimizer do not exist until the activations are gone. Megatron and what is
    built on it print the peak after that step, so it is what their logs show.
    """
    stages = [_stage(job, first) for first in (True, False)]
    if first_step:
        stages = [before for stage in stages for before in _before_moments(stage)]
    return max(stages, key=lambda footprint: footprint.peak_b)


def _before_moments(stage: Footprint) -> tuple[Footprint, Footprint]:
    """The two moments at which a first step may peak: end of the forward pass, and the optimizer."""
    passing = ("activations", "working", "logits")
    forward = {**stage.parts, "optimizer": stage.parts["optimizer"] * MASTER_SHARE}
    update = {**stage.parts, **dict.fromkeys(passing, 0.0)}
    return Footprint(sum(forward.values()), forward), Footprint(sum(update.values()), update)


def _stage(job: Training, first: bool) -> Footprint:
    layout, model = job.layout, job.model
    held = weights_on_rank(model, layout, first)
    trained = held * job.trained_share
    owners = layout.data * layout.context if job.distributed_optimizer or layout.sharded else 1
    ways = layout.data if layout.sharded else 1
    layer_b, input_b = activations(job)
    chunks = in_flight(job, first)
    per_chunk = model.layers / layout.pipeline / layout.virtual
    kept_b = input_b if job.recompute_layers else layer_b
    parts = {
        "weights": held * 2.0 / ways,
        "gradients": trained * job.gradient_b / ways,
        "optimizer": trained * job.optimizer_b / owners,
        "activations": chunks * per_chunk * kept_b,
        "working": (layer_b if job.recompute_layers else 0.5 * layer_b),
        "logits": 0.0 if first and layout.pipeline > 1 else _logits(job),
        "fixed": FIXED_B,
    }
    return Footprint(sum(parts.values()), parts)


def weights_on_rank(model: Model, layout: Layout, first: bool = True) -> float:
    """Weights that a rank of the first or the last stage holds, before any sharding over data."""
    layers = model.layers / layout.pipeline
    total = layers * (model.attention_parameters + 2 * model.hidden) / layout.tensor
    both = 2 if layout.pipeline == 1 and not model.tied else 1
    total += both * model.embedding_parameters / layout.tensor
    if (experts := model.experts) is None:
        return total + layers * model.dense_parameters / layout.tensor
    dense = experts.dense_layers if first else 0
    sparse = experts.count / (layout.expert * layout.tensor) + experts.shared / layout.tensor
    return (
        total
        + dense * model.dense_parameters / layout.tensor
        + (layers - dense) * sparse * model.expert_parameters
    )


def activations(job: Training) -> tuple[float, float]:
    """Bytes that one layer keeps of one micro-batch for the way back: all of them, and its input only."""
    model, layout = job.model, job.layout
    tokens = job.micro_batch * job.sequence / layout.context
    size_b = 4.0 if job.dtype == "fp32" else 2.0
    states = tokens / (layout.tensor if layout.sequence_parallel else 1)
    inner = tokens / layout.tensor
    heads_b = (2 * model.heads + 2 * max(model.key_heads, layout.tensor)) * model.width * size_b
    heads_b += model.heads * ROW_STATISTICS_B
    ffn = model.ffn if model.experts is None else model.experts.per_token * model.experts.ffn
    kept = states * 4 * model.hidden * size_b + inner * heads_b
    kept += inner * ffn * size_b * (3 if model.gated else 2)
    if model.experts:
        kept += inner * model.experts.per_token * 2 * model.hidden * size_b
    if not job.flash:
        kept += 2.5 * job.micro_batch * model.heads / layout.tensor * job.sequence**2 * size_b
    return kept, states * model.hidden * size_b


def in_flight(job: Training, first: bool) -> float:
    """Chunks of layers whose activations a stage holds at once under one-forward-one-backward."""
    stages, virtual, passes = job.layout.pipeline, job.layout.virtual, job.micro_batches
    if stages == 1:
        return 1.0
    if virtual == 1:
        return float(min(passes, stages if first else 1))
    behind = 2 * (stages - 1) if first else 0
    return float(min(passes * virtual, behind + (virtual - 1) * stages + 1))


def _logits(job: Training) -> float:
    tokens = job.micro_batch * job.sequence / job.layout.context
    return tokens * job.model.vocabulary / job.layout.tensor * LOGIT_B
