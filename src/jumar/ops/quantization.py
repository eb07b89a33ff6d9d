"""Quantisation to 8 bits and products of quantised matrices; 4-bit and block formats are not here yet."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.products import product_work
from jumar.ops.registry import op
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import normalising, pointwise
from jumar.ops.traffic import cube_dtype
from jumar.physics.work import Work

aten: Any = torch.ops.aten
INT8_MAX = 127


def _store_rounded(out: Tensor, value: Tensor) -> None:
    """Rounds to the nearest, half to even, and saturates at the bounds of the output's integers."""
    if out.dtype.is_floating_point:
        store(out, value)
    else:
        limits = torch.iinfo(out.dtype)
        store(out, value.round().clamp(limits.min, limits.max))


def _only_8_bits(name: str, out: Tensor) -> None:
    if out.dtype is not torch.int8:
        raise NotImplementedError(f"{name}: {out.dtype} output has no arithmetic yet (ops/quantization.py)")


def _smoothed(self: Tensor, smooth: Tensor | None, groups: Tensor | None) -> Tensor:
    """Each group of rows, up to where `groups` says it ends, times its row of `smooth`."""
    value: Tensor = wide(self)
    if smooth is None:
        return value
    if groups is None:
        value = value * wide(smooth)
        return value
    rows = torch.arange(value.numel() // value.shape[-1])
    group = torch.searchsorted(groups.long(), rows, right=True).clamp(max=len(groups) - 1)
    value = (value.reshape(len(rows), -1) * wide(smooth)[group]).view(value.shape)
    return value


@op("aclnnDynamicQuant", work=normalising(4, outs=2))
def dynamic_quant(self: Tensor, smooth: Tensor | None, out: Tensor, scale: Tensor) -> None:
    """Every row by its own scale, which sends its largest magnitude to 127."""
    _dynamic(_smoothed(self, smooth, None), -1, out, scale)


def _dynamic(value: Tensor, dim: int, out: Tensor, scale: Tensor) -> None:
    _only_8_bits("aclnnDynamicQuant", out)
    step = value.abs().amax(dim, True) / INT8_MAX
    _store_rounded(out, value / step.clamp(min=torch.finfo(torch.float32).tiny))
    store(scale, step)


@op("aclnnDynamicQuantV2", work=normalising(5, outs=3))
def dynamic_quant_v2(
    self: Tensor,
    smooth: Tensor | None,
    groups: Tensor | None,
    dtype: int,
    out: Tensor,
    scale: Tensor,
    offset: Tensor | None,
) -> None:
    """With offsets a row's smallest value goes to -128 and its largest to 127."""
    value = _smoothed(self, smooth, groups)
    if offset is None or offset.numel() == 0:
        _dynamic(value, -1, out, scale)
        return
    _only_8_bits("aclnnDynamicQuantV2", out)
    low, high = value.amin(-1, True), value.amax(-1, True)
    step = (high - low).clamp(min=torch.finfo(torch.float32).tiny) / 255
    shift = INT8_MAX - high / step
    _store_rounded(out, value / step + shift)
    store_all((scale, offset), (step, shift))


@op("aclnnDynamicQuantV3", work=normalising(5, outs=3))
def dynamic_quant_v3(
    self: Tensor,
    smooth: Tensor | None,
    groups: Tensor | None,
    dtype: int,
    symmetric: bool,
    mode: str,
    out: Tensor,
    scale: Tensor,
    offset: Tensor | None,
) -> None:
    """Mode: a scale for each row ("pertoken"), each column ("perchannel"), or one ("pertensor")."""
    if mode == "pertoken":
        dynamic_quant_v2(self, smooth, groups, dtype, out, scale, None if symmetric else offset)
    elif mode == "perchannel":
        _dynamic(_smoothed(self, smooth, groups), -2, out, scale)
    else:
        _dynamic(_smoothed(self, smooth, groups).view(1, -1), -1, out.view(1, -1), scale)


@op("aclnnDynamicQuantV4", work=normalising(5, outs=3))
def dynamic_quant_v4(
    self: Tensor,
    smooth: Tensor | None,
    groups: Tensor | None,
    dtype: int,
    symmetric: bool,
    mode: str,
    largest: float,
    out: Tensor,
    scale: Tensor,
    offset: Tensor | None,
) -> None:
    dynamic_quant_v3(self, smooth, groups, dtype, symmetric, mode, out, scale, offset)


@op("aclnnAscendQuant", work=pointwise(3))
def quantize(
    self: Tensor,
    scale: Tensor,
    offset: Tensor | None,
    square: bool,
    round_mode: str,
    dtype: int,
    out: Tensor,
) -> None:
    """Times the scale, or its square, plus the offset."""
    quantize_v3(self, scale, offset, square, round_mode, dtype, -1, out)


_ROUNDING = {"floor": torch.floor, "ceil": torch.ceil, "trunc": torch.trunc}


@op("aclnnAscendQuantV3", work=pointwise(3))
def quantize_v3(
    self: Tensor,
    scale: Tensor,
    offset: Tensor | None,
    square: bool,
    round_mode: str,
    dtype: int,
    axis: int,
    out: Tensor,
) -> None:
    _only_8_bits("aclnnAscendQuant", out)
    factor = wide(scale)
    shape = _along(axis, self, factor)
    value = wide(self) * (factor.square() if square else factor).view(shape)
    if offset is not None:
        value = value + wide(offset).view(_along(axis, self, offset))
    _store_rounded(out, _ROUNDING.get(round_mode, torch.round)(value))


def _along(axis: int, self: Tensor, parameter: Tensor) -> list[int]:
    """The parameter's shape for broadcasting, if it is one number for each place on an axis."""
    if parameter.dim() != 1 or parameter.numel() == 1:
        return list(parameter.shape)
    return [-1 if dim == axis % self.dim() else 1 for dim in range(self.dim())]


@op("aclnnAscendAntiQuant", work=pointwise(2))
def dequantize(
    self: Tensor, scale: Tensor, offset: Tensor | None, dtype: int, square: bool, out: Tensor
) -> None:
    if self.dtype is not torch.int8:
        raise NotImplementedError(
            f"aclnnAscendAntiQuant: {self.dtype} has no arithmetic yet (ops/quantization.py)"
        )
    factor = wide(scale).square() if square else wide(scale)
    value = self.float() if offset is None else self.float() + wide(offset)
    store(out, value * factor)


@op("aclnnTransQuantParamV2", work=pointwise(2))
def pack_scale(scale: Tensor, offset: Tensor | None, out: Tensor) -> None:
    """The bits of each float32 scale in the low half of a 64-bit word; offsets, nine bits, from bit 37."""
    word = scale.float().contiguous().view(torch.int32).long() & 0xFFFFFFFF
    if offset is not None:
        word = word | ((offset.float().round().long() & 0x1FF) << 37)
    out.view(torch.int64).copy_((word | 1 << 46).view(out.shape))


def _scale(scale: Tensor) -> Tensor:
    """Scales as numbers, also from the words that `pack_scale` makes."""
    if scale.dtype not in (torch.int64, torch.uint64):
        plain: Tensor = wide(scale)
        return plain
    word = scale.view(torch.int64) & 0xFFFFFFFF
    return torch.where(word >= 1 << 31, word - (1 << 32), word).int().view(torch.float32)


def quant_matmul_work(self: Operand, weight: Operand, *rest: Any) -> Work:
    """An 8-bit or 4-bit product whose result is scaled by row and column; four bits come eight in an int32."""
    transposed, out = rest[7], rest[-1]
    packed = self.dtype == "int32"
    k = self.sizes[-2] if transposed else self.sizes[-1] * (8 if packed else 1)
    return product_work(self, weight, out, rest[:7], "int4" if packed else cube_dtype(self), k, epilogue=3.0)


@op("aclnnQuantMatmulV5", "aclnnQuantMatmulWeightNz", work=quant_matmul_work)
def quant_matmul(
    self: Tensor,
    weight: Tensor,
    self_scale: Tensor | None,
    weight_scale: Tensor | None,
    out_scale: Tensor | None,
    self_offset: Tensor | None,
    weight_offset: Tensor | None,
    out_offset: Tensor | None,
    bias: Tensor | None,
    transpose_self: bool,
    transpose_weight: bool,
    group_size: int,
    out: Tensor,
) -> None:
    """Exact in integers (float64 holds them), then scaled; an integer bias comes before the scales, others after."""
    if self.dtype is not torch.int8 or weight.dtype is not torch.int8:
        raise NotImplementedError(
            f"aclnnQuantMatmulV5: {self.dtype} by {weight.dtype} has no arithmetic yet (ops/quantization.py)"
        )
    left = (self.mT if transpose_self else self).double()
    right = (weight.mT if transpose_weight else weight).double()
    value = left @ right
    if bias is not None and bias.dtype is torch.int32:
        value, bias = value + bias, None
    value = value.float()
    if weight_scale is not None and out.dtype is not torch.int32:
        value = value * _scale(weight_scale)
    if self_scale is not None and self_scale.numel():
        value = value * wide(self_scale).reshape(-1, 1)
    if bias is not None:
        value = value + wide(bias)
    if weight_offset is not None and weight_offset.numel() and out.dtype is torch.int8:
        value = value + wide(weight_offset)
    _store_rounded(out, value)


def weight_quant_matmul_work(self: Operand, weight: Operand, *rest: Any) -> Work:
    """A product in the type of the activations; every weight is widened and scaled on its way to the matrix unit."""
    out = rest[-1]
    widened = 2.0 * self.sizes[-1] * out.sizes[-1]
    return product_work(self, weight, out, rest[:5], prologue=widened)


@op("aclnnWeightQuantBatchMatmulV2", work=weight_quant_matmul_work)
def weight_quant_matmul(
    self: Tensor,
    weight: Tensor,
    scale: Tensor,
    offset: Tensor | None,
    out_scale: Tensor | None,
    out_offset: Tensor | None,
    bias: Tensor | None,
    group_size: int,
    out: Tensor,
) -> None:
    """8-bit weights are widened first: (weight + offset) times scale, by column or by groups of rows."""
    if weight.dtype is not torch.int8:
        raise NotImplementedError(
            f"aclnnWeightQuantBatchMatmulV2: {weight.dtype} weights have no arithmetic yet (ops/quantization.py)"
        )
    factor, shift = _scale(scale), None if offset is None else wide(offset)
    if group_size > 0 and factor.dim() == 2 and factor.shape[0] > 1:
        rows = torch.arange(weight.shape[-2]) // group_size
        factor, shift = factor[rows], None if shift is None else shift[rows]
    value = weight.float() if shift is None else weight.float() + shift
    result = wide(self) @ (value * factor)
    result = result if bias is None else result + wide(bias)
    _store_rounded(out, result if out_scale is None else result * _scale(out_scale))
