"""What ran on virtual chips in the form of torch.profiler's own events, tied to the operators that started it."""

from __future__ import annotations

import heapq
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from jumar.cuda import device_times
from jumar.cuda.device_times import Span

# TraceType of native/trace.h -> what CUDA's profiler calls it, where it is no operator.
OPERATOR, COLLECTIVE = 1, 2
COPIES = {
    3: "Memcpy HtoD (Pageable -> Device)",
    4: "Memcpy DtoH (Device -> Pageable)",
    5: "Memcpy DtoD (Device -> Device)",
    6: "Memset (Device)",
}
CATEGORIES = {OPERATOR: "kernel", COLLECTIVE: "kernel", 6: "gpu_memset"}
EXCHANGES = (
    "AllReduce",
    "AllGather",
    "ReduceScatter",
    "AllToAll",
    "Broadcast",
    "Send",
    "Receive",
    "Reduce",
    "Scatter",
    "Barrier",
)
# What a profiler's event says of itself where a kernel has nothing to say.
SILENT: dict[str, Any] = {
    "overload_name": "",
    "fwd_thread_id": 0,
    "shapes": [],
    "concrete_inputs": [],
    "kwinputs": {},
    "stack": [],
    "module_hierarchy": [],
    "scope": 0,
    "is_async": False,
    "sequence_nr": -1,
    "nbytes": 0,
    "flops": 0,
    "is_user_annotation": False,
    "is_python_function": False,
    "is_hidden_event": False,
    "metadata_json": "",
    "extra_meta": {},
    "flow_id": 0,
    "flow_type": 0,
    "flow_start": False,
    "external_id": 0,
    "structured_input_shapes": [],
    "structured_input_strides": [],
    "dtypes": [],
    "python_id": 0,
    "python_parent_id": 0,
    "python_module_id": -1,
    "privateuse1_elapsed_us": -1,
    "cuda_elapsed_us": -1,
}


class Kernel:
    """One span in place of torch's _KinetoEvent, which cannot be made in Python. `found`: the CPU event that started it."""

    def __init__(self, span: Span, name: str, start_ns: int, found: Any, number: int) -> None:
        self.span, self.found = span, found
        says = {
            "name": name,
            "start_ns": start_ns,
            "duration_ns": span.end_ns - span.start_ns,
            "end_ns": start_ns + span.end_ns - span.start_ns,
            "start_thread_id": span.stream,
            "end_thread_id": span.stream,
            "device_index": span.chip,
            "device_resource_id": span.stream,
            "correlation_id": number,
            "linked_correlation_id": found.correlation_id() if found is not None else 0,
            "activity_type": CATEGORIES.get(span.type, "gpu_memcpy"),
        }
        self._says = {**SILENT, **says}

    def device_type(self) -> Any:
        from torch._C._autograd import DeviceType

        return DeviceType.CUDA

    def __getattr__(self, name: str) -> Callable[[], Any]:
        try:
            value = self.__dict__["_says"][name]
        except KeyError:
            raise AttributeError(name) from None
        return lambda: value


