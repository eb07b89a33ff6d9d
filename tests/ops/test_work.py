"""The work of single operators against calculations by hand, each with where its formula comes from."""

from __future__ import annotations

from typing import Any

import pytest

from jumar.abi.operand import Operand
from jumar.ops.attention_work import (
    CAUSAL,
    CAUSAL_FROM_END,
    EVERYTHING,
    GIVEN,
    PREFIX_COMPRESSED,
    Mask,
    up_to,
)
from jumar.ops.working import work_of
from jumar.physics import Kind, Pattern, Work

from .calls import operand

FOREVER = 2147483647


def work(name: str, *arguments: Any) -> Work:
    found = work_of(name, arguments)
    assert found.source == "rule", found
    return found.work


def vectors(found: Work) -> tuple[float, float]:
    return sum(v.operations for v in found.vectors), sum(v.transcendentals for v in found.vectors)


def flash(
    query: Operand, key: Operand, layout: str, heads: int, mode: int = EVERYTHING, mask: Operand | None = None
) -> list[Any]:
    """Arguments of aclnnFlashAttentionScore."""
    after = 0 if mode == CAUSAL else FOREVER
    statistics = operand(1, heads, query.elements // 1024, 8, dtype="float32")
    settings = [0.125, 1.0, FOREVER, after, heads, layout, 0, mode]
    return [query, key, key, None, None, None, mask, None, *settings, statistics, statistics, None, query]


COMPRESSED = operand(2048, 2048, dtype="bool")


def test_products_and_their_bytes() -> None:
    found = work("aclnnMatmul", operand(8, 512, 1024), operand(1024, 256), operand(8, 512, 256), 0)
    (product,) = found.products
    assert (product.batch, product.m, product.n, product.k, product.dtype) == (1, 4096, 256, 1024, "bf16")
    assert found.read_b == 2 * (4096 * 1024 + 1024 * 256) and found.written_b == 2 * 4096 * 256
    batched = work("aclnnBatchMatMul", operand(6, 5, 7), operand(6, 7, 3), operand(6, 5, 3), 0)
    assert batched.operations == 2 * 6 * 5 * 7 * 3 and batched.products[0].batch == 6


def test_fp32_is_multiplied_as_the_switch_says() -> None:
    sizes = operand(64, 64, dtype="float32")
    kinds = [work("aclnnMm", sizes, sizes, sizes, switch).products[0].dtype for switch in (0, 1, 2, 3)]
    assert kinds == ["fp32", "hf32", "fp16", "hf32"]


def test_a_bias_is_read_unless_beta_is_zero() -> None:
    left, right, out, bias = operand(64, 32), operand(32, 16), operand(64, 16), operand(16)
    with_bias = work("aclnnAddmm", bias, left, right, 1, 1, out, 0)
    without = work("aclnnAddmm", bias, left, right, 0, 1, out, 0)
    assert with_bias.read_b - without.read_b == 32 and vectors(with_bias)[0] == 64 * 16


def test_quantised_weights_are_read_narrow_and_multiplied_wide() -> None:
    """Four-bit weights come eight in an int32; Lin et al., AWQ (2023), §4.1: decoding is bound by their bytes."""
    packed = operand(4096, 512, dtype="int32")
    scale = operand(4096, dtype="float32")
    found = work("aclnnWeightQuantBatchMatmulV3", operand(16, 4096), packed, scale, None, None, None, None, 0, 0,
                 operand(16, 4096))  # fmt: skip
    assert found.products[0].dtype == "bf16" and found.operations == 2 * 16 * 4096 * 4096
    assert found.read_b == 16 * 4096 * 2 + 4096 * 4096 / 2 + 4096 * 4


def test_experts_share_the_rows() -> None:
    """Jiang et al., Mixtral of Experts (2024), §2.2: two of eight experts a token, 4096 × 14336 each."""
    tokens = 2 * 1000
    arguments = [[operand(tokens, 4096)], [operand(8, 4096, 14336)], None, None, None, None, None, None]
    groups = operand(8, dtype="int64")
    arguments += [groups, None, None, None, 3, 0, 1, 0, [operand(tokens, 14336)], None, None]
    found = work("aclnnGroupedMatmulV4", *arguments)
    assert found.kind is Kind.GROUPED_MATMUL and found.operations == 2 * tokens * 4096 * 14336
    assert (found.products[0].batch, found.products[0].m) == (8, 250)
    assert found.read_b == 2 * (tokens * 4096 + 8 * 4096 * 14336) + 64


@pytest.mark.parametrize(
    ("sizes", "weight", "out", "multiplications"),
    [
        # He et al., Deep Residual Learning (2016), table 1: ResNet's first layer, and a 3 × 3 of its second stage.
        ((1, 3, 224, 224), (64, 3, 7, 7), (1, 64, 112, 112), 118_013_952),
        ((1, 64, 56, 56), (64, 64, 3, 3), (1, 64, 56, 56), 115_605_504),
    ],
)
def test_convolutions(sizes: Any, weight: Any, out: Any, multiplications: int) -> None:
    shape = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)
    found = work("aclnnConvolution", operand(*sizes), operand(*weight), None, *shape, operand(*out), 0)
    assert found.operations == 2 * multiplications and found.kind is Kind.CONVOLUTION
    gradients = (operand(*sizes), operand(*weight), operand(weight[0]))
    backward = work("aclnnConvolutionBackward", operand(*out), operand(*sizes), operand(*weight), [weight[0]],
                    *shape, [True, True, True], 0, *gradients)  # fmt: skip
    assert backward.operations == 4 * multiplications and backward.launches == 3


