"""Exceptions that come from the adapter's C++, in the words that CUDA programs look for; the adapter's follow."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

from jumar.cuda import face, naming

# Out of memory as the adapter writes it. "allowed" is there only when the process may take a fraction of the memory.
EXHAUSTED = re.compile(
    r"NPU out of memory\. Tried to allocate (?P<size>[\d.]+ \w+) \(NPU (?P<device>\d+); "
    r"(?P<total>[\d.]+ \w+) total capacity; (?P<allocated>[\d.]+ \w+) already allocated; "
    r".*?(?P<free>[\d.]+ \w+) free; (?:(?P<allowed>[\d.]+ \w+) allowed; )?(?P<reserved>[\d.]+ \w+) reserved"
)
OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate {size}. GPU {device} has a total capacity of {total} of which {free} is "
    "free. {allowed}Including non-PyTorch memory, this process has {used} memory in use. Of the allocated memory "
    "{allocated} is allocated by PyTorch, and {idle} is reserved by PyTorch but unallocated. If reserved but "
    "unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  "
    "See documentation for Memory Management  "
    "(https://docs.pytorch.org/docs/stable/notes/cuda.html#optimizing-memory-usage-with-pytorch-alloc-conf)"
)
UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

# What went wrong on the chip, by its number: what CUDA says of the same, its name there and its number.
CODE = re.compile(r"error code(?: is|:) ?(\d+)")
ORDINAL = ("invalid device ordinal", "cudaErrorInvalidDevice", 101)
ASSERT = ("device-side assert triggered", "cudaErrorAssert", 710)
FAILURE = ("unspecified launch failure", "cudaErrorLaunchFailure", 719)
UNSUPPORTED = ("operation not supported", "cudaErrorNotSupported", 801)
FAULTS = {
    107001: ORDINAL, 107002: ("context is destroyed", "cudaErrorContextIsDestroyed", 709),
    200001: UNSUPPORTED, 207000: UNSUPPORTED,
    # What a wrong index is on the chip, whichever of its cores notices.
    507015: ASSERT, 507035: ASSERT, 507011: FAILURE, 507046: FAILURE, 507901: FAILURE,
}  # fmt: skip
HINT = "GPU device may be out of range, do you have enough GPUs?\n"
TEXT = """CUDA error: {what}
{hint}Search for `{name}' in https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html for more information.
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""
# An operator's own complaint, where the chip passes one on. CUDA complains of all but the index before the launch.
COMPLAINT = re.compile(r" failed in ops/\S+: (?P<type>\w+): (?P<text>.*)", re.DOTALL)
ASYNCHRONOUS = ("IndexError", "out of bounds", "out of range")

CHIPS = re.compile(r"tensors lie on chips (\d+) and (\d+)")
MIXED = "Expected NPU tensor, please check whether the input tensor device is correct"


def worded(kind: type, text: str) -> tuple[type, Any]:
    """The exception that takes the place of one from the adapter: its type, and its text or itself."""
    import torch

    if found := COMPLAINT.search(text):
        complaint = found["text"].splitlines()[0]
        if not any(mark in found.group() for mark in ASYNCHRONOUS):
            linear_algebra: Any = vars(torch.linalg)["LinAlgError"]
            linear = found["type"] == "_LinAlgError"
            return (linear_algebra if linear else kind), f"{complaint}\n{text}"
    if (number := CODE.search(text)) and int(number[1]) in FAULTS:
        return torch.AcceleratorError, fault(*FAULTS[int(number[1])], text)
    if EXHAUSTED.search(text):
        return kind, out_of_memory(text)
    if chips := CHIPS.search(text):
        found_at = "Expected all tensors to be on the same device, but found at least two devices, "
        return kind, f"{found_at}cuda:{chips[1]} and cuda:{chips[2]}!\n{text}"
    if MIXED in text:
        here = f"cuda:{torch.cuda.current_device()}"
        found_at = (
            f"Expected all tensors to be on the same device, but found at least two devices, {here} and cpu!"
        )
        return kind, f"{found_at}\n{text}"
    return kind, text.replace("a synchronizing NPU operation", "a synchronizing CUDA operation")


def fault(what: str, name: str, code: int, detail: str = "") -> Any:
    """The exception that PyTorch raises for an error of the CUDA run time."""
    import torch

    hint = HINT if code == ORDINAL[2] else ""
    error: Any = torch.AcceleratorError(TEXT.format(what=what, name=name, hint=hint) + detail)
    error.error_code = code
    return error


def out_of_memory(text: str) -> str:
    """The adapter's message as PyTorch writes it on CUDA; any other text as it is."""
    found = EXHAUSTED.search(text)
    if found is None:
        return text
    parts = {name: part or "" for name, part in found.groupdict().items()}
    used = _bytes(parts["total"]) - _bytes(parts["free"])
    idle = _bytes(parts["reserved"]) - _bytes(parts["allocated"])
    allowed = f"{parts['allowed']} allowed; " if parts["allowed"] else ""
    return OUT_OF_MEMORY.format(**parts | {"allowed": allowed}, used=_written(used), idle=_written(idle))


def _bytes(text: str) -> float:
    number, unit = text.split()
    return float(number) * UNITS[unit]


def _written(size: float) -> str:
    unit = next((name for name in ("GiB", "MiB", "KiB") if size >= UNITS[name]), "bytes")
    return f"{size / UNITS[unit]:.2f} {unit}" if unit != "bytes" else f"{max(size, 0):.0f} bytes"


def enter(options: face.Options) -> Callable[[], None]:
    """Errors are worded on their way from C++ into Python."""
    word = naming.library().jumar_face_word_errors
    word.argtypes, word.restype = [ctypes.c_void_p], None
    word(id(worded))
    return lambda: word(None)
