"""Legacy path: reductions, running sums, norms of vectors, softmax."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from jumar.ops.legacy import Attributes, Inputs, Meaning, numbers, writes
from jumar.ops.registry import legacy

aten = torch.ops.aten

# From here on the adapter means infinity: it passes the largest int for it.
_LARGEST = 2.0**31


def _keep(a: Attributes) -> bool:
    return bool(a.get("keep_dims", a.get("keepdim", False)))


def _over(x: Inputs) -> list[int] | None:
    """The dimensions in the second input; an empty list means all of them."""
    return numbers(x[1]) or None


def _product(x: Inputs, a: Attributes) -> Tensor:
    result: Tensor = x[0]
    for dim in sorted((dim % max(1, result.dim()) for dim in numbers(x[1])), reverse=True):
        result = result.prod(dim, keepdim=_keep(a))
    return result


def _all(x: Inputs, a: Attributes) -> Tensor:
    dims = _over(x)
    return torch.all(x[0], dims, keepdim=_keep(a)) if dims else torch.all(x[0])


def _any(x: Inputs, a: Attributes) -> Tensor:
    dims = _over(x)
    return torch.any(x[0], dims, keepdim=_keep(a)) if dims else torch.any(x[0])


def _extremum(function: Any) -> Meaning:
    def meaning(x: Inputs, a: Attributes) -> tuple[Tensor, Tensor]:
        values, places = function(x[0], a["dimension"], keepdim=a["keep_dims"])
        return places, values

    return meaning


def _power_sum(x: Inputs, a: Attributes) -> Tensor:
    """The first half of a norm: the sum of powers, or the extremum that an infinite norm is."""
    size: Tensor = x[0].abs()
    p, axes, keep = a["p"], a["axes"] or None, a["keepdim"]
    if abs(p) >= _LARGEST or math.isinf(p):
        return (torch.amax if p > 0 else torch.amin)(size, axes or list(range(size.dim())), keepdim=keep)
    if p == 0:
        return (size != 0).to(size.dtype).sum(axes, keepdim=keep)
    return size.pow(p).sum(axes, keepdim=keep)


def _power_root(x: Inputs, a: Attributes) -> Tensor:
    result: Tensor = x[0]
    p = a["p"]
    return result if p == 0 or abs(p) >= _LARGEST or math.isinf(p) else result.pow(1.0 / p)


def _spread(x: Inputs, a: Attributes) -> Tensor:
    correction = a.get("correction", int(a.get("unbiased", True)))
    dims = a["dim"] or None
    if a.get("if_std"):
        return torch.std(x[0], dims, correction=correction, keepdim=a["keepdim"])
    return torch.var(x[0], dims, correction=correction, keepdim=a["keepdim"])


def _deviation(x: Inputs, a: Attributes) -> Tensor:
    if a.get("invert"):
        return torch.rsqrt(
            torch.var(x[0].float(), a["dim"], correction=0, keepdim=a["keepdim"]) + a["epsilon"]
        )
    return _spread(x, {**a, "if_std": True})


_REDUCTIONS: dict[str, Meaning] = {
    "ReduceSum": lambda x, a: torch.sum(x[0], _over(x), keepdim=_keep(a)),
    "ReduceMean": lambda x, a: torch.mean(x[0], _over(x), keepdim=_keep(a)),
    "ReduceMeanD": lambda x, a: torch.mean(x[0], a["axes"] or None, keepdim=_keep(a)),
    "ReduceMax": lambda x, a: torch.amax(x[0], _over(x) or [], keepdim=_keep(a)),
    "ReduceMin": lambda x, a: torch.amin(x[0], _over(x) or [], keepdim=_keep(a)),
    "ReduceProd": _product,
    "ReduceAll": _all,
    "ReduceAny": _any,
    "ReduceLogSumExp": lambda x, a: torch.logsumexp(
        x[0], _over(x) or list(range(x[0].dim())), keepdim=_keep(a)
    ),
    "ReduceStdV2Update": _spread,
    "ReduceStdWithMean": _deviation,
    "ArgMaxV2": lambda x, a: torch.argmax(x[0], numbers(x[1])[0], keepdim=_keep(a)),
    "ArgMin": lambda x, a: torch.argmin(x[0], numbers(x[1])[0], keepdim=_keep(a)),
    "ArgMaxWithValue": _extremum(torch.max),
    "ArgMinWithValue": _extremum(torch.min),
    "LpNormReduceV2": _power_sum,
    "LpNormUpdateV2": _power_root,
    "Cumsum": lambda x, a: torch.cumsum(x[0], numbers(x[1])[0]),
    "Cumprod": lambda x, a: torch.cumprod(x[0], numbers(x[1])[0]),
    "Cummax": lambda x, a: tuple(torch.cummax(x[0], a["dim"])),
    "Cummin": lambda x, a: tuple(torch.cummin(x[0], a["axis"])),
    "Histogram": lambda x, a: torch.histc(x[0].float(), a["bins"], a["min"], a["max"]),
    "Bincount": lambda x, a: torch.bincount(
        x[0], x[2] if x[2] is not None and x[2].numel() else None, numbers(x[1])[0]
    ),
    "Trace": lambda x, a: torch.trace(x[0]),
    "Diag": lambda x, a: torch.diag(x[0], a["diagonal"]),
    "DiagPart": lambda x, a: torch.diag(x[0], a["diagonal"]),
    "Cdist": lambda x, a: torch.linalg.vector_norm(x[0] - x[1], a["p"], dim=-1),
    "Pdist": lambda x, a: torch.pdist(x[0], a["p"]),
    "SoftmaxV2": lambda x, a: torch.softmax(x[0], a["axes"][0]),
    "SoftmaxGrad": lambda x, a: aten._softmax_backward_data(x[1], x[0], a["axes"][0], x[0].dtype),
    "LogSoftmaxV2": lambda x, a: torch.log_softmax(x[0], a["axes"][0]),
    "LogSoftmaxGrad": lambda x, a: aten._log_softmax_backward_data(x[0], x[1], a["axis"][0], x[1].dtype),
}

for _type, _meaning in _REDUCTIONS.items():
    legacy(_type)(writes(_meaning))


@legacy("Renorm")
def renorm(inputs: Inputs, outputs: list[Any], attributes: Attributes) -> None:
    """Only the factors, which the adapter then multiplies with; embedding_renorm wants them in full size."""
    self, p, dim, limit = inputs[0], attributes["p"], attributes["dim"], attributes["maxnorm"]
    others = [other for other in range(self.dim()) if other != dim % self.dim()]
    norms = torch.linalg.vector_norm(self, p, others, keepdim=True)
    factors = torch.where(norms > limit, limit / (norms + 1e-7), torch.ones_like(norms))
    outputs[0].copy_(factors.expand(outputs[0].shape))
