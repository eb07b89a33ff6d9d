"""Reads the record of an operator call as the native core hands on each new kind of call (see native/ring.h)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jumar.abi.generate import operator_names
from jumar.abi.operand import Argument, Operand

# The vendor's numbers of data types, as PyTorch spells them (native/dtype.h has their sizes).
DTYPES = {
    0: "float32",
    1: "float16",
    2: "int8",
    3: "int32",
    4: "uint8",
    6: "int16",
    7: "uint16",
    8: "uint32",
    9: "int64",
    10: "uint64",
    11: "float64",
    12: "bool",
    16: "complex64",
    17: "complex128",
    27: "bfloat16",
    33: "complex32",
    35: "float8_e5m2",
    36: "float8_e4m3fn",
    37: "float8_e8m0fnu",
}
FORMATS = {
    -1: "ND",
    0: "NCHW",
    1: "NHWC",
    2: "ND",
    3: "NC1HWC0",
    4: "FRACTAL_Z",
    12: "NC1HWC0_C04",
    16: "HWCN",
    27: "NDHWC",
    29: "FRACTAL_NZ",
    30: "NCDHW",
    32: "NDC1HWC0",
    33: "FRACTAL_Z_3D",
}
PLAIN = 2  # ND: what a tensor has where no format is told
OPERATOR = 1  # kind of record; all others are legacy ones
COLLECTIVE = "Hccl"


@dataclass(frozen=True)
class Call:
    """A kind of call. `arguments` of a legacy operator: inputs, outputs, attributes by name.

    A collective is named "Hccl" and has the attributes exchange, bytes and ranks.
    """

    number: int
    name: str
    arguments: list[Any]


def decode(data: bytes) -> Call:
    """The kind that an announcement names: KindHead, record, formats."""
    number, formats, size, _ = struct.unpack_from("<IIII", data)
    record = data[16 : 16 + size]
    listed = struct.unpack_from(f"<{formats}i", data, 16 + (size + 7 & ~7))
    kind, op = struct.unpack_from("<HH", record, 4)
    reader = _Reader(record, 8, [FORMATS.get(each, str(each)) for each in listed])
    if kind == OPERATOR:
        arguments: list[Any] = []
        while reader.more():
            arguments.append(reader.argument())
        return Call(number, operator_names()[op], arguments)
    name, inputs, outputs = reader.argument(), reader.argument(), reader.argument()
    attributes = {}
    while reader.more():
        key = reader.argument()
        attributes[key] = reader.argument()
    return Call(number, name if name == COLLECTIVE else f"aclop:{name}", [inputs, outputs, attributes])


class _Reader:
    """Takes one argument after the other."""

    def __init__(self, data: bytes, at: int, formats: list[str]) -> None:
        self._data, self._at, self._formats = data, at, iter(formats)

    def more(self) -> bool:
        return self._at < len(self._data)

    def argument(self) -> Any:
        tag, count = self._take("<II")
        return READERS[tag](self, count)

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form) + 7 & ~7
        return values

    def tensor(self, rank: int) -> Operand:
        dtype, _, _ = self._take("<IIQ")
        sizes, strides = self._take(f"<{rank}q"), self._take(f"<{rank}q")
        return Operand(DTYPES[dtype], sizes, strides, next(self._formats, "ND"))

    def host_tensor(self, rank: int) -> Operand:
        (dtype,) = self._take("<q")
        sizes = self._take(f"<{rank}q")
        (size,) = self._take("<q")
        self._take(f"<{size}s")
        return Operand(DTYPES[dtype], sizes, _dense(sizes))

    def one(self, form: str) -> Any:
        return self._take(form)[0]

    def many(self, form: str, count: int) -> list[Any]:
        return list(self._take(f"<{count}{form}"))

    def items(self, count: int) -> list[Any]:
        return [self.argument() for _ in range(count)]


def _dense(sizes: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(sizes):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


# By tag, see Tag in native/ring.h.
READERS: dict[int, Callable[[_Reader, int], Any]] = {
    0: lambda reader, count: None,
    1: _Reader.tensor,
    2: _Reader.items,
    3: lambda reader, count: reader.one("<q"),
    4: lambda reader, count: reader.one("<d"),
    5: lambda reader, count: reader.one("<q") != 0,
    6: lambda reader, count: complex(*reader._take("<dd")),
    7: lambda reader, count: reader.one(f"<{count}s").decode(errors="replace"),
    8: lambda reader, count: DTYPES.get(number := reader.one("<q"), str(number)),
    9: lambda reader, count: reader.many("q", count),
    10: lambda reader, count: [value != 0 for value in reader.many("B", count)],
    11: lambda reader, count: reader.many("f", count),
    12: _Reader.items,
    13: _Reader.host_tensor,
}


def plain(argument: Argument | list[Any] | dict[str, Any]) -> Any:
    """The argument as JSON takes it."""
    if isinstance(argument, Operand):
        return {
            "dtype": argument.dtype,
            "sizes": list(argument.sizes),
            "strides": list(argument.strides),
            "format": argument.format,
        }
    if isinstance(argument, complex):
        return {"real": argument.real, "imaginary": argument.imag}
    if isinstance(argument, list):
        return [plain(each) for each in argument]
    if isinstance(argument, dict):
        return {name: plain(each) for name, each in argument.items()}
    return argument
