"""NVIDIA's management library from Python (nvidia-ml-py): the chips of this machine, without torch.

A chip that nobody measures is idle. What is not known at all raises NVMLError_NotSupported, as on GPUs that lack the
sensor; so does every function of the library that is not here.
"""

# ruff: noqa: F403, F405 - the names are those of constants.py and errors.py

from __future__ import annotations

import functools as _functools
import os as _os
from collections.abc import Callable as _Callable
from typing import Any as _Any

from jumar.cuda import account as _account
from jumar.cuda import driver as _driver
from jumar.cudamap import personas as _personas

from .constants import *
from .errors import *
from .errors import NVMLError
from .structures import (
    c_nvmlDevice_t,
    c_nvmlMemory_t,
    c_nvmlMemory_v2_t,
    c_nvmlProcessInfo_t,
    c_nvmlUtilization_t,
    nvmlPciInfo_t,
)

_initialized = 0


def _gpus() -> list[_driver.Gpu]:
    if not _initialized:
        raise NVMLError(NVML_ERROR_UNINITIALIZED)
    try:
        return _driver.gpus()
    except _driver.NoChips as error:
        raise NVMLError(NVML_ERROR_DRIVER_NOT_LOADED) from error


def _gpu(handle: _Any) -> _driver.Gpu:
    found = _gpus()
    if not isinstance(handle, c_nvmlDevice_t) or not 0 <= handle._index < len(found):
        raise NVMLError(NVML_ERROR_INVALID_ARGUMENT)
    return found[handle._index]


def nvmlInit() -> None:
    nvmlInitWithFlags(0)


def nvmlInitWithFlags(flags: int) -> None:
    global _initialized
    _initialized += 1
    try:
        _gpus()
    except NVMLError:
        _initialized -= 1
        if not flags & NVML_INIT_FLAG_NO_GPUS:
            raise
        _initialized += 1


def nvmlShutdown() -> None:
    global _initialized
    if not _initialized:
        raise NVMLError(NVML_ERROR_UNINITIALIZED)
    _initialized -= 1


def nvmlErrorString(result: int) -> str:
    return "Success" if result == NVML_SUCCESS else str(NVMLError(result))


def nvmlSystemGetDriverVersion() -> str:
    _gpus()
    return _personas.toolkit().driver


def nvmlSystemGetNVMLVersion() -> str:
    _gpus()
    return f"12.{_personas.toolkit().driver}"


def nvmlSystemGetCudaDriverVersion() -> int:
    """12080 for CUDA 12.8."""
    _gpus()
    major, minor = _personas.toolkit().cuda.split(".")[:2]
    return int(major) * 1000 + int(minor) * 10


nvmlSystemGetCudaDriverVersion_v2 = nvmlSystemGetCudaDriverVersion


def nvmlSystemGetProcessName(pid: int) -> str:
    from jumar.inventory import process_name

    _gpus()
    name = process_name(pid)
    if not _os.path.exists(f"/proc/{pid}"):  # noqa: PTH110
        raise NVMLError(NVML_ERROR_NOT_FOUND)
    return name


def nvmlDeviceGetCount() -> int:
    return len(_gpus())


nvmlDeviceGetCount_v2 = nvmlDeviceGetCount


def nvmlDeviceGetHandleByIndex(index: int) -> c_nvmlDevice_t:
    if not isinstance(index, int) or not 0 <= index < len(_gpus()):
        raise NVMLError(NVML_ERROR_INVALID_ARGUMENT)
    return c_nvmlDevice_t(index)


nvmlDeviceGetHandleByIndex_v2 = nvmlDeviceGetHandleByIndex


def _handle(name: str | bytes) -> c_nvmlDevice_t:
    text = name.decode() if isinstance(name, bytes) else str(name)
    for one in _gpus():
        if not text.isdigit() and one.is_named(text):
            return c_nvmlDevice_t(one.index)
    raise NVMLError(NVML_ERROR_NOT_FOUND)


def nvmlDeviceGetHandleByUUID(uuid: str | bytes) -> c_nvmlDevice_t:
    return _handle(uuid)


def nvmlDeviceGetHandleByPciBusId(pciBusId: str | bytes) -> c_nvmlDevice_t:
    return _handle(pciBusId)


nvmlDeviceGetHandleByPciBusId_v2 = nvmlDeviceGetHandleByPciBusId


def nvmlDeviceGetIndex(handle: _Any) -> int:
    return _gpu(handle).index


