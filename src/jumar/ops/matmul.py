"""Matrix products. The integer at or before the end of most entry points, the cube's precision, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.products import accumulating, multiplying, product_work, summing
from jumar.ops.registry import op, rows
from jumar.ops.results import same_dtype, store, wide
from jumar.ops.rules import pointwise, reducing
from jumar.ops.traffic import bytes_of, cube_dtype, total_b
from jumar.physics.work import Kind, Product, Work

# The vendor lists float32, float16 and bfloat16 (and 8-bit floats on newer chips) for the cube.
NOT_FOR_THE_CUBE = (
    torch.float64,
    torch.complex64,
    torch.complex128,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)


def _product(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(self: Tensor, other: Tensor, out: Tensor, cube_math_type: int) -> None:
        if same_dtype(out, self, other):
            function(self, other, out=out)
        else:
            store(out, function(wide(self), wide(other)))

    return run


def _batch_product(self: Tensor, other: Tensor, **out: Tensor) -> Tensor:
    if self.shape[0] == other.shape[0]:
        return torch.bmm(self, other, **out)
    return torch.matmul(self, other, **out)


rows(
    _product,
    {
        "aclnnMm": torch.mm,
        "aclnnMatmul": torch.matmul,
        "aclnnMatmulWeightNz": torch.matmul,
        "aclnnBatchMatMul": _batch_product,
        "aclnnBatchMatMulWeightNz": _batch_product,
        "aclnnMv": torch.mv,
    },
    refuses=NOT_FOR_THE_CUBE,
    work=lambda _: multiplying,
)


def _accumulate(
    function: Callable[..., Tensor], out: Tensor, tensors: tuple[Tensor, ...], scales: Any
) -> None:
    beta, alpha = scales
    if same_dtype(out, *tensors):
        function(*tensors, beta=beta, alpha=alpha, out=out)
    else:
        store(out, function(*(wide(tensor) for tensor in tensors), beta=beta, alpha=alpha))


def _accumulating(function: Callable[..., Tensor]) -> Callable[..., None]:
    def run(
        self: Tensor, one: Tensor, two: Tensor, beta: Any, alpha: Any, out: Tensor, cube_math_type: int
    ) -> None:
        _accumulate(function, out, (self, one, two), (beta, alpha))

    return run


rows(
    _accumulating,
    {
        "aclnnAddmm": torch.addmm,
        "aclnnAddmmWeightNz": torch.addmm,
        "aclnnBaddbmm": torch.baddbmm,
        "aclnnAddbmm": torch.addbmm,
    },
    refuses=NOT_FOR_THE_CUBE,
    work=lambda function: summing if function is torch.addbmm else accumulating,
)


def _addmm_in_place_work(
    self: Operand, one: Operand, two: Operand, beta: Any, alpha: Any, cube_math_type: int
) -> Work:
    return accumulating(self, one, two, beta, alpha, self, cube_math_type)


@op("aclnnInplaceAddmm", refuses=NOT_FOR_THE_CUBE, work=_addmm_in_place_work)
def addmm_(self: Tensor, one: Tensor, two: Tensor, beta: Any, alpha: Any, cube_math_type: int) -> None:
    _accumulate(torch.addmm, self, (self, one, two), (beta, alpha))


def _addmv_work(
    self: Operand, matrix: Operand, vector: Operand, alpha: Any, beta: Any, out: Operand, cube_math_type: int
) -> Work:
    return accumulating(self, matrix, vector, beta, alpha, out, cube_math_type)


@op("aclnnAddmv", work=_addmv_work)
def addmv(
    self: Tensor, matrix: Tensor, vector: Tensor, alpha: Any, beta: Any, out: Tensor, cube_math_type: int
) -> None:
    _accumulate(torch.addmv, out, (self, matrix, vector), (beta, alpha))


@op("aclnnAddr", work=pointwise(3))
def addr(self: Tensor, one: Tensor, two: Tensor, beta: Any, alpha: Any, out: Tensor) -> None:
    _accumulate(torch.addr, out, (self, one, two), (beta, alpha))


@op("aclnnInplaceAddr", work=pointwise(3, outs=0))
def addr_(self: Tensor, one: Tensor, two: Tensor, beta: Any, alpha: Any) -> None:
    _accumulate(torch.addr, self, (self, one, two), (beta, alpha))


@op("aclnnDot", work=reducing(2))
def dot(self: Tensor, other: Tensor, out: Tensor) -> None:
    torch.dot(self, other, out=out)


def _transpose_batch_matmul_work(self: Operand, weight: Operand, *rest: Any) -> Work:
    bias, scale, permute_self, permute_weight = rest[:4]
    batch, m, k = (self.sizes[dim] for dim in permute_self)
    product = Product(batch, m, weight.sizes[permute_weight[2]], k, cube_dtype(self, rest[5]))
    return Work(Kind.MATMUL, (product,), (), total_b(self, weight, bias, scale), bytes_of(rest[-1]))


@op(
    "aclnnTransposeBatchMatMul",
    "aclnnTransposeBatchMatMulWeightNz",
    refuses=NOT_FOR_THE_CUBE[:3],
    work=_transpose_batch_matmul_work,
)
def transpose_batch_matmul(
    self: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    scale: Tensor | None,
    permute_self: list[int],
    permute_weight: list[int],
    permute_out: list[int],
    cube_math_type: int,
    batch_split_factor: int,
    out: Tensor,
) -> None:
    """Product of (batch, m, k) and (batch, k, n) after the permutations, laid out as (m, batch, n)."""
    value = torch.bmm(wide(self).permute(permute_self), wide(weight).permute(permute_weight))
    if bias is not None:
        value = value + wide(bias)
    value = value.permute(permute_out)
    if batch_split_factor > 1:
        rows_, batch, columns = value.shape
        value = value.reshape(rows_, batch_split_factor, batch // batch_split_factor * columns).transpose(
            0, 1
        )
    if scale is not None:
        factor = scale.float().reshape(-1, scale.shape[-1])
        value = (value.reshape(value.shape[0], -1) * factor.reshape(1, -1)).round().clamp(-128, 127)
    store(out, value)


_EPILOGUES: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "": lambda value, other: value,
    "16cast32": lambda value, other: value,
    "relu": lambda value, other: torch.relu(value),
    "gelu_erf": lambda value, other: torch.nn.functional.gelu(value),
    "gelu_tanh": lambda value, other: torch.nn.functional.gelu(value, approximate="tanh"),
    "add": lambda value, other: value + wide(other),
    "mul": lambda value, other: value * wide(other),
}


def _fused_matmul_work(
    self: Operand,
    weight: Operand,
    bias: Operand | None,
    other: Operand | None,
    epilogue: str,
    cube_math_type: int,
    out: Operand,
) -> Work:
    dtype = cube_dtype(self, cube_math_type)
    operations = 8.0 if "gelu" in epilogue else 1.0
    return product_work(self, weight, out, (bias, other), dtype, epilogue=operations if epilogue else 0.0)


@op("aclnnFusedMatmul", refuses=NOT_FOR_THE_CUBE, work=_fused_matmul_work)
def fused_matmul(
    self: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    other: Tensor | None,
    epilogue: str,
    cube_math_type: int,
    out: Tensor,
) -> None:
    value = torch.matmul(wide(self), wide(weight))
    if bias is not None:
        value = value + wide(bias)
    store(out, _EPILOGUES[epilogue](value, other))
