"""A work as plain values, for JSON: what a stored run keeps, so that it can be priced again without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumar.physics.work import DTYPE_CODE, Kind, Pattern, Product, Vector, Work


class BadWork(ValueError):
    """A written work that cannot be read: the message says what is wrong with it."""


def written(work: Work) -> dict[str, Any]:
    """The work as JSON takes it; parts that are empty or usual are left out."""
    plain: dict[str, Any] = {"kind": str(work.kind)}
    if work.products:
        plain["products"] = [[p.batch, p.m, p.n, p.k, p.dtype, p.count] for p in work.products]
    if work.vectors:
        plain["vectors"] = [[v.dtype, v.operations, v.transcendentals] for v in work.vectors]
    plain |= {"read_b": work.read_b, "written_b": work.written_b}
    if work.pattern is not Pattern.STREAMING:
        plain["pattern"] = str(work.pattern)
    if work.launches != 1:
        plain["launches"] = work.launches
    return plain


def read(plain: Mapping[str, Any]) -> Work:
    """The work that was written so. BadWork if it was not."""
    try:
        work = Work(
            kind=Kind(plain["kind"]),
            products=tuple(Product(*row) for row in plain.get("products", ())),
            vectors=tuple(Vector(*row) for row in plain.get("vectors", ())),
            read_b=float(plain["read_b"]),
            written_b=float(plain["written_b"]),
            pattern=Pattern(plain.get("pattern", Pattern.STREAMING)),
            launches=int(plain.get("launches", 1)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadWork(f"not a work: {type(error).__name__} {error}") from error
    numbers = [work.read_b, work.written_b, *(p.operations for p in work.products)]
    numbers += [number for v in work.vectors for number in (v.operations, v.transcendentals)]
    if not all(0 <= number < float("inf") for number in numbers):
        raise BadWork("not a work: a number that is negative or not finite")
    dtypes = {product.dtype for product in work.products} | {vector.dtype for vector in work.vectors}
    if unknown := dtypes - DTYPE_CODE.keys():
        raise BadWork(f"not a work: unknown type {min(unknown)}")
    return work
