"""The work of a transformer's parts on one rank: a layer forward and backward, head, embedding, optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from jumar.physics.transformer import Model
from jumar.physics.work import ELEMENT_B, Kind, Pattern, Product, Vector, Work

# Kernels for one piece of ring attention: exchange, attention, merging of values and of their sums.
PIECE_KERNELS = 12

Counted = tuple[tuple[Work, float], ...]


@dataclass(frozen=True)
class Shard:
    """What one rank sees of a micro-batch: tokens, ways of tensor and expert parallelism, how attention is done."""

    tokens: float  # of this rank, in the products
    batch: float  # sequences
    queries: float  # tokens of a sequence on this rank
    keys: float  # tokens each query meets, before the causal share
    tensor: int = 1
    expert: int = 1
    norm_tokens: float = 0.0  # tokens in norms and residuals; fewer with sequence parallelism
    dtype: str = "bf16"
    weight_dtype: str = "bf16"
    expert_dtype: str = "bf16"
    flash: bool = True
    portable: bool = False
    eager: bool = False
    gradient_b: float = 4.0
    decode: bool = False
    pieces: int = 1  # in which keys come around a ring; each is attended to and merged by itself

    @property
    def size_b(self) -> float:
        return max(ELEMENT_B[self.dtype], 2.0)


def linear(shard: Shard, outputs: float, inputs: float, tokens: float = 0.0, experts: int = 0) -> Work:
    """A product with weights; `experts` > 0 makes it grouped, each with its own weights and its share of tokens."""
    rows = tokens or shard.tokens
    groups = max(experts, 1)
    dtype = shard.expert_dtype if experts else shard.weight_dtype
    weight_b = groups * outputs * inputs * ELEMENT_B[dtype]
    unit = {"int4": "int8", "fp4": "fp8"}.get(dtype, dtype)
    product = Product(groups, max(1.0, rows / groups), outputs, inputs, unit)
    kind = Kind.GROUPED_MATMUL if experts else Kind.MATMUL
    read_b = weight_b + rows * inputs * ELEMENT_B[unit]
    quantise = (Vector("fp32", 2.0 * rows * inputs),) if unit in ("int8", "fp8") else ()
    launches = 2 if quantise else 1
    # Activations are read wide and written narrow before the product; training keeps a transposed copy as well.
    cast_b = rows * inputs if quantise else 0.0
    read_b += cast_b * shard.size_b
    written_b = rows * outputs * shard.size_b + cast_b * (1.0 if shard.decode else 2.0)
    return Work(kind, (product,), quantise, read_b, written_b, launches=launches)


def linear_backward(
    shard: Shard, outputs: float, inputs: float, tokens: float = 0.0, experts: int = 0
) -> Counted:
    """Gradients of input and of weights; the latter added to what is there."""
    rows = tokens or shard.tokens
    groups = max(experts, 1)
    size_b = ELEMENT_B[shard.weight_dtype]
    each = max(1.0, rows / groups)
    kind = Kind.GROUPED_MATMUL if experts else Kind.MATMUL
    cast_b = rows * outputs * (shard.size_b + 2.0) if size_b < shard.size_b else 0.0
    moved_b = groups * outputs * inputs * size_b + rows * outputs * size_b + cast_b
    sums_b = groups * outputs * inputs * shard.gradient_b
    to_input = Work(
        kind,
        (Product(groups, each, inputs, outputs, shard.weight_dtype),),
        (),
        moved_b,
        rows * inputs * shard.size_b,
    )
    to_weights = Work(
        kind,
        (Product(groups, outputs, inputs, each, shard.weight_dtype),),
        (),
        rows * (outputs + inputs) * size_b + sums_b,
        sums_b,
    )
    if not shard.gradient_b:  # the weights are frozen
        return ((to_input, 1.0),)
    return ((to_input, 1.0), (to_weights, 1.0))


def pointwise(
    elements: float, reads: float, writes: float, size_b: float, operations: float = 1.0, curved: float = 0.0
) -> Work:
    """An elementwise operator: tensors read and written, operations and transcendentals for each element."""
    vector = Vector("fp32", operations * elements, curved * elements)
    return Work(Kind.ELEMENTWISE, (), (vector,), reads * elements * size_b, writes * elements * size_b)


def norm(shard: Shard, width: float, backward: bool = False) -> Work:
    """RmsNorm or LayerNorm, one kernel forward, two backward."""
    elements = (shard.norm_tokens or shard.tokens) * width
    reads = 2.0 if backward else 1.0
    return Work(
        Kind.NORMALIZATION,
        (),
        (Vector("fp32", (10.0 if backward else 5.0) * elements),),
        reads * elements * shard.size_b,
        elements * shard.size_b,
        launches=2 if backward else 1,
    )


def scores(shard: Shard, model: Model, heads: float, key_heads: float, backward: bool = False) -> Counted:
    """Attention between queries and keys on this rank."""
    keys = shard.keys if shard.decode else shard.keys * model.causal_share
    keys = min(keys, float(model.window)) if model.window else keys
    if not shard.flash:
        return _plain_scores(shard, model, heads, backward)
    latent = model.latent
    width = latent.plain_width + latent.rotary_width if latent else model.width
    value = latent.value_width if latent else model.width
    batch, queries = shard.batch * heads, shard.queries
    if shard.decode:  # heads that share their keys are queries of one product
        batch, queries = shard.batch * key_heads, shard.queries * heads / key_heads
        if latent:
            batch, queries = shard.batch, shard.queries * heads
            width, value = latent.key_rank + latent.rotary_width, latent.key_rank
    pairs = batch * queries * keys
    if backward:
        products: tuple[Product, ...] = (
            Product(int(batch), queries, keys, (width + value) / 2, shard.dtype, 5.0),
        )
    elif width == value:
        products = (Product(int(batch), queries, keys, width, shard.dtype, 2.0),)
    else:
        products = tuple(Product(int(batch), queries, keys, w, shard.dtype) for w in (width, value))
    cached = shard.keys * ((latent.key_rank + latent.rotary_width) if latent else 2 * key_heads * value)
    if latent and not shard.decode:
        cached = shard.keys * key_heads * (width + value)
    moved_b = shard.size_b * shard.batch * (2 * shard.queries * heads * value + cached)
    kinds = (
        (Kind.PORTABLE_ATTENTION, Kind.PORTABLE_ATTENTION_BACKWARD)
        if shard.portable
        else (
            Kind.ATTENTION,
            Kind.ATTENTION_BACKWARD,
        )
    )
    times = 2.5 if backward else 1.0
    vector = Vector("fp32", 4.0 * times * pairs, pairs)
    launches = 1 + shard.pieces * PIECE_KERNELS if shard.pieces > 1 else 1
    read_b, written_b = moved_b * 0.75 * times, moved_b * 0.25 * times
    work = Work(kinds[backward], products, (vector,), read_b, written_b, launches=launches)
    return ((work, 1.0),)


def _plain_scores(shard: Shard, model: Model, heads: float, backward: bool) -> Counted:
    """Scores written out: two products and a softmax, a kernel for each function."""
    batch, queries, keys, width = int(shard.batch * heads), shard.queries, shard.keys, model.width
    size_b = ELEMENT_B[shard.dtype]
    pairs = batch * queries * keys
    lesser = batch * (queries + keys) * width * size_b
    first = Work(
        Kind.MATMUL, (Product(batch, queries, keys, width, shard.dtype),), (), lesser, pairs * size_b
    )
    second = Work(
        Kind.MATMUL, (Product(batch, queries, width, keys, shard.dtype),), (), pairs * size_b, lesser
    )
    softmax = pointwise(pairs, 2, 1, size_b, 4, 1)
    if backward:
        return ((first, 2.0), (second, 2.0), (softmax, 1.0), (pointwise(pairs, 2, 1, size_b), 2.0))
    # scale, mask, softmax, dropout
    return ((first, 1.0), (second, 1.0), (softmax, 1.0), (pointwise(pairs, 1, 1, size_b), 3.0))


def gather(tokens: float, width: float, size_b: float) -> Work:
    """Rows picked by index: embedding, routing."""
    return Work(Kind.GATHER, (), (), tokens * width * size_b, tokens * width * size_b, Pattern.GATHER)


def optimizer(parameters: float, gradient_b: float, state_b: float) -> Counted:
    """Adam on flat buffers: norm of the gradients, then moments, master weights and weights in a few passes."""
    clip = Work(
        Kind.REDUCTION, (), (Vector("fp32", 2 * parameters),), parameters * gradient_b, 0.0, launches=4
    )
    update = Work(
        Kind.OPTIMIZER,
        (),
        (Vector("fp32", 12 * parameters, parameters),),
        parameters * (gradient_b + state_b),
        parameters * (state_b + 2.0 + gradient_b),
        launches=8,
    )
    return ((clip, 1.0), (update, 1.0))
