"""NVIDIA's tools about the chips below: pynvml, and the commands nvidia-smi and nvcc; none of them loads torch."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jumar
from jumar import inventory

CHIP_MIB = 65536
NPU_SMI = """\
+------------------------------------------------------------------------------------------------+
| npu-smi 24.1.rc2                 Version: 24.1.rc2                                             |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B2               | OK            | 93.6        41                0    / 0             |
| 0                         | 0000:C1:00.0  | 7           0    / 0          3361 / 65536         |
+===========================+===============+====================================================+
| 1     910B2               | OK            | 91.2        39                0    / 0             |
| 0                         | 0000:C2:00.0  | 0           0    / 0          3350 / 65536         |
+===========================+===============+====================================================+
+---------------------------+---------------+----------------------------------------------------+
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| 0       0                 | 4711          | python                   | 120                     |
+===========================+===============+====================================================+
| No running processes found in NPU 1                                                            |
+===========================+===============+====================================================+
"""


@pytest.fixture(scope="module")
def held(face_for_module: None) -> Iterator[int]:
    """Bytes of the first chip that this process holds."""
    import torch

    x = torch.ones(64 << 20, device="cuda")
    torch.cuda.synchronize()
    yield torch.cuda.memory_reserved()
    del x


@pytest.fixture(scope="module")
def nvml(held: int) -> Iterator[Any]:
    found = importlib.import_module("pynvml")
    found.nvmlInit()
    yield found
    found.nvmlShutdown()


def test_names_and_identities(nvml: Any) -> None:
    assert nvml.nvmlDeviceGetCount() == 2
    first, second = (nvml.nvmlDeviceGetHandleByIndex(at) for at in range(2))
    assert nvml.nvmlDeviceGetName(first) == "NVIDIA A100-SXM4-80GB"
    assert nvml.nvmlDeviceGetHandleByUUID(nvml.nvmlDeviceGetUUID(second)) == second
    assert nvml.nvmlDeviceGetHandleByPciBusId(nvml.nvmlDeviceGetPciInfo(second).busId) == second
    assert nvml.nvmlDeviceGetUUID(first) != nvml.nvmlDeviceGetUUID(second)
    assert nvml.nvmlDeviceGetCudaComputeCapability(first) == (8, 0)
    assert nvml.nvmlSystemGetCudaDriverVersion() == 12080
    assert nvml.nvmlDeviceGetEnforcedPowerLimit(first) == 400_000
    assert nvml.nvmlDeviceGetMigMode(first) == [0, 0]


def test_the_same_identity_as_torch(nvml: Any) -> None:
    import torch

    first = nvml.nvmlDeviceGetHandleByIndex(0)
    assert nvml.nvmlDeviceGetUUID(first) == f"GPU-{torch.cuda.get_device_properties(0).uuid}"


def test_memory_and_processes_are_the_chip_s(nvml: Any, held: int) -> None:
    first = nvml.nvmlDeviceGetHandleByIndex(0)
    memory = nvml.nvmlDeviceGetMemoryInfo(first)
    assert memory.total == CHIP_MIB << 20
    assert memory.used >= held
    assert memory.free == memory.total - memory.used
    newer = nvml.nvmlDeviceGetMemoryInfo(first, version=nvml.nvmlMemory_v2)
    assert (newer.total, newer.reserved) == (memory.total, 0)
    assert str(memory).startswith("c_nvmlMemory_t(total: ")
    own = [one for one in nvml.nvmlDeviceGetComputeRunningProcesses(first) if one.pid == os.getpid()]
    assert own[0].usedGpuMemory >= held


def test_what_nobody_measures_is_idle_as_in_torch(nvml: Any) -> None:
    import torch

    first = nvml.nvmlDeviceGetHandleByIndex(0)
    assert nvml.nvmlDeviceGetUtilizationRates(first).gpu == torch.cuda.utilization() == 0
    assert nvml.nvmlDeviceGetTemperature(first, nvml.NVML_TEMPERATURE_GPU) == torch.cuda.temperature()
    assert nvml.nvmlDeviceGetPowerUsage(first) == torch.cuda.power_draw()
    assert nvml.nvmlDeviceGetClockInfo(first, nvml.NVML_CLOCK_SM) == torch.cuda.clock_rate()


def test_what_is_not_known_is_not_supported(nvml: Any) -> None:
    first = nvml.nvmlDeviceGetHandleByIndex(0)
    for ask in (nvml.nvmlDeviceGetFanSpeed, nvml.nvmlDeviceGetEccMode, nvml.nvmlDeviceGetNvLinkState):
        with pytest.raises(nvml.NVMLError_NotSupported, match="Not Supported"):
            ask(first)
    with pytest.raises(AttributeError):
        nvml.no_such_thing  # noqa: B018


def test_errors(nvml: Any) -> None:
    with pytest.raises(nvml.NVMLError_InvalidArgument) as caught:
        nvml.nvmlDeviceGetHandleByIndex(9)
    assert caught.value.value == nvml.NVML_ERROR_INVALID_ARGUMENT
    assert isinstance(nvml.NVMLError(nvml.NVML_ERROR_NOT_FOUND), nvml.NVMLError_NotFound)
    with pytest.raises(nvml.NVMLError_Uninitialized, match="Uninitialized"):
        for _ in range(100):  # as often as somebody has initialised it, torch among them
            nvml.nvmlShutdown()
    with pytest.raises(nvml.NVMLError_Uninitialized):
        nvml.nvmlDeviceGetCount()
    nvml.nvmlInit()


def command(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    module = {"nvidia-smi": "jumar.cli.nvidia_smi", "nvcc": "jumar.cli.nvcc"}[name]
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False, env=os.environ | variables
    )


def test_the_table(held: int) -> None:
    done = command("nvidia-smi")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert {len(line) for line in lines[1:] if line.startswith(("|", "+"))} == {91}
    assert any("NVIDIA A100-SXM4-80GB" in line for line in lines)
    assert f"{CHIP_MIB}MiB" in done.stdout
    assert f" {os.getpid()} " in done.stdout
    assert "CUDA Version: 12.8" in lines[2]


def test_queries(held: int) -> None:
    fields = "--query-gpu=index,name,memory.total,utilization.gpu,fan.speed"
    assert command("nvidia-smi", fields, "--format=csv").stdout.splitlines() == [
        "index, name, memory.total [MiB], utilization.gpu [%], fan.speed [%]",
        "0, NVIDIA A100-SXM4-80GB, 65536 MiB, 0 %, [N/A]",
        "1, NVIDIA A100-SXM4-80GB, 65536 MiB, 0 %, [N/A]",
    ]
    short = command("nvidia-smi", "-i", "1", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
    assert short.stdout == "65536\n"
    apps = command("nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader").stdout
    assert apps.startswith(f"{os.getpid()}, ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--query-gpu=speed", "--format=csv"], 2, 'Field "speed" is not a valid field to query.'),
        (["--query-gpu=name"], 2, "--format"),
        (["--nothing"], 2, "is not recognized"),
        (["-i", "9"], 6, "No devices were found"),
        (["-pm", "1"], 4, "Insufficient Permissions"),
        (["-L"], 0, "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-"),
        (["topo", "-m"], 0, "GPU1\tSYS\t X "),
        (["dmon", "-c", "1"], 0, "# gpu"),
        (["-q", "-d", "MEMORY"], 0, "65536 MiB"),
        (["--help"], 0, "--query-gpu="),
        (["--query-gpu=name", "--format=csv,noheader", "-lms", "1", "-c", "2", "-i", "0"], 0, "GB\nNVIDIA"),
    ],
    ids=str,
)  # fmt: skip
def test_options(arguments: list[str], code: int, said: str) -> None:
    done = command("nvidia-smi", *arguments)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout


def test_xml() -> None:
    root = ElementTree.fromstring(command("nvidia-smi", "-q", "-x").stdout.split("dtd\">")[1])
    assert [one.findtext("fb_memory_usage/total") for one in root.iter("gpu")] == ["65536 MiB"] * 2


def test_another_gpu_and_no_gpu() -> None:
    assert "NVIDIA H100" in command("nvidia-smi", "-L", JUMAR_AS="H100").stdout
    done = command("nvidia-smi", JUMAR_SERVER="", PATH="")
    assert done.returncode == 9
    assert "couldn't communicate with the NVIDIA driver" in done.stdout


def test_the_compiler_says_its_version_and_refuses(tmp_path: Path) -> None:
    assert "release 12.8" in command("nvcc", "--version").stdout
    source = tmp_path / "splat.cu"
    source.write_text("\n__global__ void splat(float* out) {}\n")
    done = command("nvcc", "-O3", "-o", "splat", str(source))
    assert done.returncode == 1
    assert f"{source}:2: __global__ splat(float* out)" in done.stderr
    assert "jumar port" in done.stderr
    assert "Could not open" in command("nvcc", "missing.cu").stderr


def test_real_chips_as_npu_smi_prints_them() -> None:
    first, second = inventory.of_npu_smi(NPU_SMI)
    assert first == inventory.Chip(
        0, "Ascend910B2", 65536 << 20, 3361 << 20, (inventory.Process(4711, 120 << 20, "python"),), 7, 41, 93.6
    )
    assert (second.index, second.processes) == (1, ())


def test_jumar_puts_the_commands_on_path(tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    start = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())", "run", "--out", "report"]
    for given in (["sh", "-c", "nvidia-smi -L; nvcc --version"], ["nvidia-smi", "-L"]):
        done = subprocess.run(
            [*start, *given], cwd=tmp_path, capture_output=True, text=True, check=False, env=variables
        )
        assert "GPU 0: NVIDIA A100" in done.stdout, done.stderr
    assert jumar.__version__
