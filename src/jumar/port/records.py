"""What the processes of a run recorded of their modules, read back: events in the order in which they happened."""

from __future__ import annotations

import base64
import json
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

Key = tuple[str, str, int, int]


@dataclass(frozen=True)
class Event:
    """A tensor that a module took, gave, or got a gradient for; `sample` is evenly spaced over it."""

    kind: str
    module: str
    call: int
    index: int
    dtype: str
    device: str
    shape: tuple[int, ...]
    norm: float
    total: float
    largest: float
    not_finite: int
    encoded: str

    @property
    def key(self) -> Key:
        return self.kind, self.module, self.call, self.index

    @cached_property
    def sample(self) -> array[float]:
        values = array("d")
        values.frombytes(base64.b64decode(self.encoded))
        return values

    def name(self) -> str:
        place = f"{self.module}" if self.kind != "loss" else "backward()"
        return f"{self.kind} of {place}, call {self.call}" + (f", tensor {self.index}" if self.index else "")


@dataclass
class Process:
    """One process: its events, how often each module was called, tensors that could not be recorded, by type.

    `finished` is False where it died before it could say that it ended.
    """

    name: str
    events: list[Event] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    finished: bool = False

    def losses(self) -> list[float]:
        return [event.sample[0] for event in self.events if event.kind == "loss" and event.sample]


def read(directory: Path) -> dict[str, Process]:
    """The processes of a run by name."""
    return {path.stem: _process(path) for path in sorted(directory.glob("*.jsonl"))}


def _process(path: Path) -> Process:
    process = Process(path.stem)
    for row in _rows(path):
        if row["kind"] == "end":
            process.calls, process.skipped, process.finished = row["calls"], row["skipped"], True
        else:
            process.events.append(_event(row))
    return process


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # the process died while it wrote this line


def _event(row: dict[str, Any]) -> Event:
    return Event(
        row["kind"], row["module"], row["call"], row["index"], row["dtype"], row["device"], tuple(row["shape"]),
        row["norm"], row["sum"], row["largest"], row["not_finite"], row["sample"],
    )  # fmt: skip


def distance(one: Event, other: Event, least: float = 0.0) -> float:
    """How far `one` is from `other`, relative to the size of `other`, or to `least` if that is more: of the samples, or
    of the norm if that is farther. Infinite where shapes or the number of infinities and NaNs differ."""
    if one.shape != other.shape or one.not_finite != other.not_finite:
        return math.inf
    pairs = [(a, b) for a, b in zip(one.sample, other.sample, strict=True) if math.isfinite(b)]
    apart = math.sqrt(sum((a - b) ** 2 for a, b in pairs))
    if math.isnan(apart):
        return math.inf
    # A sample of n elements stands for a part of the whole tensor; so does its share of what is least.
    share = math.sqrt(len(pairs) / max(1, math.prod(other.shape)))
    size = max(math.sqrt(sum(b * b for _, b in pairs)), least * share)
    whole = abs(one.norm - other.norm)
    return max(apart / size if size > 0 else apart, whole / max(other.norm, least, 1e-300) if whole else 0.0)


def sizes(events: list[Event]) -> dict[tuple[str, int], float]:
    """The largest norm of each kind in each call: what a tensor that is nought but for rounding is measured by."""
    found: dict[tuple[str, int], float] = {}
    for event in events:
        key = (event.kind, event.call)
        found[key] = max(found.get(key, 0.0), event.norm)
    return found
