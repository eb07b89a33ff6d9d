"""Finds jumar's libraries, which bear the vendor's names, and loads them before the adapter asks for them.

The dynamic loader takes a library that is already loaded under the wanted SONAME before it searches any path.
So once these are loaded, what the wheel links and what it opens by bare name is ours, on any search path.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import jumar

CORE = "libjumar_core.so"
REMEDY = (
    "run `pip install .` in jumar's source directory; it needs a C++ compiler (Debian: apt-get install g++)"
)


def directory() -> Path | None:
    """Where the libraries lie; None if the native core is not installed."""
    for root in jumar.__path__:
        if (Path(root) / "lib" / CORE).is_file():
            return Path(root) / "lib"
    return None


def with_vendor_names() -> list[Path]:
    """The thin libraries: libascendcl.so and its like."""
    found = directory()
    return (
        sorted(path for path in found.glob("lib*.so") if not path.name.startswith("libjumar_"))
        if found
        else []
    )


def load_core() -> ctypes.CDLL:
    """The core itself, for calls from Python. ImportError with the remedy if it does not load."""
    found = directory()
    if found is None:
        raise ImportError(f"jumar's native core is not installed: {REMEDY}", name="jumar")
    try:
        return ctypes.CDLL(str(found / CORE), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ImportError(f"jumar's native core does not load ({error}): {REMEDY}", name="jumar") from error


def preload() -> None:
    """Loads the core, then every library with a vendor's name, all visible to what is loaded later."""
    load_core()
    for path in with_vendor_names():
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
