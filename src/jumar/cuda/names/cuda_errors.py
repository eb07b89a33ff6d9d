"""Exceptions that come from the adapter's C++, in the words that CUDA programs look for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jumar.cuda import face

# As the adapter writes it. The middle part is there only when the process may take a fraction of the memory.
ADAPTERS = re.compile(
    r"NPU out of memory\. Tried to allocate (?P<size>[\d.]+ \w+) \(NPU (?P<device>\d+); "
    r"(?P<total>[\d.]+ \w+) total capacity; (?P<allocated>[\d.]+ \w+) already allocated; "
    r".*?(?P<free>[\d.]+ \w+) free; (?:(?P<allowed>[\d.]+ \w+) allowed; )?(?P<reserved>[\d.]+ \w+) reserved"
)
CUDAS = (
    "CUDA out of memory. Tried to allocate {size}. GPU {device} has a total capacity of {total} of which {free} is "
    "free. {allowed}Including non-PyTorch memory, this process has {used} memory in use. Of the allocated memory "
    "{allocated} is allocated by PyTorch, and {idle} is reserved by PyTorch but unallocated. If reserved but "
    "unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  "
    "See documentation for Memory Management  "
    "(https://docs.pytorch.org/docs/stable/notes/cuda.html#optimizing-memory-usage-with-pytorch-alloc-conf)"
)
UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def out_of_memory(text: str) -> str:
    """The adapter's message as PyTorch writes it on CUDA; any other text as it is."""
    found = ADAPTERS.search(text)
    if found is None:
        return text
    parts = {name: part or "" for name, part in found.groupdict().items()}
    used = _bytes(parts["total"]) - _bytes(parts["free"])
    idle = _bytes(parts["reserved"]) - _bytes(parts["allocated"])
    allowed = f"{parts.pop('allowed')} allowed; " if parts["allowed"] else parts.pop("allowed")
    return CUDAS.format(**parts, allowed=allowed, used=_written(used), idle=_written(idle))


def _bytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * UNITS[unit]


def _written(size: float) -> str:
    unit = next((name for name in ("GiB", "MiB", "KiB") if size >= UNITS[name]), "bytes")
    return f"{size / UNITS[unit]:.2f} {unit}" if unit != "bytes" else f"{max(size, 0):.0f} bytes"


def enter(options: face.Options) -> Callable[[], None]:
    """The class is PyTorch's own and stays it; it only learns to read what the adapter says."""
    import torch

    kind: Any = torch.OutOfMemoryError

    def begin(self: Any, *arguments: Any) -> None:
        RuntimeError.__init__(self, *arguments)
        if arguments and isinstance(arguments[0], str):
            self.args = (out_of_memory(arguments[0]), *arguments[1:])

    kind.__init__ = begin
    return lambda: delattr(kind, "__init__")
