"""Configurations of transformers and of the jobs that train or serve them: sizes and counts, no work and no time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Experts:
    """A mixture of experts in place of the dense block, from layer `dense_layers` on."""

    count: int
    per_token: int
    ffn: int
    shared: int = 0
    dense_layers: int = 0


@dataclass(frozen=True)
class Latent:
    """Multi-head latent attention: ranks of the compressed queries and keys, widths of a head's parts."""

    query_rank: int
    key_rank: int
    plain_width: int
    rotary_width: int
    value_width: int


@dataclass(frozen=True)
class Model:
    """Sizes of a transformer. `causal_share` is the part of all query-key pairs that attention computes."""

    layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int = 0
    vocabulary: int = 32000
    head_width: int = 0
    gated: bool = True
    rotary: bool = True
    tied: bool = False
    causal_share: float = 0.5
    experts: Experts | None = None
    latent: Latent | None = None
    window: int = 0  # tokens that a query looks back, where that is limited
    cross_tokens: int = 0  # tokens of a second sequence that every layer attends to
    linear_share: float = 0.0  # part of the layers whose attention is linear in the sequence

    @property
    def width(self) -> int:
        return self.head_width or self.hidden // self.heads

    @property
    def key_heads(self) -> int:
        return self.kv_heads or self.heads

    @property
    def attention_parameters(self) -> int:
        """Weights of one layer's attention."""
        if (latent := self.latent) is not None:
            query = latent.query_rank * (
                self.hidden + self.heads * (latent.plain_width + latent.rotary_width)
            )
            key = self.hidden * (latent.key_rank + latent.rotary_width)
            spread = latent.key_rank * self.heads * (latent.plain_width + latent.value_width)
            return query + key + spread + self.heads * latent.value_width * self.hidden
        both = (2 if self.cross_tokens else 1) * self.hidden
        return both * self.width * (2 * self.heads + 2 * self.key_heads)

    @property
    def dense_parameters(self) -> int:
        """Weights of one dense block."""
        return (3 if self.gated else 2) * self.hidden * self.ffn

    @property
    def expert_parameters(self) -> int:
        """Weights of one expert."""
        return 0 if self.experts is None else (3 if self.gated else 2) * self.hidden * self.experts.ffn

    @property
    def embedding_parameters(self) -> int:
        return self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """All weights."""
        total = self.layers * (self.attention_parameters + 2 * self.hidden)
        total += (1 if self.tied else 2) * self.embedding_parameters
        if (experts := self.experts) is None:
            return total + self.layers * self.dense_parameters
        routed = (experts.count + experts.shared) * self.expert_parameters + self.hidden * experts.count
        sparse = self.layers - experts.dense_layers
        return total + experts.dense_layers * self.dense_parameters + sparse * routed

    @property
    def active_parameters(self) -> int:
        """Weights that one token meets in products, the table of words counted once."""
        total = self.layers * self.attention_parameters + self.embedding_parameters
        if (experts := self.experts) is None:
            return total + self.layers * self.dense_parameters
        sparse = self.layers - experts.dense_layers
        met = (experts.per_token + experts.shared) * self.expert_parameters
        return total + experts.dense_layers * self.dense_parameters + sparse * met


@dataclass(frozen=True)
class Layout:
    """How a job is spread over chips. `virtual` is the number of chunks of layers on each pipeline stage."""

    tensor: int = 1
    pipeline: int = 1
    virtual: int = 1
    context: int = 1
    data: int = 1
    expert: int = 1
    sequence_parallel: bool = False
    sharded: bool = False  # parameters, gradients and optimizer sharded over `data`
    context_by_heads: bool = False  # all-to-all of heads in place of a ring of keys

    @property
    def chips(self) -> int:
        return self.tensor * self.pipeline * self.context * self.data


@dataclass(frozen=True)
class Training:
    """One optimizer step of a training job. Batches count sequences."""

    model: Model
    layout: Layout
    sequence: int
    micro_batch: int
    global_batch: int
    dtype: str = "bf16"
    recompute_layers: float = 0.0  # share of the layers whose forward pass is done again
    flash: bool = True
    portable_flash: bool = False
    distributed_optimizer: bool = False
    overlap_gradients: bool = False
    overlap_tensor: bool = False
    gradient_b: float = 4.0
    optimizer_b: float = 12.0  # master weight and moments of one parameter
    trained_share: float = 1.0  # of the weights; small for adapters
    eager: bool = False  # every function a kernel of its own, nothing fused

    @property
    def micro_batches(self) -> int:
        """Micro-batches that one rank works through in a step."""
        return max(1, round(self.global_batch / (self.micro_batch * self.layout.data)))

    @property
    def tokens(self) -> int:
        return self.global_batch * self.sequence

    @property
    def operations(self) -> float:
        """FLOP of a step by the usual count: 6 for a weight and token, attention in full, nothing done twice."""
        model = self.model
        pairs = 12.0 * model.layers * model.heads * model.width * self.sequence
        return self.tokens * (6.0 * model.active_parameters + pairs)


@dataclass(frozen=True)
class Serving:
    """One forward pass of an inference job: `queries` sequences of `query` new tokens after `context` old ones."""

    model: Model
    layout: Layout
    queries: int
    query: int
    context: int = 0
    dtype: str = "bf16"
    weight_dtype: str = "bf16"
    expert_dtype: str = ""
    flash: bool = True
    eager: bool = False
    all_logits: bool = False
    compiled: bool = False
    extra_passes: int = 0  # passes of a one-layer draft model

    @property
    def tokens(self) -> int:
        return self.queries * self.query

    @property
    def operations(self) -> float:
        model = self.model
        pairs = 4.0 * model.layers * model.heads * model.width * (self.context + self.query)
        return self.tokens * (2.0 * model.active_parameters + pairs)
