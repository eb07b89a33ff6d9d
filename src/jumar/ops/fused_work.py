"""The work of fused operators that have no arithmetic here: they can be met in dry runs only.

Those that are neither here nor in another file are assumed by the sizes of their operands. What a product that talks to
other chips sends is not counted, and the estimate says so.
"""

from __future__ import annotations

from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.moe_work import combining, permuting
from jumar.ops.products import grouped_work, product_work
from jumar.ops.quantization import quant_matmul_work, weight_quant_matmul_work
from jumar.ops.registry import Rule, work_rule
from jumar.ops.rules import gathering, moved, normalising, pointwise, split
from jumar.ops.traffic import bytes_of, cube_dtype, operands, total_b
from jumar.physics.work import Kind, Pattern, Product, Vector, Work

COMMUNICATION = "what is sent to other chips meanwhile is not counted"


def _each(names: str, rule: Rule, note: str = "") -> None:
    work_rule(*(f"aclnn{name}" for name in names.split()), note=note)(rule)


# A norm with a residual before it or a quantisation after it.
_each("RmsNormQuant", normalising(7))
_each("RmsNormQuantV3 RmsNormGradQuant", normalising(8, outs=2))
_each("AddRmsNormQuant RmsNormDynamicMxQuant", normalising(8, outs=3))
_each("AddRmsNormQuantV2 AddRmsNormDynamicMxQuant", normalising(9, outs=4))
_each("AddRmsNormDynamicQuantV2", normalising(9, outs=5))
# Quantisation by blocks or rows, alone or after an activation.
_each("GroupQuant Quantize AntiMxQuant DequantBias TransQuantParamV3", pointwise(3))
_each("FakeQuantPerChannelAffineCachemask FakeQuantPerTensorAffineCachemask", pointwise(5, outs=2))
_each(
    "DynamicBlockQuant DynamicBlockQuantV2 DynamicMxQuant DynamicMxQuantV2 DynamicMxQuantV3",
    normalising(5, outs=2),
)
_each("GroupedDynamicBlockQuant GroupedDynamicBlockQuantV2 GroupedDynamicMxQuant", normalising(5, outs=2))
_each("GroupedDynamicMxQuantV2 QuantMax GroupedQuantMax RotateQuant", normalising(5, outs=2))
_each("DynamicBlockMxQuant", normalising(5, outs=3))
_each("DynamicMxQuantWithDualAxis DynamicMxQuantWithDualAxisV2", normalising(8, outs=4))
_each("GeluQuant", normalising(9, 1, outs=2))
_each("DequantSwigluQuant DequantSwigluQuantV2 SwiGluQuantV2 SwigluMxQuant", normalising(5, 0.5, outs=2))
_each("SwigluGroupQuant", normalising(5, 0.5, outs=3))
_each("SwigluGroupQuantGrad", normalising(8, 0.5, outs=2))
_each("SwigluMxQuantWithDualAxis SwigluBackwardMxQuantWithDualAxis", normalising(9, 0.5, outs=4))
# Entries of key-value caches, written where they belong or fetched from there.
_each("MoeReRouting", permuting(4))
_each("MoeInitRoutingQuantV2", permuting(5))
_each("MoeTokenPermuteWithRoutingMap", permuting(3))
_each(
    "MoeTokenPermuteWithRoutingMapGrad MoeTokenUnpermuteWithRoutingMapGrad",
    gathering(outs=2, kind=Kind.MOE_ROUTING),
)
_each("MoeTokenUnpermuteWithRoutingMap", combining())
_each("RopeWithSinCosCacheV2", pointwise(6, outs=2))
_each("TransformBiasRescaleQkv", pointwise(2, outs=3))
_each("CIoU", pointwise(30, 4, outs=2))
_each("RingAttentionUpdateV2", pointwise(8, 2, outs=3))
_each("AttentionUpdate", pointwise(4, 1, outs=2))
# Tokens to their experts on other chips, and back.
_each("MoeDistributeDispatch MoeDistributeDispatchV2 MoeDistributeDispatchV3", permuting(7), COMMUNICATION)
_each("MoeDistributeDispatchV4", permuting(7), COMMUNICATION)
_each("MoeDistributeCombine MoeDistributeCombineV2 MoeDistributeCombineV3", combining(), COMMUNICATION)
_each("MoeDistributeCombineV4", combining(), COMMUNICATION)


