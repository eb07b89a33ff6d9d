"""Segments of a transformer's step: the works and exchanges of a layer, the head, the optimizer, on one rank."""

from __future__ import annotations

from dataclasses import dataclass

from jumar.physics.layers import Counted, Shard, gather, linear, linear_backward, norm, pointwise, scores
from jumar.physics.link import Collective, Group, Pattern
from jumar.physics.transformer import Model
from jumar.physics.work import Kind, Product, Vector, Work
from jumar.physics.work import Pattern as Access


@dataclass(frozen=True)
class Exchange:
    """A collective that happens `count` times. `hidden_by` names what may run meanwhile: "", "tensor", "gradient" or
    "shard", as the overlap parameters are called."""

    collective: Collective
    count: float
    hidden_by: str = ""


@dataclass(frozen=True)
class Segment:
    """A piece of a step that runs on one rank without waiting for another, but for its exchanges."""

    name: str
    works: Counted = ()
    exchanges: tuple[Exchange, ...] = ()


def attention_forward(model: Model, shard: Shard, groups: LayerGroups) -> Segment:
    """Norm, projections, attention, projection back, residual."""
    tensor = shard.tensor
    heads = model.heads / tensor
    key_heads = max(1.0, model.key_heads / tensor)
    works: list[tuple[Work, float]] = [(norm(shard, model.hidden), 1.0)]
    works += projections(model, shard, heads, key_heads)
    if model.rotary:
        works.append((rotary(model, shard, heads + key_heads), 1.0))
    if shard.decode:
        works.append((gather(shard.tokens, 2 * key_heads * model.width, shard.size_b), 1.0))
    share = 1.0 - model.linear_share
    works += [(work, count * share) for work, count in scores(shard, model, heads, key_heads)]
    if model.linear_share:
        works.append((linear_attention(model, shard, heads), model.linear_share))
    value = model.latent.value_width if model.latent else model.width
    works.append((linear(shard, model.hidden, heads * value), 1.0))
    if model.cross_tokens:
        works += cross_attention(model, shard, heads)
    works.append((residual(model, shard), 1.0))
    return Segment("attention", _eager(works, shard, model), groups.forward)


def projections(model: Model, shard: Shard, heads: float, key_heads: float) -> list[tuple[Work, float]]:
    """Queries, keys and values from the hidden state; compressed first where attention is latent."""
    if (latent := model.latent) is None:
        return [(linear(shard, (heads + 2 * key_heads) * model.width, model.hidden), 1.0)]
    query_width = heads * (latent.plain_width + latent.rotary_width)
    works = [
        (linear(shard, latent.query_rank + latent.key_rank + latent.rotary_width, model.hidden), 1.0),
        (norm(shard, latent.query_rank + latent.key_rank), 2.0),
        (linear(shard, query_width, latent.query_rank), 1.0),
    ]
    if shard.decode:  # queries into the compressed space, results out of it
        absorbed = Product(
            max(1, int(heads)), shard.tokens, latent.key_rank, latent.plain_width, shard.dtype, 2.0
        )
        weight_b = 2.0 * heads * latent.key_rank * latent.plain_width * 2
        return [*works, (Work(Kind.MATMUL, (absorbed,), (), weight_b, 0.0, launches=2), 1.0)]
    return [*works, (linear(shard, heads * (latent.plain_width + latent.value_width), latent.key_rank), 1.0)]


def rotary(model: Model, shard: Shard, heads: float) -> Work:
    """Rotation of queries and keys."""
    width = model.latent.rotary_width if model.latent else model.width
    return pointwise(shard.tokens * heads * width, 1, 1, shard.size_b, 6)


def residual(model: Model, shard: Shard) -> Work:
    """Sum of two hidden states."""
    return pointwise((shard.norm_tokens or shard.tokens) * model.hidden, 2, 1, shard.size_b)


def linear_attention(model: Model, shard: Shard, heads: float) -> Work:
    """Gated linear attention: a state of width × width for each head, gone through once in pieces."""
    piece = min(64.0, shard.queries)
    batch = max(1, int(shard.batch * heads * shard.queries / piece))
    products = (
        Product(batch, piece, model.width, model.width + piece, "fp32" if shard.decode else shard.dtype, 4.0),
    )
    state_b = 4.0 * shard.batch * heads * model.width**2
    moved_b = shard.tokens * heads * model.width * 12.0
    return Work(Kind.MATMUL, products, (), moved_b + state_b, moved_b / 2 + state_b, launches=10)


def cross_attention(model: Model, shard: Shard, heads: float) -> list[tuple[Work, float]]:
    """Attention to a second, short sequence."""
    other = model.cross_tokens * shard.batch
    width = heads * model.width
    pairs = shard.batch * heads * shard.queries * model.cross_tokens
    product = Product(
        int(shard.batch * heads), shard.queries, model.cross_tokens, model.width, shard.dtype, 2.0
    )
    fused = Work(Kind.ATTENTION, (product,), (Vector("fp32", 4 * pairs, pairs),), 4 * shard.tokens * width)
    return [
        (norm(shard, model.hidden), 1.0),
        (linear(shard, width, model.hidden), 1.0),
        (linear(shard, 2 * width, model.hidden, tokens=other), 1.0),
        (fused, 1.0),
        (linear(shard, model.hidden, width), 1.0),
    ]


