"""The work of operators on the legacy path, by type. Inputs are tensors all of them: lists of sizes and scalars too, whose
values are not known, so that what an operator moves is told by its results where only part of an input is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.abi.operand import Operand
from jumar.ops.convolution_work import convolution_work, patches
from jumar.ops.costs import Cost
from jumar.ops.legacy import Attributes
from jumar.ops.linalg_work import decomposing, inverse, lu, qr
from jumar.ops.products import product_work
from jumar.ops.registry import Rule, work_rule
from jumar.ops.rules import (
    copying,
    drawing,
    filling,
    gathering,
    moved,
    normalising,
    pointwise,
    reducing,
    sorting_work,
)
from jumar.ops.traffic import bytes_of, size_b, total_b
from jumar.physics.work import Kind, Pattern, Vector, Work

Operands = list[Any]

_POINTWISE: dict[Cost, str] = {
    (1, 0): """
        Abs Ceil Floor Neg Reciprocal Relu Sign Square Trunc Add Greater Less Maximum Minimum Mul Sub IsFinite Invert
        LogicalNot LogicalAnd LogicalOr BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Equal NotEqual GreaterEqual
        LessEqual ClipByValue ClipByValueV2 Select Round ReluGrad ThresholdV2D ThresholdGradV2D IndexFillD HcclReduction
        DiagPart
    """,
    (2, 0): """
        Lerp AxpyV2 Addcmul NanToNum IsClose LeakyRelu LeakyReluGrad HardShrink HardShrinkGrad SoftShrink SoftShrinkGrad
        HardtanhGrad PRelu HardSigmoid HardSigmoidGrad SigmoidGrad TanhGrad MaskedFill MaskedFillRange MaskedScatter
        DropOutDoMask DropOutDoMaskV3 Tril Triu BNInfer BNInferGrad MseLossGrad
    """,
    (3, 0): "HardSwish HardSwishGrad PReluGrad FloorDiv FloorMod Mod L1LossGrad SmoothL1LossGradV2 SeluGrad",
    (5, 0): "Cross BNTrainingReduceGrad BN3DTrainingReduceGrad",
    (1, 1): """
        Atan Cos Cosh Erf Erfc Exp Expm1 Log Log1p Rsqrt Selu Sigmoid Sin Sinh Sqrt Tan Tanh Xlogy RealDiv Swish LogSigmoid
        SoftplusV2 Elu CeluV2 Addcdiv LpNormUpdateV2
    """,
    (2, 1): "Acos Acosh Asin Asinh Atanh Erfinv FastGelu SoftplusV2Grad EluGradV2 LogSigmoidGrad GLU",
    (3, 1): "SiluGrad SwishGrad",
    (4, 1): "Atan2 FastGeluGrad GLUGrad SoftMarginLossGrad BinaryCrossEntropyGrad",
    (2, 2): "Pow LogAddExp Mish",
    (6, 2): "MishGrad SigmoidCrossEntropyWithLogitsV2",
    (8, 1): "Gelu",
    (12, 2): "GeluGrad",
}
_REDUCING: dict[Cost, str] = {
    (1, 0): """
        ReduceSum ReduceMean ReduceMeanD ReduceMax ReduceMin ReduceProd ReduceAll ReduceAny TensorEqual BiasAddGrad
        AdaptiveAvgPool2d AvgPoolV2 PadV3Grad NonZero MaskedSelect
    """,
    (2, 0): """
        ArgMaxV2 ArgMin ArgMaxWithValue ArgMinWithValue Cumsum Cumprod Cummax Cummin Bincount Dot LpLoss MseLoss Histogram
        UniqueConsecutive
    """,
    (3, 0): "BNTrainingReduce BN3DTrainingReduce SmoothL1LossV2 LpNormReduceV2",
    (4, 0): "ReduceStdV2Update ReduceStdWithMean BNTrainingUpdateGrad BN3DTrainingUpdateGrad Renorm",
    (3, 1): "ReduceLogSumExp SoftMarginLoss BinaryCrossEntropy",
}
_NORMALISING: dict[Cost, str] = {
    (4, 0): "SoftmaxGrad",
    (3, 1): "LogSoftmaxGrad",
    (4, 1): "SoftmaxV2 LogSoftmaxV2",
    (4, 2): "MultinomialWithReplacement",
    (5, 0): "LayerNorm LayerNormV3 BNTrainingUpdate BN3DTrainingUpdate",
}
# Elements go elsewhere; of the first input as many as there are results.
_MOVED = """
    Cast Identity TransData Slice StridedSlice BroadcastTo Tile ReverseV2 Roll Pad PadV3 MirrorPad RepeatInterleave
    FillDiagonal ShuffleChannel AsStrided Diag UpsampleNearest3d ResizeNearestNeighborV2
