"""What ran on virtual chips while a profiler looked, on the virtual clock, as the core tells it."""

from __future__ import annotations

import ctypes
import json
import os
import time
from functools import cache
from pathlib import Path

CORE = "libjumar_core.so"
ALREADY_LOADED = os.RTLD_NOLOAD
NOBODY = 2**64 - 1


class Span(ctypes.Structure):
    """ProfileSpan of native/profile.h."""

    _fields_ = (
        *(
            (name, ctypes.c_uint64)
            for name in ("event", "start_ns", "end_ns", "issued_ns", "host_ns", "submitted_ns", "bytes")
        ),
        *((name, ctypes.c_uint32) for name in ("kind", "stream", "line", "module")),
        *((name, ctypes.c_uint8) for name in ("type", "chip", "phase", "exchange")),
        ("spare", ctypes.c_uint32),
    )


@cache
def _core() -> ctypes.CDLL | None:
    """The core of this process; None on a real Ascend."""
    try:
        core = ctypes.CDLL(CORE, mode=ALREADY_LOADED)
        core.jumar_profile_begin.restype = core.jumar_profile_end.restype = ctypes.c_uint64
        core.jumar_profile_end.argtypes = [ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64]
        core.jumar_trace_folder.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        return None
    return core


def known() -> bool:
    """Whether there is a virtual clock to ask: the server keeps a trace."""
    core = _core()
    return core is not None and bool(core.jumar_trace_wanted())


def begin() -> tuple[int, int]:
    """A number to end with, and the moment."""
    core = _core()
    return (int(core.jumar_profile_begin()) if core else NOBODY), time.monotonic_ns()


def end(place: int, since_ns: int) -> list[Span]:
    """What was called for since then, in the order of submission. Waits until all of it has a price."""
    core = _core()
    if core is None or place == NOBODY:
        return []
    count = int(core.jumar_profile_end(place, None, 0))
    held = (Span * max(count, 1))()
    core.jumar_profile_end(place, held, max(count, 1))
    return [span for span in held[:count] if span.host_ns >= since_ns]


def operators() -> dict[int, str]:
    """Operators by the number of their kind."""
    core = _core()
    path = Path((core.jumar_trace_folder() if core else b"").decode()) / f"kinds-{os.getpid()}.jsonl"
    try:
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        return {row["kind"]: row["operator"] for row in rows}
    except (OSError, ValueError, KeyError):
        return {}