def nvmlDeviceGetMinorNumber(handle: _Any) -> int:
    return _gpu(handle).index


def nvmlDeviceGetName(handle: _Any) -> str:
    return _gpu(handle).name


def nvmlDeviceGetUUID(handle: _Any) -> str:
    return _gpu(handle).uuid


def nvmlDeviceGetSerial(handle: _Any) -> str:
    return _gpu(handle).serial


def nvmlDeviceGetBrand(handle: _Any) -> int:
    name = _gpu(handle).name
    if "GeForce" in name:
        return NVML_BRAND_GEFORCE
    return NVML_BRAND_TESLA if name.startswith("Tesla") else NVML_BRAND_NVIDIA


def nvmlDeviceGetArchitecture(handle: _Any) -> int:
    major, minor = _gpu(handle).persona.capability
    by_capability = {
        (7, 0): NVML_DEVICE_ARCH_VOLTA,
        (7, 5): NVML_DEVICE_ARCH_TURING,
        (8, 9): NVML_DEVICE_ARCH_ADA,
        (9, 0): NVML_DEVICE_ARCH_HOPPER,
    }
    return by_capability.get(
        (major, minor), NVML_DEVICE_ARCH_AMPERE if major == 8 else NVML_DEVICE_ARCH_BLACKWELL
    )


def nvmlDeviceGetCudaComputeCapability(handle: _Any) -> tuple[int, int]:
    return _gpu(handle).persona.capability


def nvmlDeviceGetNumGpuCores(handle: _Any) -> int:
    one = _gpu(handle).persona
    return one.sm_count * (64 if one.capability in ((7, 0), (7, 5), (8, 0)) else 128)


def nvmlDeviceGetMemoryBusWidth(handle: _Any) -> int:
    return _gpu(handle).persona.memory_bus_bits


def nvmlDeviceGetPciInfo(handle: _Any) -> nvmlPciInfo_t:
    one = _gpu(handle)
    domain, bus, device = _personas.pci_address(one.index)
    return nvmlPciInfo_t(one.bus_id[4:], domain, bus, device, 0, 0, one.bus_id)


nvmlDeviceGetPciInfo_v3 = nvmlDeviceGetPciInfo


def nvmlDeviceGetMemoryInfo(handle: _Any, version: _Any = None) -> _Any:
    """In bytes. With a version, the kind that also says what the driver keeps, which is nothing here."""
    one = _gpu(handle)
    total, used = one.chip.memory_bytes, one.chip.used_bytes
    if version is None:
        return c_nvmlMemory_t(total, one.free_bytes, used)
    return c_nvmlMemory_v2_t(int(version), total, 0, one.free_bytes, used)


def nvmlDeviceGetBAR1MemoryInfo(handle: _Any) -> _Any:
    _gpu(handle)
    raise NVMLError(NVML_ERROR_NOT_SUPPORTED)


def nvmlDeviceGetUtilizationRates(handle: _Any) -> c_nvmlUtilization_t:
    """In percent. The chip's memory interface has no figure of its own here."""
    return c_nvmlUtilization_t(_gpu(handle).utilization_percent, 0)


def nvmlDeviceGetTemperature(handle: _Any, sensor: int = NVML_TEMPERATURE_GPU) -> int:
    if sensor != NVML_TEMPERATURE_GPU:
        raise NVMLError(NVML_ERROR_INVALID_ARGUMENT)
    return _gpu(handle).temperature_c


def nvmlDeviceGetPowerUsage(handle: _Any) -> int:
    """In milliwatts."""
    return round(_gpu(handle).power_w * 1000)


def nvmlDeviceGetEnforcedPowerLimit(handle: _Any) -> int:
    """In milliwatts."""
    return _gpu(handle).persona.power_w * 1000


nvmlDeviceGetPowerManagementLimit = nvmlDeviceGetEnforcedPowerLimit
nvmlDeviceGetPowerManagementDefaultLimit = nvmlDeviceGetEnforcedPowerLimit


def nvmlDeviceGetPowerManagementMode(handle: _Any) -> int:
    _gpu(handle)
    return NVML_FEATURE_ENABLED


def nvmlDeviceGetMaxClockInfo(handle: _Any, clock: int) -> int:
    """In MHz."""
    one = _gpu(handle).persona
    if clock not in range(4):
        raise NVMLError(NVML_ERROR_INVALID_ARGUMENT)
    return one.memory_clock_mhz if clock == NVML_CLOCK_MEM else one.clock_mhz


