"""What functions of NVIDIA's management library give back."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .constants import NVML_VALUE_NOT_AVAILABLE_uint


class _Printable:
    """Prints as the library's structures do."""

    def __str__(self) -> str:
        inside = ", ".join(f"{one.name}: {getattr(self, one.name)}" for one in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({inside})"


@dataclass
class c_nvmlMemory_t(_Printable):
    total: int
    free: int
    used: int


@dataclass
class c_nvmlMemory_v2_t(_Printable):
    version: int
    total: int
    reserved: int
    free: int
    used: int


@dataclass
class c_nvmlUtilization_t(_Printable):
    gpu: int
    memory: int


@dataclass
class nvmlPciInfo_t(_Printable):
    busIdLegacy: str
    domain: int
    bus: int
    device: int
    pciDeviceId: int
    pciSubSystemId: int
    busId: str


@dataclass
class c_nvmlProcessInfo_t(_Printable):
    pid: int
    usedGpuMemory: int | None
    gpuInstanceId: int = NVML_VALUE_NOT_AVAILABLE_uint
    computeInstanceId: int = NVML_VALUE_NOT_AVAILABLE_uint


class c_nvmlDevice_t:
    """A handle: which chip, asked anew each time."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, c_nvmlDevice_t) and self._index == other._index

    def __hash__(self) -> int:
        return hash(self._index)
