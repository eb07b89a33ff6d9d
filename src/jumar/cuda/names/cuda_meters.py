"""What torch.cuda reads through NVML: all chips whatever is visible, and their load, heat, power and clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.cuda import account, face
from jumar.cuda.registry import adapts, changes
from jumar.cudamap import personas


@adapts("torch.cuda._raw_device_count_nvml")
def all_chips() -> int:
    """How many chips there are, visible or not; -1 if nobody knows, so that those visible are counted."""
    from jumar import inventory

    try:
        return len(inventory.chips())
    except inventory.NoChips:
        return -1


@adapts("torch.cuda._raw_device_uuid_nvml")
def identities() -> list[str] | None:
    count = all_chips()
    return None if count < 0 else [personas.identity(chip) for chip in range(count)]


@adapts("torch.cuda._get_pynvml_handler")
def pynvml_handler(device: Any = None) -> Any:
    import importlib

    import torch

    pynvml = importlib.import_module("pynvml")
    cuda: Any = torch.cuda
    cuda.pynvml = pynvml
    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetHandleByIndex(cuda._get_nvml_device_index(device))


def _persona() -> personas.Persona:
    return personas.find(face.options().persona)


# What is said of a chip that nobody measures: it is taken to be idle, at the clocks of the GPU it answers as.
UNMEASURED: dict[str, Callable[[], int]] = {
    "utilization": lambda: 0,
    "memory_usage": lambda: 0,
    "temperature": lambda: personas.idle().temperature_c,
    "power_draw": lambda: round(_persona().power_w * 1000 * personas.idle().power_share),
    "clock_rate": lambda: _persona().clock_mhz,
}


def _meter(name: str, unmeasured: Callable[[], int]) -> None:
    @changes(f"torch.cuda.{name}")
    def meter(original: Any) -> Callable[[Any], int]:
        def read(device: Any = None) -> int:
            import importlib

            unsupported = importlib.import_module("pynvml").NVMLError_NotSupported
            try:
                measured = int(original(device))
            except unsupported:
                account.note("adapted", f"torch.cuda.{name} of an idle chip")
                return unmeasured()
            account.note("redirected", f"torch.cuda.{name}")
            return measured

        read.__name__ = read.__qualname__ = name
        return read


for name, unmeasured in UNMEASURED.items():
    _meter(name, unmeasured)
