"""Errors of NVIDIA's management library: a class for each code, with its text."""

# ruff: noqa: F403, F405 - the names are those of constants.py and errors.py

from __future__ import annotations

from . import constants
from .constants import *

_TEXTS = {
    NVML_ERROR_UNINITIALIZED: "Uninitialized",
    NVML_ERROR_INVALID_ARGUMENT: "Invalid Argument",
    NVML_ERROR_NOT_SUPPORTED: "Not Supported",
    NVML_ERROR_NO_PERMISSION: "Insufficient Permissions",
    NVML_ERROR_ALREADY_INITIALIZED: "Already Initialized",
    NVML_ERROR_NOT_FOUND: "Not Found",
    NVML_ERROR_INSUFFICIENT_SIZE: "Insufficient Size",
    NVML_ERROR_INSUFFICIENT_POWER: "Insufficient External Power",
    NVML_ERROR_DRIVER_NOT_LOADED: "Driver Not Loaded",
    NVML_ERROR_TIMEOUT: "Timeout",
    NVML_ERROR_IRQ_ISSUE: "Interrupt Request Issue",
    NVML_ERROR_LIBRARY_NOT_FOUND: "NVML Shared Library Not Found",
    NVML_ERROR_FUNCTION_NOT_FOUND: "Function Not Found",
    NVML_ERROR_CORRUPTED_INFOROM: "Corrupted infoROM",
    NVML_ERROR_GPU_IS_LOST: "GPU is lost",
    NVML_ERROR_RESET_REQUIRED: "GPU requires restart",
    NVML_ERROR_OPERATING_SYSTEM: "The operating system has blocked the request.",
    NVML_ERROR_LIB_RM_VERSION_MISMATCH: "RM has detected an NVML/RM version mismatch.",
    NVML_ERROR_MEMORY: "Insufficient Memory",
    NVML_ERROR_UNKNOWN: "Unknown Error",
}


class NVMLError(Exception):
    """`NVMLError(code)` is an instance of the class of that code, such as NVMLError_NotSupported."""

    __module__ = "pynvml"
    value: int

    def __new__(cls, value: int) -> NVMLError:
        self = super().__new__(_CLASSES.get(value, cls) if cls is NVMLError else cls)
        self.value = value
        return self

    def __str__(self) -> str:
        return _TEXTS.get(self.value, f"NVML Error with code {self.value}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NVMLError) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


_CLASSES: dict[int, type[NVMLError]] = {}


def _classes() -> None:
    """NVML_ERROR_NOT_SUPPORTED has the class NVMLError_NotSupported, and so on."""
    for name, code in list(vars(constants).items()):
        if name.startswith("NVML_ERROR_"):
            short = "NVMLError_" + "".join(
                word.capitalize() for word in name[len("NVML_ERROR_") :].split("_")
            )

            def make(cls: type[NVMLError], code: int = code) -> NVMLError:
                return NVMLError.__new__(cls, code)

            _CLASSES[code] = globals()[short] = type(
                short,
                (NVMLError,),
                {"__new__": make, "__init__": lambda self, *none: None, "__module__": NVMLError.__module__},
            )


_classes()
