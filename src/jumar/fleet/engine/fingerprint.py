"""A digest of values that depends on what they say alone: equal values give equal digests in every process."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np

PLAIN = (str, bytes, int, float, complex, bool, type(None))


def fingerprint(value: Any) -> str:
    """24 hexadecimal digits. TypeError for what has no value of its own, such as an open file."""
    digest = hashlib.sha256()
    for piece in _pieces(value):
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()[:24]


def _pieces(value: Any) -> Iterator[bytes]:
    yield type(value).__qualname__.encode()
    if isinstance(value, enum.Enum):
        yield value.name.encode()
    elif isinstance(value, PLAIN):
        yield repr(value).encode()
    elif isinstance(value, (np.ndarray, np.generic)):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in (one for one in dataclasses.fields(value) if one.compare):
            yield field.name.encode()
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from _sorted([(key, value[key]) for key in value])
    elif isinstance(value, Set):
        yield from _sorted(list(value))
    elif isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for one in value:
            yield from _pieces(one)
    elif hasattr(value, "isoformat"):  # dates and times
        yield value.isoformat().encode()
    elif hasattr(value, "__fspath__"):
        yield str(value).encode()
    else:
        raise TypeError(f"{type(value).__name__}: tasks share plain values, arrays and dataclasses only")


def _sorted(values: list[Any]) -> Iterator[bytes]:
    """Of a set or a mapping, whose order says nothing."""
    yield from sorted(fingerprint(one).encode() for one in values)
