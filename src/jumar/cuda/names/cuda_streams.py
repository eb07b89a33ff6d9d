"""Streams and events: PyTorch's classes over the adapter's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jumar.cuda.registry import changes, resolve
from jumar.cuda.remake import remade

# PyTorch keeps streams of this many levels of priority; the lower number is the more urgent.
PRIORITIES = (0, -3)

_priority: dict[tuple[int, int], int] = {}  # (device, stream) -> priority, for the adapter does not tell
_known: dict[int, tuple[int, int, int]] = {}  # address a program has seen -> stream, device and device type


@changes("torch._C._CudaStreamBase", adds=True)
def _stream_base(original: Any) -> type:
    from torch_npu._C import _NPUStreamBase

    class _CudaStreamBase(_NPUStreamBase):  # type: ignore[misc]
        def __new__(cls, priority: int = 0, **keywords: Any) -> Any:
            if (address := keywords.get("stream_ptr", 0)) and address in _known:
                del keywords["stream_ptr"]
                stream, device, kind = _known[address]
                keywords |= {"stream_id": stream, "device_index": device, "device_type": kind}
            made = super().__new__(cls, priority=priority, **keywords)
            if "stream_id" not in keywords:
                _priority[made.device_index, made.stream_id] = min(
                    max(priority, PRIORITIES[1]), PRIORITIES[0]
                )
            return made

        @property
        def cuda_stream(self) -> int:
            """Its address, which programs see of the default stream as 0."""
            address = int(self.npu_stream) if self.stream_id else 0
            _known[address] = (self.stream_id, self.device_index, self.device_type)
            return address

        @property
        def priority(self) -> int:
            return _priority.get((self.device_index, self.stream_id), 0)

        @staticmethod
        def priority_range() -> tuple[int, int]:
            return PRIORITIES

    return _once(_CudaStreamBase)


@changes("torch._C._CudaEventBase", adds=True)
def _event_base(original: Any) -> type:
    from torch_npu._C import _NPUEventBase

    class _CudaEventBase(_NPUEventBase):  # type: ignore[misc]
        def __new__(cls, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False,
                    external: bool = False) -> Any:  # fmt: skip
            made = super().__new__(
                cls,
                enable_timing=enable_timing,
                blocking=blocking,
                interprocess=interprocess,
                graph_external=external,
            )
            made._timed = enable_timing
            return made

        @property
        def cuda_event(self) -> int:
            return int(self.npu_event)

        def record(self, stream: Any) -> None:
            super().record(_of_adapter(stream))

        def wait(self, stream: Any) -> None:
            super().wait(_of_adapter(stream))

        def elapsed_time(self, other: Any) -> float:
            for event in (self, other):
                if not getattr(event, "_timed", True):
                    raise ValueError("Both events must be created with argument 'enable_timing=True'.")
            if not (self.cuda_event and other.cuda_event):
                raise ValueError("Both events must be recorded before calculating elapsed time.")
            return float(super().elapsed_time(other))

    return _once(_CudaEventBase)


def _of_adapter(stream: Any) -> Any:
    """The stream as the adapter's class: PyTorch's own torch.Stream has another layout, which it does not check."""
    import torch

    if isinstance(stream, torch._C._CudaStreamBase):
        return stream
    make: Any = torch.cuda.Stream
    return make(stream_id=stream.stream_id, device_index=stream.device_index, device_type=stream.device_type)


_bases: dict[str, type] = {}


def _once(made: type) -> type:
    """The class of that name made first, so that it stays the same when the face is turned on again."""
    made.__module__ = "torch._C"
    return _bases.setdefault(made.__name__, made)


for name in ("Stream", "ExternalStream", "Event"):
    changes(f"torch.cuda.{name}")(remade("torch.cuda.streams", name))


@changes("torch._C._cuda_getStreamFromExternal", adds=True)
def _from_external(original: Any) -> Any:
    def get(address: int, device: int) -> tuple[int, int, int]:
        if address not in _known:
            stream = resolve("torch.cuda.ExternalStream")(address, device)
            _known[address] = (stream.stream_id, stream.device_index, stream.device_type)
        return _known[address]

    return get


@changes("torch._C._cuda_getCurrentRawStream", adds=True)
def _raw_stream(original: Any) -> Callable[[int], int]:
    from torch_npu._C import _npu_getCurrentRawStream, _npu_getCurrentStream

    def address(device: int) -> int:
        """As torch.cuda.current_stream().cuda_stream has it."""
        return int(_npu_getCurrentRawStream(device)) if _npu_getCurrentStream(device)[0] else 0

    return address
