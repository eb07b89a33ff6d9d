"""A profile in the files that the vendor's `msprof --export` writes, which its own analysis in torch_npu goes on with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from jumar.report import vendor_tables
from jumar.report.vendor_tables import cores_of, described, exchange_name
from jumar.runs.account import labels
from jumar.runs.format import Type
from jumar.runs.profiled import Ran

FOLDER = "mindstudio_profiler_output"
SUMMARY = (
    "Device_id",
    "Model ID",
    "Task ID",
    "Stream ID",
    "Op Name",
    "OP Type",
    "OP State",
    "Task Type",
    "Task Start Time(us)",
    "Task Duration(us)",
    "Task Wait Time(us)",
    "Block Num",
    "Mix Block Num",
    "HF32 Eligible",
    "Input Shapes",
    "Input Data Types",
    "Input Formats",
    "Output Shapes",
    "Output Data Types",
    "Output Formats",
    "Context ID",
)
NO_MODEL = 2**32 - 1
HOST, HARDWARE, OVERLAP = 1, 100, 200  # processes of the timeline; the chip's number is added
# Threads of the vendor's "Overlap Analysis".
COMPUTING, COMMUNICATION, ALONE, FREE = range(4)
OVERLAPS = ("Computing", "Communication", "Communication(Not Overlapped)", "Free")
CALL_NS = 1000  # how long a call is drawn on the host
COPIES = {
    Type.COPY_H2D: "MEMCPY_ASYNC",
    Type.COPY_D2H: "MEMCPY_ASYNC",
    Type.COPY_D2D: "MEMCPY_ASYNC",
    Type.MEMSET: "MEMSET",
}
Interval = tuple[int, int]


def write(ran: Sequence[Ran], folder: Path, blocks: int, stamp: str) -> Path:
    """Writes op_summary, op_statistic and the timeline below the profile's folder; `stamp` ends their names."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    kernels = [one for one in ran if one.type in (Type.OPERATOR, Type.COLLECTIVE)]
    rows = list(_summary(kernels, blocks))
    vendor_tables.write_table(place / f"op_summary_{stamp}.csv", SUMMARY, rows)
    times = [(row[0], row[5], row[7], float(row[9])) for row in rows]
    vendor_tables.write_table(
        place / f"op_statistic_{stamp}.csv", vendor_tables.STATISTIC, vendor_tables.statistic(times)
    )
    timeline = list(_timeline(ran))
    (place / f"msprof_{stamp}.json").write_text(json.dumps(timeline), encoding="utf-8")
    return place


def _us(ns: int) -> str:
    return f"{ns // 1000}.{ns % 1000:03d}"


def _name(one: Ran) -> str:
    if one.type is Type.OPERATOR:
        return one.kind.operator if one.kind else "unknown"
    return exchange_name(one.exchange) if one.type is Type.COLLECTIVE else COPIES[one.type]


def _core(one: Ran) -> str:
    if one.type in COPIES:
        return COPIES[one.type]
    group = labels.class_of(one.kind) if one.kind else labels.UNKNOWN
    return cores_of("communication" if one.type is Type.COLLECTIVE else group)


def _summary(kernels: Iterable[Ran], blocks: int) -> Iterator[tuple[Any, ...]]:
    free: dict[tuple[int, int], int] = {}
    for number, one in enumerate(kernels):
        stream = (one.chip, one.stream)
        waited = max(0, one.start_ns - free.get(stream, one.start_ns))
        free[stream] = one.end_ns
        exchange = one.type is Type.COLLECTIVE
        yield (
            one.chip,
            NO_MODEL,
            number,
            one.stream,
            _name(one),
            _name(one) if exchange else labels.short(_name(one)),
            "dynamic",
            _core(one),
            _us(one.start_ns),
            _us(one.duration_ns),
            _us(waited),
            0 if exchange else blocks,
            0,
            "NO",
            *(described(one.kind) if one.kind else ("",) * 6),
            "N/A",
        )


def _timeline(ran: Sequence[Ran]) -> Iterator[dict[str, Any]]:
    chips = sorted({one.chip for one in ran})
    yield from _titles(chips, ran)
    for number, one in enumerate(ran):
        yield from _drawn(number, one)
    for chip in chips:
        yield from _overlap(chip, [one for one in ran if one.chip == chip])


def _titles(chips: Iterable[int], ran: Sequence[Ran]) -> Iterator[dict[str, Any]]:
    def meta(what: str, pid: int, tid: int, **args: Any) -> dict[str, Any]:
        return {"name": what, "pid": pid, "tid": tid, "args": args, "ph": "M"}

    yield meta("process_name", HOST, 0, name="CANN")
    yield meta("process_labels", HOST, 0, labels="CPU")
    for chip in chips:
        for first, name in ((HARDWARE, "Ascend Hardware"), (OVERLAP, "Overlap Analysis")):
            yield meta("process_name", first + chip, 0, name=name)
            yield meta("process_labels", first + chip, 0, labels=f"NPU {chip}")
        for thread, name in enumerate(OVERLAPS):
            yield meta("thread_name", OVERLAP + chip, thread, name=name)
    for chip, stream in sorted({(one.chip, one.stream) for one in ran}):
        yield meta("thread_name", HARDWARE + chip, stream, name=f"Stream {stream}")


def _drawn(number: int, one: Ran) -> Iterator[dict[str, Any]]:
    """The call on the host, the task on the chip, and the arrow by which the analysis ties the task to its operator."""
    name, called, begun = _name(one), _us(one.submitted_ns), _us(one.start_ns)
    host, chip = {"pid": HOST, "tid": 0}, {"pid": HARDWARE + one.chip, "tid": one.stream}
    arrow = {"name": "HostToDevice", "cat": "HostToDevice", "id": str(number)}
    told = {"Task Type": _core(one), "Stream Id": one.stream, "Task Id": number, "connection_id": number}
    yield {"name": f"AscendCL@{name}", **host, "ts": called, "dur": CALL_NS / 1000, "ph": "X", "args": {}}
    yield {"name": name, **chip, "ts": begun, "dur": one.duration_ns / 1000, "ph": "X", "args": told}
    yield {**arrow, "ph": "s", **host, "ts": called}
    yield {**arrow, "ph": "f", "bp": "e", **chip, "ts": begun}


def _overlap(chip: int, ran: Sequence[Ran]) -> Iterator[dict[str, Any]]:
    """When the chip computes, when it exchanges, alone or not, and when neither."""
    exchanges = _joined((one.start_ns, one.end_ns) for one in ran if one.type is Type.COLLECTIVE)
    computes = _joined((one.start_ns, one.end_ns) for one in ran if one.type is Type.OPERATOR)
    busy = _joined([*exchanges, *computes])
    free = [(before[1], after[0]) for before, after in pairwise(busy)]
    found = {COMPUTING: computes, COMMUNICATION: exchanges, ALONE: _without(exchanges, computes), FREE: free}
    for thread, intervals in found.items():
        for start, end in intervals:
            place = {"pid": OVERLAP + chip, "tid": thread, "ts": _us(start), "dur": (end - start) / 1000}
            yield {"name": OVERLAPS[thread], **place, "ph": "X", "args": {}}


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _without(intervals: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """The parts of the intervals that none of the others covers. Both are in order and apart."""
    found = []
    for begin, end in intervals:
        start = begin
        for first, last in others:
            if last <= start or first >= end:
                continue
            if first > start:
                found.append((start, first))
            start = max(start, last)
        if start < end:
            found.append((start, end))
    return found