def test_groups_divide_the_products_of_a_convolution() -> None:
    """Xie et al., ResNeXt (2017), §3: g groups take one g-th of the products. PyTorch's counter forgets it backward."""
    shape = ([1, 1], [1, 1], [1, 1], False, [0, 0], 4)
    image, weight = operand(2, 16, 10, 10), operand(16, 4, 3, 3)
    found = work("aclnnConvolution", image, weight, None, *shape, image, 0)
    assert found.operations == 2 * (2 * 10 * 10 * 16 * 16 * 9) / 4 and found.products[0].batch == 4
    backward = work("aclnnConvolutionBackward", image, image, weight, None, *shape, [True, True, False], 0,
                    image, weight, None)  # fmt: skip
    assert backward.operations == 2 * found.operations


def test_depthwise_convolutions_are_done_by_the_vector_units() -> None:
    image, weight = operand(8, 32, 112, 112), operand(32, 1, 3, 3)
    found = work("aclnnConvolution", image, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 32, image, 0)
    assert found.products == () and vectors(found)[0] == 2 * 8 * 32 * 112 * 112 * 9


def test_flash_attention() -> None:
    """Dao, FlashAttention-2 (2023), §4.1: 4 · length² · width · heads forward, half if causal, 2.5 times that back."""
    batch, heads, length, width = 2, 16, 2048, 128
    query = operand(batch, heads, length, width)
    whole = work("aclnnFlashAttentionScore", *flash(query, query, "BNSD", heads))
    assert whole.operations == batch * 4 * length**2 * width * heads
    causal = work("aclnnFlashAttentionScore", *flash(query, query, "BNSD", heads, CAUSAL, COMPRESSED))
    assert causal.operations == pytest.approx(whole.operations / 2, rel=1e-3)
    # Queries, keys, values and results once, and eight statistics of fp32, twice, a row; the mask's diagonal blocks not.
    rows = batch * heads * length
    assert causal.read_b == 3 * rows * width * 2 and causal.kind is Kind.ATTENTION
    assert causal.written_b == rows * width * 2 + 2 * operand(1, heads, rows * width // 1024, 8).elements * 4
    arguments = flash(query, query, "BNSD", heads, CAUSAL, COMPRESSED)
    saved = arguments[-4:]
    backward = work("aclnnFlashAttentionScoreGrad", *arguments[:3], query, *arguments[3:7], *saved, *arguments[7:16],
                    query, query, query, None)  # fmt: skip
    assert backward.operations == pytest.approx(2.5 * causal.operations)
    assert backward.kind is Kind.ATTENTION_BACKWARD and backward.written_b == 3 * rows * width * 2


@pytest.mark.parametrize(
    ("layout", "sizes"), [("BSND", (2, 64, 8, 16)), ("BSH", (2, 64, 128)), ("SBH", (64, 2, 128))]
)
def test_layouts_mean_the_same(layout: str, sizes: tuple[int, ...]) -> None:
    plain = work("aclnnFlashAttentionScore", *flash(operand(2, 8, 64, 16), operand(2, 8, 64, 16), "BNSD", 8))
    other = work("aclnnFlashAttentionScore", *flash(operand(*sizes), operand(*sizes), layout, 8))
    assert other.products == plain.products and other.read_b == plain.read_b


def test_heads_that_share_keys_multiply_as_often_but_read_less() -> None:
    """Ainslie et al., GQA (2023), §2: the cache shrinks by the number of heads in a group, the products do not."""
    query = operand(1, 32, 512, 64)
    own = work("aclnnFlashAttentionScore", *flash(query, query, "BNSD", 32))
    shared = work("aclnnFlashAttentionScore", *flash(query, operand(1, 8, 512, 64), "BNSD", 32))
    assert shared.operations == own.operations
    assert own.read_b - shared.read_b == 2 * (32 - 8) * 512 * 64 * 2


def test_visible_pairs() -> None:
    """Counted one by one."""
    for queries, keys, reach, least in (
        (5, 7, 1, 0),
        (7, 5, 3, 2),
        (4, 9, 6, 3),
        (6, 6, -2, 0),
        (3, 3, 9, 0),
    ):
        pairs = sum(1 for i in range(queries) for j in range(keys) if j < i + reach or j < least)
        assert up_to(queries, keys, reach, least) == pairs
    assert Mask(GIVEN, True, 0, 0).pairs(4, 6) == Mask(EVERYTHING, False, 0, 0).pairs(4, 6) == 24
    assert Mask(CAUSAL, True, FOREVER, 0).pairs(4, 6) == 1 + 2 + 3 + 4
    assert Mask(CAUSAL_FROM_END, True, FOREVER, FOREVER).pairs(4, 6) == 3 + 4 + 5 + 6
    assert Mask(PREFIX_COMPRESSED, True, 0, 0, (4,)).pairs(4, 4) == 16
    window = Mask(4, True, 2, 0)  # a band: each query and the two keys before it
    assert window.pairs(6, 6) == 1 + 2 + 3 + 3 + 3 + 3


def test_packed_sequences_meet_only_themselves() -> None:
    query, ends = operand(300, 4, 64), [100, 300]
    statistics = operand(300, 4, 8, dtype="float32")
    settings = [0.125, 1.0, FOREVER, FOREVER, 4, "TND", 0, EVERYTHING]
    found = work("aclnnFlashAttentionVarLenScore", query, query, query, None, None, None, None, None, ends, ends,
                 *settings, statistics, statistics, None, query)  # fmt: skip
    assert found.operations == pytest.approx(4 * 4 * 64 * (100**2 + 200**2))


def incremental(key: Operand, lengths: list[int] | None, pages: Operand | None, page: int) -> Work:
    """Decoding for 8 sequences with 32 heads that share 8 keys."""
    query = operand(8, 32, 1, 128)
    return work("aclnnIncreFlashAttentionV4", query, [key], [key], None, None, lengths, *[None] * 7, pages, None, 32,
                0.1, "BNSD", 8, page, 1, query)  # fmt: skip


def test_decoding_reads_the_cache_as_far_as_it_is_filled() -> None:
    """Pope et al., Efficiently Scaling Transformer Inference (2022), §2.1: a step of decoding reads the keys and values of
    all tokens so far; heads that share them are rows of one product."""
    lengths = [1000] * 8
    found = incremental(operand(8, 8, 4096, 128), lengths, None, 0)
    cached = 2 * 8 * 1000 * 8 * 128 * 2
    assert found.read_b == cached + 8 * 32 * 128 * 2 and found.operations == 4 * 8 * 1000 * 32 * 128
    assert (found.products[0].batch, found.products[0].m) == (64, 4)
    pages = operand(8, 32, dtype="int32")
    paged = incremental(operand(256, 8, 128, 128), lengths, pages, 128)
    assert paged.read_b == found.read_b + 8 * 32 * 4 and paged.products == found.products


def test_broadcast_operands_are_read_once() -> None:
    row = operand(64, 32, 1024, strides=(1024, 0, 1))
    found = work("aclnnAdd", row, row, 1, operand(64, 32, 1024))
    assert found.read_b == 2 * 64 * 1024 * 2 and found.written_b == 64 * 32 * 1024 * 2
    assert vectors(found) == (64 * 32 * 1024, 0) and found.pattern is Pattern.STREAMING


def test_in_place_operators_read_and_write_their_first_operand() -> None:
    found = work("aclnnInplaceMul", operand(100), operand(100))
    assert (found.read_b, found.written_b) == (400, 200)
    copied = work("aclnnInplaceCopy", operand(100), operand(100, dtype="float32"))
    assert (copied.read_b, copied.written_b) == (400, 200)


def test_empty_results_cost_nothing() -> None:
    assert work("aclnnAdd", operand(0, 4), operand(0, 4), 1, operand(0, 4)).launches == 0


@pytest.mark.parametrize(
    ("strides", "pattern"),
    [
        ((786432, 64, 65536, 1), Pattern.STREAMING),  # heads before the sequence: pieces of 128 bytes
        ((786432, 1, 65536, 1024), Pattern.STRIDED),  # the last dimension not innermost: single elements
        ((786432, 768, 64, 1), Pattern.STREAMING),
    ],
)
def test_transposing_copies(strides: tuple[int, ...], pattern: Pattern) -> None:
    target = operand(8, 1024, 12, 64, strides=(786432, 768, 64, 1))
    assert work("aclnnInplaceCopy", target, operand(8, 1024, 12, 64, strides=strides)).pattern is pattern


def test_channels_last_in_both_is_streaming() -> None:
    last = operand(8, 64, 32, 32, strides=(65536, 1, 2048, 64))
    assert work("aclnnRelu", last, last).pattern is Pattern.STREAMING


def test_joining_narrow_columns_is_strided() -> None:
    narrow = work("aclnnCat", [operand(64, 4), operand(64, 60)], 1, operand(64, 64))
    wide = work("aclnnCat", [operand(64, 128), operand(64, 128)], 1, operand(64, 256))
    assert (narrow.pattern, wide.pattern) == (Pattern.STRIDED, Pattern.STREAMING)


def test_adamw_moves_seven_numbers_a_parameter() -> None:
    """Loshchilov and Hutter, AdamW (2019), algorithm 2: weight, two moments and gradient in, weight and moments out."""
    tensors = [operand(1000, dtype="float32") for _ in range(4)]
    step = operand(1, dtype="float32")
    found = work(
        "aclnnApplyAdamWV2", *tensors[:3], None, tensors[3], step, 1e-3, 0.9, 0.99, 0.0, 1e-8, False, False
    )
    assert (found.kind, found.read_b, found.written_b) == (Kind.OPTIMIZER, 16 * 1000 + 4, 12 * 1000)


def test_norms() -> None:
    """Zhang and Sennrich, RMSNorm (2019), eq. 4; a batch norm in training goes over its input twice."""
    x, gamma, statistics = operand(64, 1024), operand(1024), operand(64, 1, dtype="float32")
    found = work("aclnnRmsNorm", x, gamma, 1e-6, x, statistics)
    assert found.read_b == 2 * (64 * 1024 + 1024) and found.written_b == 2 * 64 * 1024 + 4 * 64
    image, channel = operand(8, 64, 32, 32), operand(64, dtype="float32")
    shared = (image, channel, channel, channel, channel)
    training = work("aclnnBatchNorm", *shared, True, 0.1, 1e-5, image, channel, channel)
    evaluation = work("aclnnBatchNorm", *shared, False, 0.1, 1e-5, image, channel, channel)
    assert training.read_b - evaluation.read_b == image.elements * 2 and training.launches == 2


def test_look_ups_read_the_rows_that_they_need() -> None:
    indices = operand(8, 1024, dtype="int64")
    found = work("aclnnEmbedding", operand(50304, 768), indices, operand(8, 1024, 768))
    assert found.read_b == 8 * 1024 * (768 * 2 + 8) and found.pattern is Pattern.GATHER
    loss = work("aclnnNLLLoss", operand(8192, 50304, dtype="float32"), operand(8192, dtype="int64"), None, 1, -100,
                operand(1, dtype="float32"), operand(1, dtype="float32"))  # fmt: skip
    assert loss.read_b < 8192 * 64


def test_recurrent_layers() -> None:
    """Hochreiter and Schmidhuber's cell as PyTorch documents it: four gates, each of the input and of the state."""
    times, batch, features, hidden = 128, 32, 512, 256
    sequence, out = operand(times, batch, features), operand(times, batch, hidden)
    weights = [operand(4 * hidden, features), operand(4 * hidden, hidden)]
    state = operand(1, batch, hidden)
    found = work("aclnnLSTM", sequence, weights, [state, state], None, False, 1, 0.0, True, False, False, out, state,
                 state, [], [], [], [], [], [], [])  # fmt: skip
    assert found.operations == 2 * times * batch * 4 * hidden * (features + hidden)
    assert found.products[1].count == times  # one step after another


def test_decompositions() -> None:
    """Golub and Van Loan, Matrix Computations, §4.2.5 and §3.2.9."""
    matrix = operand(4, 300, 300, dtype="float32")
    assert vectors(work("aclnnLinalgCholesky", matrix, False, matrix))[0] == 4 * 300**3 / 3
    assert vectors(work("aclnnInverse", matrix, matrix))[0] == 4 * 2 * 300**3


def test_long_rows_are_merged_in_memory() -> None:
    def sorted_(length: int) -> Work:
        row = operand(length, dtype="float32")
        return work("aclnnSort", row, True, 0, False, row, operand(length, dtype="int64"))

    short, long = sorted_(2000), sorted_(2_000_000)
    assert short.launches == 1 and long.launches > 1 and long.read_b > 2 * 4 * 2_000_000
