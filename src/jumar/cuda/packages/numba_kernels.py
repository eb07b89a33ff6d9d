"""Numba's CUDA kernels on a virtual chip: its simulator runs them on the host, on copies of the chip's tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jumar.cuda import account
from jumar.patches import Applied, Patch, apply


def prepare(module: ModuleType) -> Applied:
    """Lets numba.cuda's simulator take the chip's tensors; does nothing where numba came without it."""
    from numba.core import config

    if not config.ENABLE_CUDASIM:
        return apply([])
    added = {"as_cuda_array": as_cuda_array, "is_cuda_array": is_cuda_array}
    return apply(
        [
            Patch(
                "numba.cuda.simulator.kernel:FakeCUDAKernel.__call__",
                _call,
                "kernels take the chip's tensors",
            ),
            *(
                Patch(f"numba.cuda:{name}", _instead(function), "the simulator has none", adds=True)
                for name, function in added.items()
            ),
        ]
    )


def _instead(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda original: function


def _is_chip_tensor(found: Any) -> bool:
    import torch

    return isinstance(found, torch.Tensor) and found.device.type not in ("cpu", "meta")


def is_cuda_array(obj: Any) -> bool:
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    return _is_chip_tensor(obj) or isinstance(obj, FakeCUDAArray)


def as_cuda_array(obj: Any, sync: bool = True) -> Any:
    """The tensor as an array that kernels read and write."""
    if not _is_chip_tensor(obj):
        raise TypeError("*obj* doesn't implement the cuda array interface.")
    return _array_class()(obj)


@functools.cache
def _array_class() -> type:
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    class TensorArray(FakeCUDAArray):  # type: ignore[misc]
        """A copy of the tensor on the host, taken before a kernel and written back after it."""

        def __init__(self, tensor: Any) -> None:
            self._tensor = tensor.detach()
            super().__init__(self._tensor.cpu().numpy())

        def take(self) -> None:
            self._ary[...] = self._tensor.cpu().numpy()

        def write_back(self) -> None:
            import torch

            self._tensor.copy_(torch.from_numpy(self._ary))

        def copy_to_host(self, ary: Any = None, stream: Any = 0) -> Any:
            self.take()
            return super().copy_to_host(ary, stream)

    return TensorArray


def _call(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *arguments: Any) -> Any:
        if self._device:
            return original(self, *arguments)
        account.note("on the CPU", f"Numba kernel {self.fn.__name__}")
        arrays = [as_cuda_array(one) if _is_chip_tensor(one) else one for one in arguments]
        tensors: list[Any] = [one for one in arrays if isinstance(one, _array_class())]
        for one in tensors:
            one.take()
        original(self, *arrays)
        for one in tensors:
            one.write_back()
        return None

    return call
