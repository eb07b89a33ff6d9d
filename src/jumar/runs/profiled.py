"""A profile that the vendor's profiler left (native/profile.cpp): what ran on the chips while it looked."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jumar.physics import notation
from jumar.runs.format import Exchange, OperatorKind, Type

SPANS = "spans.bin"
# ProfileSpan of native/profile.h.
SPAN = np.dtype(
    [
        *((name, "u8") for name in ("event", "start", "end", "issued", "host", "submitted", "bytes")),
        *((name, "u4") for name in ("kind", "stream", "line", "module")),
        *((name, "u1") for name in ("type", "chip", "phase", "exchange")),
        ("spare", "u4"),
    ]
)


class BadProfile(ValueError):
    """A folder that is no profile of jumar's: the message names it."""


@dataclass(frozen=True)
class Ran:
    """One thing that ran on a stream. `submitted_ns` and `start_ns` are wall time, `duration_ns` is predicted: it begins
    when it was submitted here, or when its stream is free."""

    type: Type
    kind: OperatorKind | None
    chip: int
    stream: int
    submitted_ns: int
    start_ns: int
    duration_ns: int
    bytes: int
    exchange: Exchange

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.duration_ns


def read(folder: Path) -> list[Ran]:
    """What ran, in the order of submission."""
    try:
        spans = np.frombuffer((folder / SPANS).read_bytes(), dtype=SPAN)
        start = ast.literal_eval((folder / "host" / "start_info").read_text(encoding="utf-8"))
        offset_ns = 1000 * int(start["collectionTimeBegin"]) - int(start["clockMonotonicRaw"])
    except (OSError, ValueError, SyntaxError, KeyError, TypeError) as error:
        raise BadProfile(f"{folder}: no profile that jumar made: {error}") from error
    return list(_laid(spans, _kinds(folder / "kinds.jsonl"), offset_ns))


def _laid(spans: Any, kinds: Mapping[int, OperatorKind], offset_ns: int) -> Iterator[Ran]:
    free: dict[tuple[int, int], int] = {}
    for span in spans:
        stream = (int(span["chip"]), int(span["stream"]))
        submitted, duration = int(span["submitted"]) + offset_ns, int(span["end"]) - int(span["start"])
        start = max(submitted, free.get(stream, 0))
        free[stream] = start + duration
        yield Ran(
            Type(int(span["type"]) - 1),
            kinds.get(int(span["kind"])),
            *stream,
            submitted,
            start,
            duration,
            int(span["bytes"]),
            Exchange(int(span["exchange"])),
        )


def _kinds(path: Path) -> dict[int, OperatorKind]:
    """Operators by the numbers of the process; those that cannot be read are left out."""
    found = {}
    for line in _lines(path):
        try:
            work = notation.read(line["work"]) if line.get("work") else None
            found[int(line["kind"])] = OperatorKind(
                line["operator"], line["arguments"], work, line.get("source", "none"), line.get("note", "")
            )
        except (KeyError, TypeError, notation.BadWork):
            continue
    return found


def _lines(path: Path) -> Sequence[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return []
