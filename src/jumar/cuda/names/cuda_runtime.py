"""The CUDA run time as torch.cuda.cudart() hands it out, and the few handles that programs pass on."""

from __future__ import annotations

from enum import IntEnum
from types import ModuleType
from typing import Any

from jumar.cuda import account
from jumar.cuda.registry import changes, resolve

# Those of cudaError_t that the functions here return, and what cudaGetErrorString says of any that programs ask about.
ERRORS = {
    0: "no error", 1: "invalid argument", 2: "out of memory", 3: "initialization error", 4: "driver shutting down",
    34: "device not ready", 35: "CUDA driver version is insufficient for CUDA runtime version",
    100: "no CUDA-capable device is detected", 101: "invalid device ordinal", 209: "no kernel image is available "
    "for execution on the device", 300: "invalid source", 400: "invalid resource handle", 600: "device not ready",
    700: "an illegal memory access was encountered", 701: "too many resources requested for launch",
    710: "device-side assert triggered", 719: "unspecified launch failure", 801: "operation not supported",
    999: "unknown error",
}  # fmt: skip


class cudaError(IntEnum):
    success = 0

    @classmethod
    def _missing_(cls, value: object) -> cudaError | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = "???"
        member._value_ = value
        return member

    def __str__(self) -> str:
        return f"cudaError.{self.name}"


def error_string(error: int) -> str:
    return ERRORS.get(int(error), "unrecognized error code")


def mem_get_info(device: int) -> tuple[int, int]:
    """Free and all memory of the chip, in bytes."""
    import torch_npu

    memory = torch_npu._C._npu_getDeviceMemories(device)
    return memory.free_memory, memory.total_memory


def _register(address: int, size: int, flags: int = 0) -> cudaError:
    import torch_npu

    return _status(torch_npu._C._npurt.npuHostRegister, address, size, flags)


def _unregister(address: int) -> cudaError:
    import torch_npu

    return _status(torch_npu._C._npurt.npuHostUnregister, address)


def _status(function: Any, *arguments: int) -> cudaError:
    """The adapter raises where CUDA returns a number."""
    try:
        function(*arguments)
    except RuntimeError as error:
        account.note("ignored", f"{function.__name__}: {str(error).splitlines()[0]}")
        return cudaError(1)
    return cudaError.success


def _synchronize() -> cudaError:
    import torch

    torch._C._cuda_synchronize()
    return cudaError.success


def _profiler(name: str) -> Any:
    def switch() -> cudaError:
        account.note("ignored", f"torch.cuda.cudart().{name}")
        return cudaError.success

    return switch


def _stream_create(address: int) -> cudaError:
    """Writes the handle of a new stream to that address."""
    import ctypes

    stream = resolve("torch.cuda.Stream")()
    _streams[stream.cuda_stream] = stream
    ctypes.c_void_p.from_address(address).value = stream.cuda_stream
    return cudaError.success


def _stream_destroy(handle: int) -> cudaError:
    return cudaError.success if _streams.pop(handle, None) is not None else cudaError(400)


_streams: dict[int, Any] = {}

FUNCTIONS = {
    "cudaError": cudaError, "cudaGetErrorString": error_string, "cudaMemGetInfo": mem_get_info,
    "cudaProfilerStart": _profiler("cudaProfilerStart"), "cudaProfilerStop": _profiler("cudaProfilerStop"),
    "cudaHostRegister": _register, "cudaHostUnregister": _unregister, "cudaStreamCreate": _stream_create,
    "cudaStreamDestroy": _stream_destroy, "cudaDeviceSynchronize": _synchronize,
}  # fmt: skip


def runtime() -> ModuleType:
    made = ModuleType("torch._C._cudart", "The CUDA run time")
    vars(made).update(FUNCTIONS)
    return made


_runtime = runtime()


@changes("torch._C._cudart", "torch.cuda._cudart", adds=True)
def _cudart(original: Any) -> ModuleType:
    return _runtime


@changes("torch._C._cuda_getCurrentBlasHandle", "torch._C._cuda_getCurrentSolverHandle", adds=True)
def _handle(original: Any) -> Any:
    import torch_npu

    def handle() -> int:
        """Not null and the same on one stream, which is all that holds of it without cuBLAS."""
        account.note("adapted", "handles of cuBLAS and cuSOLVER")
        return int(torch_npu.npu.current_stream().npu_stream)

    return handle
