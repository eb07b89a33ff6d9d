"""Exceptions that come from the adapter's C++, in the words that CUDA programs look for; the adapter's are a note."""

from __future__ import annotations

import ctypes
import opcode
import re
import sys
from collections.abc import Callable
from types import FrameType
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
COMPLAINT = re.compile(r" failed in ops/\S+: (?P<type>\w+): (?P<text>.*)")
ASYNCHRONOUS = ("IndexError", "out of bounds", "out of range")
# Tensors in different places. The adapter does not always say which; the words of PyTorch on CUDA do.
ELSEWHERE = "Expected NPU tensor, please check whether the input tensor device is correct"
TWO_CHIPS = re.compile(r"tensors lie on chips (\d+) and (\d+)")
TWO_PLACES = "Expected all tensors to be on the same device, but found at least two devices, {} and {}!"
INDEX_ELSEWHERE = "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
WEIGHT_ELSEWHERE = re.compile(
    r"but got weight is on (\S+), different from other tensors on (\S+) .*_convolution"
)
CONVOLUTION = "Input type (torch.{}FloatTensor) and weight type (torch.{}FloatTensor) should be the same"
MKLDNN = " or input should be a MKLDNN tensor and weight is a dense tensor"
# A collective that cannot be done: in which communicator, and why.
COLLECTIVE = re.compile(r"rank \d+ of \d+ of communicator .*")
ADAPTERS_END = re.compile(r"\n\[ERROR\] \d{4}-.*", re.DOTALL)
INDEXING = opcode.opmap.get("BINARY_SUBSCR")


def worded(kind: type, text: str) -> tuple[type, Any]:
    """The exception that takes the place of one from the adapter: its type and itself, the adapter's text as a note."""
    made = _in_words_of_cuda(kind, text, sys._getframe(1))
    made.add_note(f"From the chip: {text}")
    return type(made), made


def _in_words_of_cuda(kind: Any, text: str, caller: FrameType) -> Any:
    if (found := COMPLAINT.search(text)) and not any(mark in found.group() for mark in ASYNCHRONOUS):
        return (linear_algebra_error() if found["type"] == "_LinAlgError" else kind)(found["text"])
    if found := COLLECTIVE.search(text):
        return collective_error()(f"NCCL error: {found.group()}")
    if found := TWO_CHIPS.search(text):
        return kind(TWO_PLACES.format(*(f"cuda:{chip}" for chip in found.groups())))
    if ELSEWHERE in text:
        return kind(INDEX_ELSEWHERE if _is_indexing(caller) else TWO_PLACES.format(_here(), "cpu"))
    if found := WEIGHT_ELSEWHERE.search(text):
        weight, others = ("cuda." if place.startswith("cuda") else "" for place in found.groups())
        return kind(CONVOLUTION.format(others, weight) + ("" if others else MKLDNN))
    if (number := CODE.search(text)) and int(number[1]) in FAULTS:
        return fault(*FAULTS[int(number[1])])
    plain = ADAPTERS_END.sub("", out_of_memory(text))
    return kind(
        plain.replace("wrapper_NPU_", "wrapper_CUDA_").replace("ing NPU operation", "ing CUDA operation")
    )


def _is_indexing(caller: FrameType) -> bool:
    """Whether the program was at `x[…]`: the adapter says the same of it as of any operator."""
    return caller.f_code.co_code[caller.f_lasti] == INDEXING


def _here() -> str:
    import torch

    return f"cuda:{torch.cuda.current_device()}"


def linear_algebra_error() -> Any:
    import torch

    return vars(torch.linalg)["LinAlgError"]


def collective_error() -> Any:
    import torch.distributed

    return torch.distributed.DistBackendError


def fault(what: str, name: str, code: int) -> Any:
    """The exception that PyTorch raises for an error of the CUDA run time."""
    import torch

    error: Any = torch.AcceleratorError(
        TEXT.format(what=what, name=name, hint=HINT if code == ORDINAL[2] else "")
    )
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
