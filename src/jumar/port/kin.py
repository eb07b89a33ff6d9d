"""CUDA and its kin as words in a text, and the lines that may have one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from jumar.port.document import Document

_WORDS = "cuda|cudnn|cublas|nccl|nvidia|nvcc|nvml|nsys|nvrtc|nvlink|nvshmem|tensorrt|dcgm"
KIN = re.compile(
    rf"(?i:(?:(?<![a-z])|(?<=\blib)|(?<=py)|(?<=\bno)|(?<=to)|(?<=has))(?:{_WORDS})|\bcu1[1-3]\d?\b)"
    r"|(?<=[a-z])(?:Cuda|CUDA|Nccl|NCCL|Nvidia|NVIDIA|Cudnn|CuDNN|TensorRT)"
)
"""CUDA and what comes with it, as a word or part of a name, but not as part of a barracuda."""

NO_WORDS = re.compile(
    r"https?://\S+|[\w.+-]+@[\w.-]+|(?i:copyright[^\r\n]*|all rights reserved[^\r\n]*)"
    r"|(?<![\w/.])(?i:nv-community|nvidia)/[\w.-]+"
)
"""Addresses, owners and names of models, which tie to nothing."""
_PARTS = (*_WORDS.split("|"), "cu11", "cu12", "cu13")


def all_said(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Where words of CUDA or its kin stand that are more than part of an address or an owner's name."""
    plain = NO_WORDS.sub(lambda match: " " * len(match[0]), text[start:end])
    for match in KIN.finditer(plain):
        yield start + match.start(), start + match.end()


def said(text: str, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
    """The first of them."""
    return next(all_said(text, start, end), None)


def lines(document: Document) -> frozenset[int]:
    """The lines on which KIN may find something: a search for plain parts of words, which is much faster."""
    text = document.text.lower()
    if len(text) != len(document.text):  # one letter became two: no place is where it was
        return frozenset(range(1, len(document.starts) + 1))
    found = set()
    for part in _PARTS:
        at = text.find(part)
        while at >= 0:
            line = bisect_right(document.starts, at)
            found.add(line)
            at = text.find(part, document.starts[line]) if line < len(document.starts) else -1
    return frozenset(found)


def is_on(document: Document, first: int, last: int) -> bool:
    """Whether one of the lines from `first` to `last` may have one."""
    there = document.once(lines)
    return first in there if first == last else any(line in there for line in range(first, last + 1))