def _cached_work(*arguments: Any) -> Work:
    """New keys and values go to the pages where their sequences go on. The caches follow what is written to them."""
    found = [argument for argument in arguments if isinstance(argument, Operand)]
    new = [operand for operand in found[:1] + found[3:4] if operand.elements]
    return Work(Kind.GATHER, (), (), total_b(new), total_b(new), Pattern.GATHER)


_each("ScatterPaKvCache ScatterPaCache", _cached_work)


def _cross_entropy_work(*arguments: Any) -> Work:
    """A softmax over all classes whose logarithm is kept, and the mean of one element a row."""
    inputs, results = split(arguments, 4)
    count = inputs[0].elements
    return moved(Kind.NORMALIZATION, inputs, results, 5.0 * count, float(count))


def _cross_entropy_backward_work(*arguments: Any) -> Work:
    """The exponential of what was kept, less one at the class that was meant."""
    inputs, results = split(arguments, 1)
    count = results[0].elements
    return moved(Kind.NORMALIZATION, inputs, results, 3.0 * count, float(count))


_each("CrossEntropyLoss", _cross_entropy_work)
_each("CrossEntropyLossGrad", _cross_entropy_backward_work)
_each("FusedCrossEntropyLossWithMaxSum", pointwise(4, 1, outs=2))


@work_rule("aclnnFusedLinearOnlineMaxSum")
def linear_maxima(self: Operand, weight: Operand, target: Operand, *rest: Any) -> Work:
    """Logits of all classes without keeping them, the largest of each row and the sum of exponentials."""
    rows, width = self.sizes
    classes = weight.elements // max(1, width)
    product = Product(1, rows, classes, width, cube_dtype(self))
    vectors = (Vector("fp32", 4.0 * rows * classes, float(rows * classes)),)
    return Work(Kind.MATMUL, (product,), vectors, total_b(self, weight, target), total_b(*rest[2:]))


@work_rule("aclnnFusedLinearCrossEntropyLossGrad")
def linear_loss_backward(grad: Operand, self: Operand, weight: Operand, *rest: Any) -> Work:
    """Gradients of input and weights; logits that were not kept are made again."""
    softmax, outs = rest[5], rest[-2:]
    rows, width = self.sizes
    classes, dtype = weight.elements // max(1, width), cube_dtype(self)
    products = [Product(1, rows, width, classes, dtype), Product(1, classes, width, rows, dtype)]
    if softmax is None or not softmax.elements:
        products.append(Product(1, rows, classes, width, dtype))
    vectors = (Vector("fp32", 3.0 * rows * classes, float(rows * classes)),)
    return Work(Kind.MATMUL, tuple(products), vectors, total_b(grad, self, weight, rest[:-2]), total_b(outs))