"""
_JOINED = "ConcatD Pack"
_FILLED = "Fill ZerosLike OnesLike Eye Range RangeD LinSpace LogSpaceD OneHot OneHotD AdaptiveAvgPool2dGrad"
_STATUS = """
    NPUAllocFloatStatus NPUGetFloatStatus NPUGetFloatStatusV2 NPUGetFloatDebugStatus NPUClearFloatStatus
    NPUClearFloatStatusV2 NPUClearFloatDebugStatus
"""
_DRAWN: dict[float, str] = {
    0.0: "StatelessRandomUniformV2 StatelessBernoulli DropOutGenMaskV3",
    1.5: "StatelessRandomNormalV2",
}
_GATHERED = "GatherV2 GatherV2D Gather GatherElements Index"
# First the tensor that is changed into the output, then indices, then what goes there.
_SCATTERED = """
    InplaceIndexAdd ScatterElements ArgMaxGrad ScatterNdAdd ScatterNdUpdate ScatterUpdate Scatter IndexPutV2
"""
_SCALED: dict[float, str] = {8.0: "ResizeBilinearV2", 16.0: "UpsampleTrilinear3d"}


def listed(rule: Rule) -> Rule:
    """A rule of arguments, its results last, for the legacy path."""
    return lambda inputs, outputs, attributes: rule(inputs, outputs)


def written(rule: Rule) -> Rule:
    """The same for operators that read nothing to speak of."""
    return lambda inputs, outputs, attributes: rule(outputs)


def _each(text: str, rule: Rule) -> None:
    work_rule(*(f"aclop:{name}" for name in text.split()))(rule)


def _moved(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    taken = outputs[0].elements / max(1, inputs[0].elements)
    work = moved(Kind.COPY, inputs[:1], outputs[:1])
    return Work(Kind.COPY, (), (), work.read_b * min(1.0, taken), work.written_b, work.pattern, work.launches)


def _transposed(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    """Strided if the last dimension changes its place."""
    permutation = attributes.get("perm")
    last = permutation[-1] == len(permutation) - 1 if permutation else False
    same = inputs[0].sizes[-1:] == outputs[0].sizes[-1:] if not permutation else last
    pattern = Pattern.STREAMING if same else Pattern.STRIDED
    return moved(Kind.COPY, inputs[:1], outputs, pattern=pattern)


def _viewed(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    """A copy between strided views whose strides are values of tensors."""
    moved_b = float(min(inputs[4].elements, outputs[0].elements) * size_b(outputs[0]))
    return Work(Kind.COPY, read_b=moved_b, written_b=moved_b, pattern=Pattern.STRIDED)


def _scattered(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    """The whole tensor is copied, then values are put to their places."""
    values = max(inputs[1:], key=bytes_of)
    return Work(
        Kind.GATHER,
        (),
        (Vector("fp32", float(values.elements)),),
        total_b(inputs),
        bytes_of(outputs[0]) + bytes_of(values),
        Pattern.GATHER,
        2,
    )


def _ordered(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    axis = attributes.get("axis", attributes.get("dim", -1))
    kept = outputs[0].sizes[axis] if "largest" in attributes else None
    return sorting_work(inputs[:1], outputs, inputs[0].sizes[axis], kept)


def _all_ordered(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    found = [output for output in outputs if output is not None]
    return sorting_work(inputs[:1], found, inputs[0].elements)


def _searched(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    return moved(Kind.GATHER, inputs, outputs, 48.0 * outputs[0].elements, pattern=Pattern.GATHER)


def _nll(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    rows = float(inputs[1].elements)
    read_b = min(bytes_of(inputs[0]), 32.0 * rows) + total_b(inputs[1:])
    return Work(Kind.REDUCTION, (), (Vector("fp32", 2 * rows),), read_b, total_b(outputs), Pattern.GATHER)


def _nll_backward(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    return Work(Kind.COPY, (), (), total_b(inputs[1:]), total_b(outputs), launches=2)


def _embedded(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    """Gradients of rows, added up where they belong."""
    grad = inputs[0]
    vectors = (Vector("fp32", float(grad.elements)),)
    read_b, written_b = total_b(inputs) + bytes_of(grad), bytes_of(grad) + total_b(outputs)
    return Work(Kind.GATHER, (), vectors, read_b, written_b, Pattern.GATHER, 2)


def _mask(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    """One bit for each random number."""
    vectors = (Vector("fp32", 20.0 * 8 * outputs[0].elements),)
    return Work(Kind.RANDOM, (), vectors, 0.0, total_b(outputs))


def _distances(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    count = float(max(inputs[0].elements, outputs[0].elements))
    return moved(Kind.REDUCTION, inputs, outputs, 3.0 * count, count / max(1, inputs[0].sizes[-1]))


def _multiplied(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
    turned = bool(attributes.get("transpose_x1") or attributes.get("adj_x1"))
    k = inputs[0].sizes[-2] if turned else inputs[0].sizes[-1]
    extra = inputs[2:]
    bias = float(any(tensor is not None for tensor in extra))
    return product_work(inputs[0], inputs[1], outputs[0], extra, k=k, epilogue=bias)


def _convolved(source: int, transposed: bool = False, depthwise: bool = False) -> Rule:
    """`source`: the place of the input, before that of the filter."""

    def work(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
        self, weight = inputs[source : source + 2]
        bias = inputs[source + 2] if len(inputs) > source + 2 else None
        groups = self.sizes[1] if depthwise else attributes.get("groups", 1)
        if depthwise and weight.sizes[0] == 1:
            weight = Operand(weight.dtype, (weight.sizes[1], 1, *weight.sizes[2:]), weight.strides)
        return convolution_work(self, weight, bias, [], [], [], transposed, [], groups, outputs[0], 1)

    return work


def _convolution_gradient(of_input: bool) -> Rule:
    """Of the input (sizes, filter, gradient) or of the filter (input, sizes, gradient)."""

    def work(inputs: Operands, outputs: Operands, attributes: Attributes) -> Work:
        grad, out = inputs[2], outputs[0]
        self, weight = (out, inputs[1]) if of_input else (inputs[0], out)
        seen = patches(self, weight, grad, False, attributes.get("groups", 1), 1)
        products = seen.to_input() if of_input else seen.to_weight()
        other = inputs[1] if of_input else inputs[0]
        return Work(Kind.CONVOLUTION, products, seen.vectors(), total_b(grad, other), bytes_of(out))

    return work


for _cost, _names in _POINTWISE.items():
    _each(_names, listed(pointwise(*_cost)))
for _cost, _names in _REDUCING.items():
    _each(_names, listed(reducing(*_cost)))
for _cost, _names in _NORMALISING.items():
    _each(_names, listed(normalising(*_cost)))
for _share, _names in _DRAWN.items():
    _each(_names, written(drawing(_share)))
for _operations, _names in _SCALED.items():
    _each(_names, listed(pointwise(_operations)))
_each(_MOVED, _moved)
_each(_JOINED, listed(copying()))
_each(_FILLED + _STATUS, written(filling(1)))
_each(_GATHERED, listed(gathering()))
_each(_SCATTERED, _scattered)
_TABLE: dict[str, Callable[..., Work]] = {
    "Transpose ConfusionTransposeD": _transposed,
    "ViewCopy": _viewed,
    "TopKV2 Sort SortV2": _ordered,
    "UniqueWithCountsAndSorting UniqueWithCountsExt2 StatelessRandperm": _all_ordered,
    "SearchSorted": _searched,
    "NLLLoss": _nll,
    "NLLLossGrad": _nll_backward,
    "EmbeddingDenseGrad": _embedded,
    "StatelessDropOutGenMask": _mask,
    "Cdist Pdist CdistGrad": _distances,
    "Trace": lambda inputs, outputs, attributes: moved(Kind.REDUCTION, outputs, outputs, 1.0),
    "MatMul MatMulV2 BatchMatMul": _multiplied,
    "Conv2D Conv3D": _convolved(0),
    "Conv2DTranspose Conv3DTranspose": _convolved(1, transposed=True),
    "DepthwiseConv2D": _convolved(0, depthwise=True),
    "Conv2DBackpropInput Conv3DBackpropInput": _convolution_gradient(True),
    "Conv2DBackpropFilter Conv3DBackpropFilter": _convolution_gradient(False),
    "MatrixInverse": listed(decomposing(inverse, 1)),
    "LogMatrixDeterminant": listed(decomposing(lu, 1)),
    "Qr": listed(decomposing(qr, 1)),
}
for _names, _rule in _TABLE.items():
    _each(_names, _rule)
