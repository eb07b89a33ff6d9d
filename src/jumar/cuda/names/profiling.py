"""torch.profiler: what ran on virtual chips comes from the virtual clock. On real ones, or without a trace, device times
come from the chip's own events around each operator, as with CUDA's legacy profiler."""

from __future__ import annotations

import functools
from typing import Any

from jumar.cuda import account, device_events, device_times
from jumar.cuda.registry import adapts, changes


@adapts("torch.profiler.profiler.supported_activities")
def supported_activities() -> set[Any]:
    """What a CUDA build answers."""
    from torch.profiler import ProfilerActivity

    return {ProfilerActivity.CPU, ProfilerActivity.CUDA}


@changes("torch.autograd.profiler.profile.__init__")
def _profile(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *arguments: Any, **keywords: Any) -> None:
        import torch.autograd

        states: Any = torch.autograd.ProfilerState  # type: ignore[attr-defined]
        device_only = keywords.get("use_cpu") is False
        original(self, *arguments, **(keywords | {"use_cpu": True}))
        if device_only:
            account.note("adapted", "torch.profiler of CUDA alone")
        if getattr(self, "use_device", None) == "cuda":
            account.note("adapted", "torch.profiler")
            fallback = states.KINETO_PRIVATEUSE1_FALLBACK
            self.profiler_kind = states.KINETO if device_times.known() else fallback

    return __init__


_looking: list[tuple[int, int]] = []  # a profile that has begun: torch allows one at a time


@changes("torch.autograd.profiler.profile._start_trace")
def _start_trace(original: Any) -> Any:
    @functools.wraps(original)
    def start(self: Any) -> None:
        original(self)
        if self.use_device == "cuda" and device_times.known():
            _looking[:] = [device_times.begin()]

    return start


@changes("torch.autograd.profiler._disable_profiler")
def _disable_profiler(original: Any) -> Any:
    @functools.wraps(original)
    def disable() -> Any:
        spans = device_times.end(*_looking.pop()) if _looking else None
        results = original()
        return results if spans is None else device_events.Results(results, spans)

    return disable


@adapts("torch.autograd.profiler.emit_nvtx")
class emit_nvtx:
    """Marks nothing: NVIDIA's tools do not see this chip."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes, self.entered = enabled, record_shapes, False

    def __enter__(self) -> Any:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("NVTX annotation context manager is not reentrant")
        account.note("ignored", "torch.autograd.profiler.emit_nvtx")
        self.entered = True
        return self

    def __exit__(self, *error: object) -> None: ...
