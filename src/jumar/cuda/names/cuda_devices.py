"""Chips as CUDA devices: how many, which is current, what they are; and when the first use begins."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NoReturn

from jumar.cuda import environment, face
from jumar.cuda.names import cuda_errors
from jumar.cuda.registry import adapts, changes, resolve
from jumar.cudamap import personas

_in_use = False  # whether this process, or the one it was forked from, uses chips
_was_forked = False
_count = 0


def _forked() -> bool:
    """Whether this process was forked from one that uses chips."""
    return _was_forked


adapts("torch._C._cuda_isInBadFork", adds=True)(_forked)
changes("torch.cuda._is_in_bad_fork")(lambda original: _forked)


@changes("torch._C._cuda_getDeviceCount", adds=True)
def _device_count(original: Any) -> Callable[[], int]:
    import torch_npu

    def count() -> int:
        if not _in_use:
            environment.translate(os.environ, ascending=not _keeps_order())
        return int(torch_npu._C._npu_getDeviceCount())

    return count


def _keeps_order() -> bool:
    """Virtual chips come in the order asked for; a real run time wants them ascending."""
    from jumar.environment import SERVER

    return bool(os.environ.get(SERVER))


@changes("torch._C._cuda_init", adds=True)
def _init(original: Any) -> Callable[[], None]:
    import torch
    import torch_npu

    def init() -> None:
        global _in_use, _count
        environment.translate(os.environ, ascending=not _keeps_order())
        if torch_npu._C._npu_getDeviceCount() == 0:
            raise RuntimeError("No CUDA GPUs are available")
        torch_npu.npu._lazy_init()
        _in_use = True
        _count = torch_npu._C._npu_getDeviceCount()
        torch_npu.npu._cached_device_count = _count
        torch.cuda.default_generators = torch_npu.npu.default_generators
        torch.cuda._get_device_properties = properties  # type: ignore[attr-defined]
        torch.cuda.has_half = True

    return init


FORKED = (
    "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' "
    "start method"
)


@changes("torch_npu.npu._lazy_init")
def _adapter_init(original: Any) -> Callable[[], None]:
    import torch_npu

    def init() -> None:
        """The adapter begins by itself where an operator is the first use."""
        if _forked():
            raise RuntimeError(FORKED)
        if not _in_use:
            environment.translate(os.environ, ascending=not _keeps_order())
        if torch_npu.npu._initialized:
            return
        with environment.allocator(os.environ):
            original()

    return init


def _tell_adapter() -> None:
    """The adapter hears of forks by multiprocessing only; after any other its operators would fail further on."""
    global _was_forked
    if _in_use and face.is_on():
        import torch_npu

        _was_forked = True
        torch_npu.npu._after_fork(None)


os.register_at_fork(after_in_child=_tell_adapter)


def enter(options: face.Options) -> Callable[[], None]:
    """torch.cuda begins unused; leaving makes it so again."""
    import torch

    queued = list(torch.cuda._queued_calls)

    def leave() -> None:
        torch.cuda._initialized = False
        torch.cuda._queued_calls[:] = queued
        torch.cuda._cached_device_count = None
        torch.cuda.default_generators = ()  # type: ignore[assignment]
        vars(torch.cuda).pop("_get_device_properties", None)
        properties_of.clear()

    return leave


@changes("torch._C._cuda_setDevice", adds=True)
def _set_device(original: Any) -> Callable[[int], None]:
    import torch_npu

    choose, begin = torch_npu._C._npu_setDevice, resolve("torch.cuda._lazy_init")

    def set_device(index: int) -> None:
        if not _in_use or _was_forked:
            begin()
        if index >= _count:
            raise cuda_errors.fault(*cuda_errors.ORDINAL)
        choose(index)

    return set_device


@changes("torch._C._cuda_exchangeDevice", "torch.cuda._exchange_device", adds=True)
def _exchange_device(original: Any) -> Callable[[int], int]:
    import torch

    exchange, begin = torch._C._accelerator_exchangeDevice, resolve("torch.cuda._lazy_init")

    def exchange_device(index: int) -> int:
        if index < 0:
            return -1
        if not _in_use or _was_forked:
            begin()
        if index >= _count:
            raise cuda_errors.fault(*cuda_errors.ORDINAL)
        return exchange(index)

    return exchange_device


@changes("torch._C._cuda_maybeExchangeDevice", "torch.cuda._maybe_exchange_device", adds=True)
def _maybe_exchange_device(original: Any) -> Callable[[int], int]:
    import torch

    exchange = torch._C._accelerator_maybeExchangeDevice
    return lambda index: -1 if index < 0 else exchange(index)


class _CudaDeviceProperties:
    """What torch.cuda.get_device_properties returns. The memory is the chip's; the rest is the persona's."""

    def __init__(self, index: int, chip: int, total_memory: int, persona: personas.Persona) -> None:
        domain, bus, slot = personas.pci_address(chip)
        self.__dict__.update(
            name=persona.name, major=persona.capability[0], minor=persona.capability[1], gcnArchName=persona.name,
            total_memory=total_memory, multi_processor_count=persona.sm_count, is_multi_gpu_board=0, is_integrated=0,
            warp_size=32, max_threads_per_block=1024, max_threads_per_multi_processor=persona.threads_per_sm,
            regs_per_multiprocessor=65536, shared_memory_per_block=48 * personas.KIB,
            shared_memory_per_block_optin=persona.shared_per_block_kib * personas.KIB,
            shared_memory_per_multiprocessor=persona.shared_per_sm_kib * personas.KIB,
            L2_cache_size=persona.l2_mib * personas.MIB, clock_rate=persona.clock_mhz * 1000,
            memory_clock_rate=persona.memory_clock_mhz * 1000, memory_bus_width=persona.memory_bus_bits,
            uuid=personas.device_uuid(chip), pci_domain_id=domain, pci_bus_id=bus, pci_device_id=slot,
        )  # fmt: skip

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("can't set attribute")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'torch._C._CudaDeviceProperties' object has no attribute '{name}'")

    def __repr__(self) -> str:
        return (
            "_CudaDeviceProperties(name='{name}', major={major}, minor={minor}, total_memory={memory}MB, "
            "multi_processor_count={multi_processor_count}, uuid={uuid}, pci_bus_id={pci_bus_id}, "
            "pci_device_id={pci_device_id}, pci_domain_id={pci_domain_id}, L2_cache_size={cache}MB)"
        ).format(memory=self.total_memory >> 20, cache=self.L2_cache_size >> 20, **vars(self))


_CudaDeviceProperties.__module__ = "torch._C"
adapts("torch._C._CudaDeviceProperties", "torch.cuda._CudaDeviceProperties", adds=True)(_CudaDeviceProperties)

properties_of: dict[int, _CudaDeviceProperties] = {}


def properties(index: int) -> _CudaDeviceProperties:
    """Made once for each device."""
    if index not in properties_of:
        import torch_npu

        memory = torch_npu._C._npu_getDeviceProperties(index).total_memory
        persona = personas.find(face.options().persona)
        properties_of[index] = _CudaDeviceProperties(index, physical(index), memory, persona)
    return properties_of[index]


def physical(index: int) -> int:
    """The number of a visible chip among all chips of the server."""
    chosen = environment.visible(os.environ[environment.VISIBLE]) if environment.VISIBLE in os.environ else []
    return chosen[index] if index < len(chosen) else index


@adapts("torch._C._cuda_getArchFlags", adds=True)
def architectures() -> str:
    return " ".join(personas.toolkit().architectures)


@adapts("torch._C._cuda_getCompiledVersion", adds=True)
def compiled_version() -> int:
    major, minor = personas.toolkit().cuda.split(".")
    return int(major) * 1000 + int(minor) * 10


@adapts("torch.cuda.get_amp_supported_dtype", adds=True)
def amp_dtypes() -> list[Any]:
    """What autocast may compute in. PyTorch asks a chip in the accelerator's slot for it, and so asks torch.cuda."""
    import torch

    return [torch.float16, torch.bfloat16]