def nvmlDeviceGetClockInfo(handle: _Any, clock: int) -> int:
    """In MHz, at present."""
    full = nvmlDeviceGetMaxClockInfo(handle, clock)
    return full if clock == NVML_CLOCK_MEM else _gpu(handle).clock_mhz


nvmlDeviceGetApplicationsClock = nvmlDeviceGetMaxClockInfo


def nvmlDeviceGetComputeRunningProcesses(handle: _Any) -> list[c_nvmlProcessInfo_t]:
    return [c_nvmlProcessInfo_t(one.pid, one.used_bytes) for one in _gpu(handle).chip.processes]


nvmlDeviceGetComputeRunningProcesses_v2 = nvmlDeviceGetComputeRunningProcesses
nvmlDeviceGetComputeRunningProcesses_v3 = nvmlDeviceGetComputeRunningProcesses


def nvmlDeviceGetGraphicsRunningProcesses(handle: _Any) -> list[c_nvmlProcessInfo_t]:
    _gpu(handle)
    return []


nvmlDeviceGetMPSComputeRunningProcesses = nvmlDeviceGetGraphicsRunningProcesses


def nvmlDeviceGetMigMode(handle: _Any) -> list[int]:
    """Now and after the next start."""
    _gpu(handle)
    return [NVML_DEVICE_MIG_DISABLE, NVML_DEVICE_MIG_DISABLE]


def nvmlDeviceIsMigDeviceHandle(handle: _Any) -> int:
    _gpu(handle)
    return 0


def nvmlDeviceGetMaxMigDeviceCount(handle: _Any) -> int:
    _gpu(handle)
    return 0


def nvmlDeviceGetComputeMode(handle: _Any) -> int:
    _gpu(handle)
    return NVML_COMPUTEMODE_DEFAULT


def nvmlDeviceGetPersistenceMode(handle: _Any) -> int:
    _gpu(handle)
    return NVML_FEATURE_ENABLED


def nvmlDeviceGetDisplayActive(handle: _Any) -> int:
    _gpu(handle)
    return NVML_FEATURE_DISABLED


nvmlDeviceGetDisplayMode = nvmlDeviceGetDisplayActive


def nvmlDeviceGetPerformanceState(handle: _Any) -> int:
    _gpu(handle)
    return NVML_PSTATE_0


nvmlDeviceGetPowerState = nvmlDeviceGetPerformanceState


def nvmlDeviceGetTopologyCommonAncestor(first: _Any, second: _Any) -> int:
    return NVML_TOPOLOGY_INTERNAL if _gpu(first).index == _gpu(second).index else NVML_TOPOLOGY_SYSTEM


def nvmlDeviceGetP2PStatus(first: _Any, second: _Any, index: int) -> int:
    """Chips of one server reach each other's memory, but not over NVLink."""
    _gpu(first), _gpu(second)
    return NVML_P2P_STATUS_NOT_SUPPORTED if index == NVML_P2P_CAPS_INDEX_NVLINK else NVML_P2P_STATUS_OK


def nvmlDeviceGetCpuAffinity(handle: _Any, cpuSetSize: int) -> list[int]:
    """Words of 64 processors each: any may be used."""
    _gpu(handle)
    words = [0] * cpuSetSize
    for cpu in _os.sched_getaffinity(0):
        if cpu // 64 < cpuSetSize:
            words[cpu // 64] |= 1 << cpu % 64
    return words


def nvmlDeviceSetCpuAffinity(handle: _Any) -> None:
    _gpu(handle)
    _account.note("ignored", "pynvml.nvmlDeviceSetCpuAffinity")


_PREFIXES = (
    "nvmlDevice",
    "nvmlSystem",
    "nvmlUnit",
    "nvmlVgpu",
    "nvmlGpuInstance",
    "nvmlComputeInstance",
    "nvmlEventSet",
)


def __getattr__(name: str) -> _Callable[..., _Any]:
    """Functions of the library that nothing here can answer."""
    if not name.startswith(_PREFIXES):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    @_functools.wraps(nvmlInit)
    def refuse(*arguments: _Any, **keywords: _Any) -> _Any:
        _account.note("refused", f"pynvml.{name}")
        _gpus()
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)

    refuse.__name__ = refuse.__qualname__ = name
    return refuse
