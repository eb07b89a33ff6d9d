"""The work of fused operators for serving that have no arithmetic here: latent attention's prolog, caches, delta rules,
products with what comes before and after them. Arguments have the order of the adapter's calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.convolution_work import convolution_work
from jumar.ops.fused_work import COMMUNICATION
from jumar.ops.products import grouped_work, product_work
from jumar.ops.registry import work_rule
from jumar.ops.rules import moved, normalising
from jumar.ops.traffic import bytes_of, cube_dtype, operands, size_b, total_b
from jumar.physics.work import Kind, Pattern, Product, Vector, Work

CHUNK = 64  # tokens that a delta rule takes at once


def _kept(parts: Callable[..., list[Any]]) -> Callable[..., Work]:
    """Keys and values are normed, turned and written to the cache. `parts`: what comes in, then what is read besides."""

    def work(*arguments: Any) -> Work:
        new, *rest = parts(*arguments)
        outs = [operand for operand in arguments[-2:] if isinstance(operand, Operand)]
        vectors = (Vector("fp32", 10.0 * new.elements),)
        return Work(
            Kind.NORMALIZATION, (), vectors, total_b(new, rest), bytes_of(new) + total_b(outs), Pattern.GATHER
        )

    return work


work_rule("aclnnKvRmsNormRopeCache", "aclnnKvRmsNormRopeCacheV2")(_kept(lambda *a: list(a[:5])))
work_rule("aclnnQkvRmsNormRopeCache")(_kept(lambda *a: list(a[:6])))


@work_rule("aclnnNsaCompress")
def compressed_keys(self: Operand, weight: Operand, *rest: Any) -> Work:
    """Each result is a weighted sum of a block of keys."""
    out = rest[-1]
    return moved(Kind.REDUCTION, [self, weight], [out], 2.0 * out.elements * weight.sizes[0])


@work_rule("aclnnNsaCompressGrad")
def compressed_keys_backward(grad: Operand, self: Operand, weight: Operand, *rest: Any) -> Work:
    """The same for the gradients of keys and of weights."""
    outs = list(rest[-2:])
    return moved(Kind.REDUCTION, [grad, self, weight], outs, 4.0 * grad.elements * weight.sizes[0])


@work_rule("aclnnGatherPaKvCache")
def fetched(*arguments: Any) -> Work:
    """Keys and values from their pages to where they lie together."""
    out_b = total_b(arguments[4], arguments[5])
    return Work(Kind.GATHER, (), (), out_b + total_b(arguments[2:4]), out_b, Pattern.GATHER)


@work_rule("aclnnMlaPrologV2WeightNz", "aclnnMlaPrologV3WeightNz")
def latent_prolog(
    tokens: Operand, down: Operand, up: Operand, absorb: Operand, key_down: Operand, *rest: Any
) -> Work:
    """Queries through a narrow product and a wide one, then into the compressed space by head; keys by one product; norms
    and rotation on the way."""
    rows, hidden = tokens.elements // tokens.sizes[-1], tokens.sizes[-1]
    dtype, (heads, width, rank) = cube_dtype(tokens), absorb.sizes
    narrow, wide, key = (w.elements // side for w, side in ((down, hidden), (up, 1), (key_down, hidden)))
    wide //= max(1, narrow)
    products = (
        Product(1, rows, narrow, hidden, dtype),
        Product(1, rows, wide, narrow, dtype),
        Product(heads, rows, rank, width, cube_dtype(absorb)),
        Product(1, rows, key, hidden, dtype),
    )
    made = float(rows * (narrow + wide + key))
    written_b = float(rows * (heads * rank + wide - heads * width + key)) * 2.0
    read_b = total_b(tokens, down, up, absorb, key_down, rest[:4])
    return Work(Kind.MATMUL, products, (Vector("fp32", 8.0 * made),), read_b, written_b)


def _delta_rule(chunked: bool) -> Callable[..., Work]:
    """A state of width × width a head that every token reads and changes; in chunks these are products."""

    def work(query: Operand, key: Operand, value: Operand, beta: Operand, state: Operand, *rest: Any) -> Work:
        heads, value_width = value.sizes[-2:]
        tokens, width = value.elements / max(1, heads * value_width), key.sizes[-1]
        operations = 6.0 * tokens * heads * width * value_width
        products: tuple[Product, ...] = ()
        if chunked:
            batch = max(1, int(heads * tokens / CHUNK))
            products = (Product(batch, CHUNK, value_width, width + CHUNK, cube_dtype(query), 4),)
            operations = 10.0 * tokens * heads * (width + value_width)
        read_b = total_b(query, key, value, beta, rest) + bytes_of(state)
        written_b = bytes_of(state) + bytes_of(value)
        return Work(Kind.MATMUL, products, (Vector("fp32", operations),), read_b, written_b)

    return work


work_rule("aclnnRecurrentGatedDeltaRule")(_delta_rule(chunked=False))
work_rule("aclnnChunkGatedDeltaRule")(_delta_rule(chunked=True))


def _exchanged_groups(*arguments: Any) -> Work:
    """Tokens come from other chips or go there; the second product, of a shared expert, is done beside."""
    tokens, weight, _, _, shared, shared_weight = arguments[:6]
    outs = [operand for operand in arguments[-3:] if isinstance(operand, Operand) and operand.elements]
    columns = outs[0].sizes[-1]
    rows = max(tokens.elements // max(1, tokens.sizes[-1]), outs[0].elements // max(1, columns))
    between = Operand(outs[0].dtype, (rows, columns), (columns, 1))
    work = grouped_work([tokens], [weight], [], [between])
    products, read_b = work.products, work.read_b
    if shared is not None and shared_weight is not None and len(outs) > 1:
        beside = product_work(shared, shared_weight, outs[1])
        products, read_b = products + beside.products, read_b + beside.read_b
    return Work(work.kind, products, (), read_b, total_b(outs))


work_rule(
    "aclnnAlltoAllvGroupedMatMul",
    "aclnnAlltoAllvGroupedMatMulV2",
    "aclnnGroupedMatMulAlltoAllv",
    "aclnnGroupedMatMulAlltoAllvV2",
    note=COMMUNICATION,
)(_exchanged_groups)
work_rule("aclnnMoeDistributeCombineAddRmsNorm", "aclnnMoeDistributeCombineAddRmsNormV2", note=COMMUNICATION)(
    normalising(9, outs=3)
)


@work_rule("aclnnTransposeQuantBatchMatMul", "aclnnTransposeQuantBatchMatMulWeightNz")
def transposed_product(self: Operand, weight: Operand, *rest: Any) -> Work:
    """8-bit products by head after the permutations."""
    batch, m, k = (self.sizes[dim] for dim in rest[5] or (0, 1, 2))
    n = weight.sizes[(rest[6] or (0, 1, 2))[2]]
    vectors = (Vector("fp32", 3.0 * batch * m * n),)
    product = Product(batch, m, n, k, cube_dtype(self))
    return Work(Kind.MATMUL, (product,), vectors, total_b(self, weight, rest[:3]), bytes_of(rest[-1]))


@work_rule("aclnnQuantBatchMatmulInplaceAdd")
def added_product(self: Operand, weight: Operand, *rest: Any) -> Work:
    """An 8-bit product added to what is there."""
    scales, total, turned = rest[:2], rest[2], rest[3]
    k = self.sizes[-2] if turned else self.sizes[-1]
    return product_work(self, weight, total, (*scales, total), k=k, epilogue=4.0)


@work_rule("aclnnQuantConvolution")
def quantised_convolution(self: Operand, weight: Operand, bias: Operand | None, *rest: Any) -> Work:
    """A convolution of 8-bit numbers, scaled by channel."""
    transposed, groups, out = rest[5], rest[7], rest[-1]
    return convolution_work(self, weight, bias, [], [], [], transposed, [], groups, out)


@work_rule("aclnnDeformableConv2d")
def deformed_convolution(self: Operand, weight: Operand, offset: Operand, *rest: Any) -> Work:
    """Every value of a patch is weighed together from four neighbours; then it is a convolution."""
    bias, groups, out, patches = rest[0], rest[5], rest[-2], rest[-1]
    plain = convolution_work(self, weight, bias, [], [], [], False, [], groups, out)
    vectors = (*plain.vectors, Vector("fp32", 10.0 * patches.elements))
    read_b = plain.read_b + bytes_of(offset) + bytes_of(patches)
    written_b = plain.written_b + bytes_of(patches)
    return Work(plain.kind, plain.products, vectors, read_b, written_b, Pattern.GATHER, 2)


@work_rule("aclnnFFNV2")
def feed_forward(self: Operand, up: Operand, down: Operand, *rest: Any) -> Work:
    """Two products with an activation between, for one expert or several."""
    groups = up.sizes[0] if len(up.sizes) == 3 else 1
    rows, hidden = self.elements / max(1, self.sizes[-1]) / groups, self.sizes[-1]
    first, second = up.sizes[-1], down.sizes[-2]
    dtype = cube_dtype(self)
    products = (
        Product(groups, rows, first, hidden, dtype),
        Product(groups, rows, down.sizes[-1], second, dtype),
    )
    count = groups * rows * first
    read_b = total_b(self, up, down, list(operands(rest[:-1])))
    return Work(
        Kind.GROUPED_MATMUL, products, (Vector("fp32", 8.0 * count, count),), read_b, bytes_of(rest[-1])
    )


@work_rule("aclnnFlatQuant", "aclnnFlatQuantV2")
def flattened(self: Operand, left: Operand, right: Operand, *rest: Any) -> Work:
    """Two small products a row, left and right, then quantisation."""
    rows, m, n = self.elements // max(1, left.sizes[0] * right.sizes[0]), left.sizes[0], right.sizes[0]
    dtype = cube_dtype(self)
    products = (Product(1, rows * m, n, n, dtype), Product(rows, m, n, m, dtype))
    vectors = (Vector("fp32", 4.0 * self.elements),)
    return Work(Kind.MATMUL, products, vectors, total_b(self, left, right), total_b(rest[-2:]))


@work_rule("aclnnInplaceQuantScatter", "aclnnInplaceQuantScatterV2")
def scattered(
    self: Operand, indices: Operand, updates: Operand, scales: Operand | None, offsets: Any, *rest: Any
) -> Work:
    """New entries are quantised and put to their places in a cache."""
    written_b = float(updates.elements * size_b(self))
    vectors = (Vector("fp32", 3.0 * updates.elements),)
    read_b = total_b(indices, updates, scales, offsets)
    return Work(Kind.GATHER, (), vectors, read_b, written_b, Pattern.GATHER)


@work_rule("aclnnMaskedCausalConv1d")
def causal_convolution(self: Operand, weight: Operand, mask: Operand | None, out: Operand) -> Work:
    """A short filter along the sequence, for every channel its own."""
    return moved(Kind.ELEMENTWISE, [self, weight], [out], 2.0 * self.elements * min(weight.sizes))
