"""The GPU that the program believes in: its properties, its memory, and what follows from them."""

from __future__ import annotations

import pytest
import torch
import torch_npu  # noqa: F401  without the face, the chip is npu

import jumar
from jumar.cudamap import personas

ATTRIBUTES = [
    "name",
    "major",
    "minor",
    "multi_processor_count",
    "total_memory",
    "is_integrated",
    "is_multi_gpu_board",
    "warp_size",
    "gcnArchName",
    "uuid",
    "max_threads_per_multi_processor",
    "max_threads_per_block",
    "regs_per_multiprocessor",
    "shared_memory_per_block",
    "shared_memory_per_block_optin",
    "shared_memory_per_multiprocessor",
    "L2_cache_size",
    "clock_rate",
    "memory_clock_rate",
    "memory_bus_width",
    "pci_bus_id",
    "pci_device_id",
    "pci_domain_id",
]


@pytest.mark.usefixtures("face")
def test_text() -> None:
    text = repr(torch.cuda.get_device_properties("cuda:0"))
    assert text.startswith(
        "_CudaDeviceProperties(name='NVIDIA A100-SXM4-80GB', major=8, minor=0, total_memory=65536MB, "
        "multi_processor_count=108, uuid="
    )
    assert text.endswith(", pci_bus_id=7, pci_device_id=0, pci_domain_id=0, L2_cache_size=40MB)")


@pytest.mark.usefixtures("face")
def test_attributes() -> None:
    found = torch.cuda.get_device_properties(0)
    for name in ATTRIBUTES:
        assert getattr(found, name) is not None
    assert type(found).__name__ == "_CudaDeviceProperties"
    assert found.shared_memory_per_block_optin == 163 << 10
    with pytest.raises(AttributeError):
        found.name = "other"
    with pytest.raises(AttributeError, match="no attribute 'cube_core_num'"):
        found.cube_core_num  # noqa: B018
    assert torch.cuda.get_device_properties(0) is found
    assert torch.cuda.get_device_properties(1).uuid != found.uuid


@pytest.mark.usefixtures("face")
def test_memory_is_the_chips() -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    free, whole = torch.cuda.mem_get_info(0)
    assert total == whole == 64 << 30
    assert 0 < free <= whole
    assert torch.cuda.cudart().cudaMemGetInfo(0)[1] == whole


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize("device", [7, "cuda:7", torch.device("cpu"), "cpu"])
def test_devices_that_are_not_there(device: object) -> None:
    with pytest.raises((AssertionError, ValueError)):
        torch.cuda.get_device_properties(device)


@pytest.mark.parametrize("persona", [one.key for one in personas.all_personas()])
def test_personas(persona: str) -> None:
    with jumar.cuda(persona=persona.lower()):
        found = torch.cuda.get_device_properties(0)
        expected = personas.find(persona)
        assert torch.cuda.get_device_name() == found.name == expected.name
        assert torch.cuda.get_device_capability() == (found.major, found.minor) == expected.capability
        assert found.total_memory == 64 << 30
        assert torch.cuda.is_tf32_supported() is (expected.capability >= (8, 0))
        assert torch.cuda.is_bf16_supported(including_emulation=False) is (expected.capability >= (8, 0))
        assert f"sm_{found.major}{found.minor}" in torch.cuda.get_arch_list() or found.minor == 9


def test_limits_that_profilers_compute() -> None:
    with jumar.cuda(persona="H100"):
        limits = torch.cuda._device_limits.GPULimits(torch.device("cuda:0"))
        assert 900 < limits.get_tflops_per_second(torch.bfloat16) < 1100
        assert 3.2e12 < limits.get_memory_bandwidth_Bps() < 3.5e12
