"""Scatter: writing, adding or reducing elements at the places an index tensor names."""

from __future__ import annotations

from torch import Tensor

from jumar.abi.operand import Operand
from jumar.ops.bounds import bounded, like, long, start
from jumar.ops.registry import op
from jumar.ops.rules import scattering
from jumar.ops.traffic import total_b
from jumar.physics.work import Kind, Pattern, Work

Scalar = int | float | bool | complex

# Numbers that the adapter passes for the kind of reduction (names are those of Tensor.scatter_reduce_).
_SCATTER = {1: "add", 2: "multiply"}
_REDUCE = {1: "sum", 2: "prod", 3: "amax", 4: "amin", 5: "mean"}


@op("aclnnInplaceScatter", "aclnnInplaceScatterValue", work=scattering())
@bounded
def inplace_scatter(self: Tensor, dim: int, index: Tensor, source: Tensor | Scalar, reduction: int) -> None:
    values = like(source, self) if isinstance(source, Tensor) else source
    if reduction:
        self.scatter_(dim, long(index), values, reduce=_SCATTER[reduction])
    else:
        self.scatter_(dim, long(index), values)


@op("aclnnScatter", "aclnnScatterValue", work=scattering(outs=1))
def scatter(
    self: Tensor, dim: int, index: Tensor, source: Tensor | Scalar, reduction: int, out: Tensor
) -> None:
    inplace_scatter(start(out, self), dim, index, source, reduction)


@op("aclnnScatterAdd", work=scattering(reads_target=True, outs=1))
@bounded
def scatter_add(self: Tensor, dim: int, index: Tensor, source: Tensor, out: Tensor) -> None:
    start(out, self).scatter_add_(dim, long(index), like(source, out))


@op("aclnnInplaceScatterReduce", work=scattering(reads_target=True))
@bounded
def inplace_scatter_reduce(
    self: Tensor, dim: int, index: Tensor, source: Tensor, reduction: int, include_self: bool
) -> None:
    if reduction:
        self.scatter_reduce_(
            dim, long(index), like(source, self), _REDUCE[reduction], include_self=include_self
        )
    else:
        self.scatter_(dim, long(index), like(source, self))


@op("aclnnScatterReduce", work=scattering(reads_target=True, outs=1))
def scatter_reduce(
    self: Tensor, dim: int, index: Tensor, source: Tensor, reduction: int, include_self: bool, out: Tensor
) -> None:
    inplace_scatter_reduce(start(out, self), dim, index, source, reduction, include_self)


@op("aclnnScatterNdUpdate", work=scattering(1, 2))
@bounded
def scatter_nd_update(self: Tensor, indices: Tensor, updates: Tensor) -> None:
    """The last dimension of `indices` names a place in the leading dimensions of `self`."""
    places: list[Tensor | None] = [places.reshape(-1) for places in long(indices).unbind(-1)]
    rest = self.shape[len(places) :]
    self.index_put_(places, like(updates, self).reshape(-1, *rest))


def _row(length: int, begin: int, count: int) -> slice:
    """A run of `count` elements along an axis; beyond its end is an error, not a shorter run."""
    begin += length if begin < 0 else 0
    if begin < 0 or begin + count > length:
        raise IndexError(
            f"scatter update of {count} elements at {begin} is out of range for {length} elements"
        )
    return slice(begin, begin + count)


@op("aclnnInplaceScatterUpdate", work=scattering(1, 2))
def inplace_scatter_update(self: Tensor, indices: Tensor, updates: Tensor, axis: int) -> None:
    """Batch i gets its updates along `axis` from element indices[i] on, as a key-value cache does."""
    axis %= self.dim()
    places = indices.reshape(len(indices), -1).tolist()  # either one place, or (batch, place)
    for position, place in enumerate(places):
        batch = int(place[0]) if len(place) == 2 else position
        update = updates[position]
        if not -len(self) <= batch < len(self):
            raise IndexError(f"scatter update: batch {batch} is out of range for {len(self)}")
        piece = self[batch]
        run = _row(piece.shape[axis - 1], int(place[-1]), update.shape[axis - 1])
        piece.narrow(axis - 1, run.start, update.shape[axis - 1]).copy_(update)


def _list_work(
    selves: list[Operand], indices: Operand, updates: Operand, mask: Operand | None, reduce: str, axis: int
) -> Work:
    read_b = total_b(indices, updates, mask)
    return Work(Kind.GATHER, (), (), read_b, total_b(updates), Pattern.GATHER)


@op("aclnnScatterList", work=_list_work)
def scatter_list(
    selves: list[Tensor], indices: Tensor, updates: Tensor, mask: Tensor | None, reduce: str, axis: int
) -> None:
    """Tensor i of the list gets updates[i] along `axis` from indices[i] on (or in the run [begin, count])."""
    places = indices.reshape(len(indices), -1).tolist()
    wanted = mask.tolist() if mask is not None else [True] * len(selves)
    for self, place, update, chosen in zip(selves, places, updates, wanted, strict=True):
        if not chosen:
            continue
        dim = axis - updates.dim() if axis >= 0 else axis
        count = int(place[1]) if len(place) == 2 else update.shape[dim]
        run = _row(self.shape[dim], int(place[0]), count)
        self.narrow(dim, run.start, count).copy_(update.narrow(dim, 0, count))
