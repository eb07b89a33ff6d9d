"""PyTorch's watch over streams: on CUDA its C++ tells of events and waits, here the classes of both do."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from jumar.cuda import face
from jumar.cuda.registry import changes

_told: set[int] = set()  # events that the watch knows


@changes("torch.cuda._sanitizer.enable_cuda_sanitizer")
def _enable(original: Any) -> Callable[[], None]:
    def enable_cuda_sanitizer() -> None:
        original()
        _tell_all()

    return enable_cuda_sanitizer


def enter(options: face.Options) -> Callable[[], None]:
    """TORCH_CUDA_SANITIZER has turned it on before the face."""
    watch = sys.modules.get("torch.cuda._sanitizer")
    if watch is not None and watch.cuda_sanitizer.enabled:
        _tell_all()
    return lambda: None


def _tell_all() -> None:
    import torch

    _tell(torch.cuda.Event, "record", _recorded)
    _tell(torch.cuda.Event, "wait", _waited)
    _tell(torch.cuda.Event, "synchronize", _synchronized)
    _tell(torch.cuda.Stream, "synchronize", _stream_synchronized)


def _tell(owner: Any, name: str, what: Callable[..., None]) -> None:
    """From now on that method says what it did. It stays so, as PyTorch's watch does."""
    do = getattr(owner, name)
    if hasattr(do, "tells"):
        return

    def telling(self: Any, *arguments: Any) -> Any:
        done = do(self, *arguments)
        what(self, *arguments)
        return done

    telling.tells = True  # type: ignore[attr-defined]
    setattr(owner, name, telling)


def _fire(name: str, *arguments: int) -> None:
    from torch.cuda import _gpu_trace

    getattr(_gpu_trace, f"{name}Callbacks").fire_callbacks(*arguments)


def _address(stream: Any) -> int:
    import torch

    return int((stream or torch.cuda.current_stream()).cuda_stream)


def _recorded(event: Any, stream: Any = None) -> None:
    if event.cuda_event not in _told:
        _told.add(event.cuda_event)
        _fire("EventCreation", event.cuda_event)
    _fire("EventRecord", event.cuda_event, _address(stream))


def _waited(event: Any, stream: Any = None) -> None:
    if event.cuda_event in _told:
        _fire("EventWait", event.cuda_event, _address(stream))


def _synchronized(event: Any) -> None:
    if event.cuda_event in _told:
        _fire("EventSynchronization", event.cuda_event)


def _stream_synchronized(stream: Any) -> None:
    _fire("StreamSynchronization", stream.cuda_stream)