@work_rule("aclnnQuantGroupedMatmulInplaceAdd")
def added_groups(one: Operand, two: Operand, *rest: Any) -> Work:
    """8-bit gradients of weights by groups, which share the inner dimension, added to what is there."""
    total = rest[3]
    m, n = total.sizes[-2:]
    groups = max(1, total.elements // max(1, m * n))
    product = Product(groups, m, n, one.elements / max(1, m * groups), cube_dtype(one))
    vectors = (Vector("fp32", 3.0 * total.elements),)
    return Work(Kind.GROUPED_MATMUL, (product,), vectors, total_b(one, two, rest[:4]), bytes_of(total))


def _talking_product(result: int) -> Rule:
    """One product of the first two arguments. With rows from or to other chips there are more of them on one side."""

    def work(*arguments: Any) -> Work:
        left, right, out = arguments[0], arguments[1], arguments[result]
        extra = list(operands(arguments[2:result]))
        packed = left.dtype == "int32"
        columns, inner = out.sizes[-1], left.sizes[-1] * (8 if packed else 1)
        rows = max(left.elements / max(1, left.sizes[-1]), out.elements / max(1, columns))
        product = Product(1, rows, columns, inner, "int4" if packed else cube_dtype(left))
        vectors = (Vector("fp32", 3.0 * out.elements),)
        return Work(Kind.MATMUL, (product,), vectors, total_b(left, right, extra), bytes_of(out))

    return work


_each("MatmulAllReduce MatmulAllReduceV2 MatmulAllReduceV3", _talking_product(-1), COMMUNICATION)
_each(
    "QuantMatmulAllReduce QuantMatmulAllReduceV2 QuantMatmulAllReduceV3", _talking_product(-1), COMMUNICATION
)
_each("QuantMatmulAllReduceV4 QuantMatmulAllReduceV5", _talking_product(-1), COMMUNICATION)
_each("WeightQuantMatmulAllReduce WeightQuantMatmulAllReduceV2", _talking_product(-1), COMMUNICATION)
_each("MatmulReduceScatter", _talking_product(-1), COMMUNICATION)
_each("MatmulReduceScatterV2 AllGatherMatmul", _talking_product(-2), COMMUNICATION)
_each("AllGatherMatmulV2", _talking_product(-3), COMMUNICATION)
_each(
    "MatmulAlltoAll MatmulAlltoAllV2 QuantMatmulAlltoAll QuantMatmulAlltoAllV2",
    _talking_product(-1),
    COMMUNICATION,
)


def _dequantised_product_work(self: Operand, weight: Operand, *rest: Any) -> Work:
    """A product whose weights lie turned or in fractal order: sizes come from the input and the result."""
    return product_work(self, weight, rest[-1], rest[:-1], k=self.sizes[-1], epilogue=3.0)


_each("QuantMatmulDequant FusedQuantMatmul FusedQuantMatmulWeightNz", _dequantised_product_work)
_each("QuantMatmulReduceSumWeightNz", quant_matmul_work)
_each("WeightQuantBatchMatmulV3 WeightQuantBatchMatmulNz", weight_quant_matmul_work)


def _grouped_quant_work(outs: int) -> Rule:
    """Products by groups with what comes after them, which may halve the columns: those are the weights' own."""

    def work(*arguments: Any) -> Work:
        self, weights = arguments[0], list(operands(arguments[1:2]))
        extra = list(operands(arguments[2:-outs]))
        groups = weights[0].sizes[0] if len(weights) == 1 else len(weights)
        packed = 8 if weights[0].dtype == "int32" else 1
        columns = packed * sum(weight.elements for weight in weights) // max(1, groups * self.sizes[-1])
        rows = self.elements // max(1, self.sizes[-1])
        between = Operand("float32", (rows, columns), (columns, 1))
        work = grouped_work([self], weights, extra, [between])
        return Work(work.kind, work.products, work.vectors, work.read_b, total_b(*arguments[-outs:]))

    return work


_each("GroupedMatmulSwigluQuantV2 GroupedMatmulSwigluQuantWeightNzV2", _grouped_quant_work(2))
_each("GroupedMatmulSwigluQuantWeightNZ", _grouped_quant_work(3))
_each("QuantGroupedMatmulDequant QuantGroupedMatmulDequantWeightNZ", _grouped_quant_work(1))
_each("GroupedMatmulFinalizeRoutingV2 GroupedMatmulFinalizeRoutingV3", _grouped_quant_work(1))
_each("GroupedMatmulFinalizeRoutingWeightNz GroupedMatmulFinalizeRoutingWeightNzV2", _grouped_quant_work(1))
