"""The chip goes by the name of CUDA: the face's native part, which PyTorch asks when it names or parses a device.

Because PyTorch itself then says cuda, every way to name a device works, in Python, C++ and TorchScript alike, and
costs what it costs on CUDA. Packages that know the chip by its own name go on seeing that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jumar

LIBRARY = "libjumar_face.so"
FIRST = ctypes.PYFUNCTYPE(None)


@cache
def library() -> ctypes.PyDLL:
    """The native part. ImportError with the remedy if it is not installed."""
    for root in jumar.__path__:
        if (path := Path(root) / "lib" / LIBRARY).is_file():
            loaded = ctypes.PyDLL(str(path))
            loaded.jumar_face_enter.argtypes = [ctypes.c_char_p, FIRST]
            loaded.jumar_face_enter.restype = ctypes.c_char_p
            loaded.jumar_face_parsed.restype = ctypes.c_uint64
            return loaded
    raise ImportError(
        "jumar's native part is not installed: run `pip install .` in its source directory", name="jumar"
    )


_first = FIRST()  # kept alive while the native part may call it


def enter(own_face: tuple[str, ...], first: Callable[[], object]) -> None:
    """The chip is called cuda from now on, except by the packages of `own_face`.

    `first` is called when the program first names a device cuda.
    """
    global _first
    import torch

    _first = FIRST(first)
    if missing := library().jumar_face_enter(" ".join(own_face).encode(), _first):
        raise RuntimeError(
            f"torch {torch.__version__} has no {missing.decode()}: the CUDA face fits torch 2.13.0"
        )


def leave() -> None:
    library().jumar_face_leave()


def parsed() -> int:
    """How often a program has named a device "cuda" in this process."""
    return int(library().jumar_face_parsed())