def block_forward(model: Model, shard: Shard, groups: LayerGroups, sparse: bool) -> Segment:
    """Norm and the dense block, or the routed experts."""
    works: list[tuple[Work, float]] = [(norm(shard, model.hidden), 1.0)]
    if not sparse or model.experts is None:
        works += dense(model, shard, model.ffn / shard.tensor)
        works.append((residual(model, shard), 1.0))
        return Segment("block", _eager(works, shard, model), groups.forward)
    experts = model.experts
    # Training cuts each expert over the tensor ranks as well; serving gives whole experts to ranks.
    whole = shard.expert > 1 and shard.gradient_b == 0
    ways = 1 if whole else shard.tensor
    tokens = (shard.norm_tokens if whole else shard.tokens) * experts.per_token
    local = max(1, min(experts.count // shard.expert, int(max(tokens, 1) * 1)))
    inner = experts.ffn / ways
    works += [
        (linear(shard, experts.count, model.hidden, tokens=tokens / experts.per_token), 1.0),
        (routing(tokens, experts.count), 1.0),
        (gather(tokens, model.hidden, shard.size_b), 2.0),
        (linear(shard, inner * (2 if model.gated else 1), model.hidden, tokens, local), 1.0),
        (pointwise(tokens * inner, 2 if model.gated else 1, 1, shard.size_b, 4, 1), 1.0),
        (linear(shard, model.hidden, inner, tokens, local), 1.0),
    ]
    if experts.shared:
        works += dense(model, shard, experts.shared * experts.ffn / ways)
    works.append((residual(model, shard), 1.0))
    return Segment("experts", tuple(works), groups.experts)


def dense(model: Model, shard: Shard, inner: float) -> list[tuple[Work, float]]:
    """Up, activation, down."""
    return [
        (linear(shard, inner * (2 if model.gated else 1), model.hidden), 1.0),
        (pointwise(shard.tokens * inner, 2 if model.gated else 1, 1, shard.size_b, 8, 1), 1.0),
        (linear(shard, model.hidden, inner), 1.0),
    ]


def routing(tokens: float, experts: int) -> Work:
    """Scores of the experts, the best of them, and where each token goes."""
    return Work(
        Kind.MOE_ROUTING,
        (),
        (Vector("fp32", 20.0 * tokens * experts, tokens * experts),),
        4.0 * tokens * experts,
        8.0 * tokens,
        Access.GATHER,
        launches=4,
    )


def backward(forward: Segment, model: Model, shard: Shard, exchanges: tuple[Exchange, ...]) -> Segment:
    """The backward pass of a segment, operator by operator: products twice, the rest by what it moves."""
    works: list[tuple[Work, float]] = []
    for work, count in forward.works:
        if work.kind in (Kind.MATMUL, Kind.GROUPED_MATMUL) and work.products[0].batch == _groups(work):
            p = work.products[0]
            experts = p.batch if work.kind is Kind.GROUPED_MATMUL else 0
            works += [(w, c * count) for w, c in linear_backward(shard, p.n, p.k, p.m * p.batch, experts)]
        elif work.kind in (Kind.ATTENTION, Kind.PORTABLE_ATTENTION):
            continue
        elif work.kind is Kind.NORMALIZATION:
            works.append((norm(shard, model.hidden, backward=True), count))
        elif work.kind is not Kind.MATMUL:
            works.append((_twice(work), count))
    if forward.name == "attention":
        heads, key_heads = model.heads / shard.tensor, max(1.0, model.key_heads / shard.tensor)
        works += scores(shard, model, heads, key_heads, backward=True)
    return Segment(forward.name + "_backward", tuple(works), exchanges)


def _groups(work: Work) -> int:
    return work.products[0].batch if work.kind is Kind.GROUPED_MATMUL else 1


def _twice(work: Work) -> Work:
    vectors = tuple(Vector(v.dtype, 2 * v.operations, v.transcendentals) for v in work.vectors)
    return Work(work.kind, (), vectors, 1.5 * work.read_b, 1.5 * work.written_b, work.pattern, work.launches)


def _eager(works: list[tuple[Work, float]], shard: Shard, model: Model) -> Counted:
    """Without fusion there are a bias, a dropout and a few copies more for each sub-layer."""
    if shard.eager:
        works.append((pointwise(shard.tokens * model.hidden, 1, 1, shard.size_b), 6.0))
    return tuple(works)


@dataclass(frozen=True)
class LayerGroups:
    """The exchanges of one layer's halves, forward and backward, and those of a half with experts."""

    forward: tuple[Exchange, ...] = ()
    backward: tuple[Exchange, ...] = ()
    experts: tuple[Exchange, ...] = ()
    experts_backward: tuple[Exchange, ...] = ()


def exchange(
    pattern: Pattern, size_b: float, group: Group, count: float, hidden_by: str = ""
) -> tuple[Exchange, ...]:
    """One exchange, or none where there is nobody to exchange with."""
    if group.ranks <= 1 or not count:
        return ()
    return (Exchange(Collective(pattern, size_b, group), count, hidden_by),)
