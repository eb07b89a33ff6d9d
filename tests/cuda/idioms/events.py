"""Events: timing, and waiting for a point in a stream."""

from __future__ import annotations

import statistics

import torch

from idioms import idiom, raised


@idiom("`start.elapsed_time(end)` in ms", "pytorch/pytorch#14287", (True, True))
def elapsed_time() -> object:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    x = torch.ones(64, 64, device="cuda")
    start.record()
    for _ in range(3):
        x = x @ x / 64
    end.record()
    torch.cuda.synchronize()
    ms = start.elapsed_time(end)
    return isinstance(ms, float), 0 < ms < 60_000


@idiom(
    "`event.synchronize()` in place of `torch.cuda.synchronize()`",
    "okankop/Efficient-3DCNNs#50",
    (True, True),
)
def event_synchronize() -> object:
    start, end = torch.cuda.Event(True), torch.cuda.Event(True)
    start.record(torch.cuda.current_stream())
    torch.ones(8, device="cuda").add_(1)
    end.record(torch.cuda.current_stream())
    end.synchronize()
    return end.query(), start.elapsed_time(end) >= 0


@idiom("`elapsed_time` of an event that was not recorded", "pytorch/pytorch#151404", True)
def not_recorded() -> object:
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    return "must be recorded before calculating elapsed time" in raised(
        lambda: start.elapsed_time(end), RuntimeError, ValueError
    )


@idiom("`elapsed_time` without `enable_timing`", "meta-pytorch/torchcomms#2270", True)
def without_timing() -> object:
    start, end = torch.cuda.Event(), torch.cuda.Event()
    start.record()
    end.record()
    torch.cuda.synchronize()
    text = raised(lambda: start.elapsed_time(end), RuntimeError, ValueError)
    return "Both events must be created with argument 'enable_timing=True'" in text


@idiom("the median of many timings", "triton-lang/triton/python/triton/testing.py", (5, True))
def median_time() -> object:
    starts = [torch.cuda.Event(enable_timing=True) for _ in range(5)]
    ends = [torch.cuda.Event(enable_timing=True) for _ in range(5)]
    flush = torch.empty(2**16, dtype=torch.int, device="cuda")
    for start, end in zip(starts, ends, strict=True):
        flush.zero_()
        start.record()
        flush.add_(1)
        end.record()
    torch.cuda.synchronize()
    times = [start.elapsed_time(end) for start, end in zip(starts, ends, strict=True)]
    return len(times), statistics.median(times) >= 0


@idiom("`stream.record_event()` and `other.wait_event(event)`", "pytorch/pytorch/torch/cuda/streams.py", 4.0)
def wait_event() -> object:
    first, second = torch.cuda.Stream(), torch.cuda.Stream()
    with torch.cuda.stream(first):
        x = torch.ones(1, device="cuda") + 1
        event = first.record_event()
    second.wait_event(event)
    with torch.cuda.stream(second):
        y = x * 2
    second.synchronize()
    return y.item()


@idiom(
    "`event.wait(stream)`, `Event(blocking=True, interprocess=False)`",
    "pytorch/pytorch/torch/cuda/streams.py",
    (None, True),
)
def event_wait() -> object:
    event = torch.cuda.Event(blocking=True, interprocess=False)
    event.record()
    waited = event.wait(torch.cuda.Stream())
    torch.cuda.synchronize()
    return waited, event.query()


@idiom(
    "`repr(torch.cuda.Event())`, `event.cuda_event`",
    "pytorch/pytorch/torch/cuda/streams.py",
    ("<torch.cuda.Event uninitialized>", True, True),
)
def event_shown() -> object:
    event = torch.cuda.Event()
    before = repr(event)
    event.record()
    return before, repr(event).startswith("<torch.cuda.Event 0x"), isinstance(event.cuda_event, int)


@idiom("`torch.Event('cuda')`", "pytorch/pytorch/torch/csrc/Event.cpp", ("cuda", True))
def generic_event() -> object:
    event = torch.Event("cuda", enable_timing=True)
    event.record()
    event.synchronize()
    return event.device.type, event.query()


@idiom("events of two devices", "numba/numba#3093", (["cuda:0", "cuda:1"], True))
def events_of_devices() -> object:
    events = []
    for i in range(2):
        with torch.cuda.device(i):
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            events.append(event)
    for i in range(2):
        torch.cuda.synchronize(i)
    return [str(event.device) for event in events], all(event.query() for event in events)
