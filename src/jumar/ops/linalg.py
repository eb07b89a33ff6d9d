"""Norms, distances and decompositions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from jumar.ops import linalg_work
from jumar.ops.linalg_work import decomposing
from jumar.ops.registry import legacy, op
from jumar.ops.results import store, store_all, wide
from jumar.ops.rules import pointwise, reducing

aten: Any = torch.ops.aten
QR_MODES = ("reduced", "complete", "r")


@op("aclnnLinalgVectorNorm", refuses=(torch.complex64, torch.complex128), work=reducing(2))
def vector_norm(
    self: Tensor, order: Any, dims: list[int] | None, keepdim: bool, dtype: torch.dtype, out: Tensor
) -> None:
    if out.dtype is dtype:
        torch.linalg.vector_norm(self, order, dims or None, keepdim, dtype=dtype, out=out)
    else:
        store(out, torch.linalg.vector_norm(self, order, dims or None, keepdim, dtype=dtype))


@op("aclnnLinalgCholesky", work=decomposing(linalg_work.cholesky, 1))
def cholesky(self: Tensor, upper: bool, out: Tensor) -> None:
    store(out, torch.linalg.cholesky(self, upper=upper))


@op("aclnnLinalgCross", work=pointwise(5))
def cross(self: Tensor, other: Tensor, dim: int, out: Tensor) -> None:
    store(out, torch.linalg.cross(self, other, dim=dim))


@op("aclnnLinalgQr", work=decomposing(linalg_work.qr, 2))
def qr(self: Tensor, mode: int, q: Tensor, r: Tensor) -> None:
    store_all((q, r), tuple(torch.linalg.qr(self, QR_MODES[mode])))


@op("aclnnInverse", work=decomposing(linalg_work.inverse, 1))
def inverse(self: Tensor, out: Tensor) -> None:
    store(out, torch.inverse(self))


@op("aclnnSlogdet", work=decomposing(linalg_work.lu, 2))
def slogdet(self: Tensor, sign: Tensor, log_determinant: Tensor) -> None:
    store_all((sign, log_determinant), tuple(torch.linalg.slogdet(self)))


@op("aclnnSvd", work=decomposing(linalg_work.svd, 3))
def svd(self: Tensor, full: bool, vectors: bool, values: Tensor, left: Tensor, right: Tensor) -> None:
    """The right vectors arrive transposed: the adapter hands in a view of its Vh."""
    u, s, vh = aten._linalg_svd(self, full, vectors)
    store(values, s)
    if vectors:
        store_all((left, right), (u, vh.mH))


@op("aclnnTriangularSolve", work=linalg_work.triangular_work)
def triangular_solve(
    self: Tensor,
    coefficients: Tensor,
    upper: bool,
    transpose: bool,
    unit_diagonal: bool,
    out: Tensor,
    copied_coefficients: Tensor,
) -> None:
    value, copied = aten.triangular_solve(self, coefficients, upper, transpose, unit_diagonal)
    store_all((out, copied_coefficients), (value, copied))


def _order(order: float) -> float:
    """The adapter writes -1 for the maximum norm in some places."""
    return float("inf") if order < 0 else order


@op("aclnnCdist", work=linalg_work.distances_work)
def cdist(one: Tensor, two: Tensor, order: float, mode: int, out: Tensor) -> None:
    """The program's choice of method does not get through to here; PyTorch's default takes its place."""
    store(out, torch.cdist(wide(one), wide(two), _order(order)))


@op("aclnnCdistBackward", work=linalg_work.distances_backward_work)
def cdist_backward(
    grad: Tensor, one: Tensor, two: Tensor, distances: Tensor, order: float, grad_one: Tensor
) -> None:
    tensors = (wide(tensor).contiguous() for tensor in (grad, one, two, distances))
    gradient, first, second, known = tensors
    store(grad_one, aten._cdist_backward(gradient, first, second, _order(order), known))


@legacy("CdistGrad")
def cdist_backward_legacy(inputs: list[Tensor], outputs: list[Tensor], attributes: dict[str, Any]) -> None:
    """Everything arrives expanded to (…, rows of one, rows of two, features)."""
    grad, one, two, distances = inputs
    cdist_backward(
        grad[..., 0], one[..., :, 0, :], two[..., 0, :, :], distances[..., 0], attributes["p"], outputs[0]
    )


@op("aclnnPdist", work=linalg_work.pairs_work)
def pdist(self: Tensor, order: float, out: Tensor) -> None:
    store(out, aten._pdist_forward(wide(self).contiguous(), order))
