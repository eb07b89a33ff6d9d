"""NVIDIA's management library, asked through pynvml."""

from __future__ import annotations

import torch

from idioms import DEVICES, idiom, raised


@idiom("`pynvml`: count, name, memory", "wookayin/gpustat/gpustat/core.py", (DEVICES, True, True, True))
def nvml() -> object:
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    name, memory = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetMemoryInfo(handle)
    count = pynvml.nvmlDeviceGetCount()
    pynvml.nvmlShutdown()
    return count, name == torch.cuda.get_device_name(0), memory.free <= memory.total, memory.used >= 0


@idiom("`pynvml`: utilisation, temperature, power", "wookayin/gpustat/gpustat/core.py", [True] * 5)
def nvml_sensors() -> object:
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(1)
    rates = pynvml.nvmlDeviceGetUtilizationRates(handle)
    temperature = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
    power_mw, limit_mw = (
        pynvml.nvmlDeviceGetPowerUsage(handle),
        pynvml.nvmlDeviceGetEnforcedPowerLimit(handle),
    )
    return [
        0 <= rates.gpu <= 100,
        0 <= rates.memory <= 100,
        10 < temperature < 110,
        power_mw > 1000,
        limit_mw > 50_000,
    ]


@idiom(
    "`pynvml`: driver, UUID, capability, bus",
    "vllm-project/vllm/vllm/platforms/cuda.py",
    (True, True, (8, 0), True),
)
def nvml_identity() -> object:
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    return (isinstance(pynvml.nvmlSystemGetDriverVersion(), str),
            pynvml.nvmlDeviceGetUUID(handle) == f"GPU-{torch.cuda.get_device_properties(0).uuid}",
            tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle)),
            pynvml.nvmlSystemGetCudaDriverVersion() >= 12000)  # fmt: skip


@idiom(
    "`pynvml.NVMLError`: a GPU that is not there, a call before `nvmlInit`",
    "deepfakes/faceswap#778",
    (True, True),
)
def nvml_errors() -> object:
    import pynvml

    pynvml.nvmlInit()
    wrong = raised(lambda: pynvml.nvmlDeviceGetHandleByIndex(99), pynvml.NVMLError)
    while raised(pynvml.nvmlShutdown, pynvml.NVMLError) == "nothing was raised":
        pass  # initialisations are counted
    early = raised(pynvml.nvmlDeviceGetCount, pynvml.NVMLError)
    return wrong == "Invalid Argument", early == "Uninitialized"


@idiom("`pynvml.nvmlDeviceGetComputeRunningProcesses(handle)`", "wookayin/gpustat#90", True)
def nvml_processes() -> object:
    import pynvml

    pynvml.nvmlInit()
    x = torch.ones(1, device="cuda")
    found = pynvml.nvmlDeviceGetComputeRunningProcesses(pynvml.nvmlDeviceGetHandleByIndex(0))
    return x.is_cuda and all(one.pid > 0 and one.usedGpuMemory >= 0 for one in found)