class Results:
    """The results of torch's profiler with what ran on the chips; all else is torch's own."""

    def __init__(self, original: Any, spans: Sequence[Span]) -> None:
        self._original, self._spans = original, spans
        self._events: list[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def events(self) -> list[Any]:
        if self._events is None:
            told = self._original.events()
            self._events = [*told, *kernels(self._spans, told)]
        return self._events

    def save(self, path: str) -> None:
        """Torch's trace, with a process for each chip, a thread for each stream and arrows from the CPU."""
        self._original.save(path)
        trace = json.loads(Path(path).read_text(encoding="utf-8"))
        base_ns = int(trace.get("baseTimeNanoseconds", 0))
        ran = [one for one in self.events() if isinstance(one, Kernel)]
        trace["traceEvents"] += [*_titles(ran), *(line for one in ran for line in _drawn(one, base_ns))]
        Path(path).write_text(json.dumps(trace), encoding="utf-8")


def kernels(spans: Sequence[Span], told: Sequence[Any]) -> list[Kernel]:
    """Spans as events on the profiler's clock. They begin when the call was made here, or when their stream is free."""
    names, from_monotonic = device_times.operators(), time.time_ns() - time.monotonic_ns()
    numbers = max((event.correlation_id() for event in told), default=0)
    called = [span.host_ns + from_monotonic for span in spans]
    starters = _starters(called, told)
    free: dict[tuple[int, int], int] = {}
    found = []
    for number, (span, at, starter) in enumerate(zip(spans, called, starters, strict=True), numbers + 1):
        stream = (span.chip, span.stream)
        start = max(at, free.get(stream, 0))
        free[stream] = start + span.end_ns - span.start_ns
        found.append(Kernel(span, _name(span, names), start, starter, number))
    return found


def _name(span: Span, names: dict[int, str]) -> str:
    if span.type == OPERATOR:
        return names.get(span.kind, f"operator {span.kind}")
    if span.type == COLLECTIVE:
        return EXCHANGES[span.exchange] if span.exchange < len(EXCHANGES) else "exchange"
    return COPIES.get(span.type, "?")


def _starters(moments: Sequence[int], told: Iterable[Any]) -> list[Any]:
    """For each moment the innermost operator that some thread of the CPU was in."""
    from torch._C._autograd import DeviceType

    frames = sorted(
        (event.start_ns(), event.end_ns(), number, event)
        for number, event in enumerate(told)
        if event.device_type() == DeviceType.CPU
        and event.end_ns() > event.start_ns()
        and event.linked_correlation_id() == 0
    )
    found: list[Any] = [None] * len(moments)
    open_: list[tuple[int, int, Any]] = []  # newest first
    place = 0
    for row in sorted(range(len(moments)), key=lambda row: moments[row]):
        while place < len(frames) and frames[place][0] <= moments[row]:
            start, end, number, event = frames[place]
            heapq.heappush(open_, (-start, -number, (end, event)))
            place += 1
        while open_ and open_[0][2][0] < moments[row]:
            heapq.heappop(open_)
        found[row] = open_[0][2][1] if open_ else None
    return found


def _titles(ran: Sequence[Kernel]) -> list[dict[str, Any]]:
    chips = {one.span.chip for one in ran}
    streams = {(one.span.chip, one.span.stream) for one in ran}
    return [
        *(
            {
                "ph": "M",
                "name": "process_name",
                "pid": chip,
                "tid": 0,
                "args": {"name": f"GPU {chip}, predicted"},
            }
            for chip in sorted(chips)
        ),
        *(
            {
                "ph": "M",
                "name": "thread_name",
                "pid": chip,
                "tid": stream,
                "args": {"name": f"stream {stream}"},
            }
            for chip, stream in sorted(streams)
        ),
    ]


def _drawn(one: Kernel, base_ns: int) -> list[dict[str, Any]]:
    """The bar of a kernel, and the arrow from the operator that started it."""
    device = {"pid": one.span.chip, "tid": one.span.stream, "ts": (one.start_ns() - base_ns) / 1000}
    number = one.correlation_id()
    arguments = {
        "stream": one.span.stream,
        "device": one.span.chip,
        "correlation": number,
        "bytes": one.span.bytes,
    }
    category = one.activity_type()
    bar = {"ph": "X", "cat": category, "name": one.name(), **device, "dur": one.duration_ns() / 1000}
    if one.found is None:
        return [{**bar, "args": arguments}]
    arguments["External id"] = one.linked_correlation_id()
    arrow = {"id": number, "cat": "ac2g", "name": "ac2g"}
    started = (one.found.start_ns() - base_ns) / 1000
    return [
        {**bar, "args": arguments},
        {"ph": "s", **arrow, "pid": os.getpid(), "tid": one.found.start_thread_id(), "ts": started},
        {"ph": "f", "bp": "e", **arrow, **device},
    ]
