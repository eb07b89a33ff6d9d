"""What two runs of a program printed, compared: numbers within a tolerance, names of devices and times left out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]*\w)")
DEVICE = re.compile(
    r"\bNVIDIA(?: (?:[A-Z][\w-]*|\d+[A-Z][\w-]*|\d{4}\b))*|\bAscend\w*"
    r"|\b(?i:cuda|npu|cpu|gpu)(?::\d+)?\b|\b(?:nccl|hccl|gloo)\b"
)
MEASURED = re.compile(
    r"(?:\b(?:time|took|elapsed|eta|speed|throughput|mfu|memory|mem|peak|fps)\b[^\d]{0,12}[\d.,:]+\s*%?(?:[KMGT]i?B|ms|s)?"
    r"|[\d.,:]+ ?(?:ns|us|µs|ms|s|sec|secs|seconds|min|minutes|hours|it/s|s/it|[KMGT]i?B(?:/s)?"
    r"|(?:tok|tokens|samples|images|examples|steps)(?:/s|/sec| per second))(?![\w]))",
    re.IGNORECASE,
)
CLOCK = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b|0x[0-9a-f]{6,}", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """The first printed line that differs; `number` counts from 1. `by`: relative, None where words differ."""

    number: int
    first: str
    second: str
    by: float | None


def compare(first: str, second: str, tolerance: float, repeated: str | None = None) -> Line | None:
    """`repeated`: what the first program printed when it ran once more; what differs there is no evidence."""
    ours, theirs = first.splitlines(), second.splitlines()
    again = (repeated if repeated is not None else first).splitlines()
    if len(again) == len(ours):
        unstable = {
            at for at, (a, b) in enumerate(zip(ours, again, strict=True)) if _apart(a, b, 0.0) is not True
        }
    else:
        unstable = set(range(len(ours))) if repeated is not None else set()
    for at in range(max(len(ours), len(theirs))):
        a, b = (lines[at] if at < len(lines) else "" for lines in (ours, theirs))
        apart = _apart(a, b, tolerance)
        if apart is not True and at not in unstable:
            return Line(at + 1, a, b, apart)
    return None


def _apart(a: str, b: str, tolerance: float) -> float | bool | None:
    """True if alike; by how much the numbers differ; None if words do."""
    one, other = plain(a), plain(b)
    if one == other:
        return True
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return None
    worst = max(
        (
            _relative(_value(x), _value(y))
            for x, y in zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
        ),
        default=0.0,
    )
    return True if worst <= tolerance else worst


def plain(line: str) -> str:
    """Without what may differ between devices and between runs."""
    for pattern, word in ((DEVICE, "<device>"), (CLOCK, "<clock>"), (MEASURED, "<measured>")):
        line = pattern.sub(word, line)
    return " ".join(line.split())


def _value(text: str) -> float:
    return float(text.replace(",", "") or "nan")


def _relative(x: float, y: float) -> float:
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    # The last digit shown may be rounded either way: numbers near nought are compared as they stand.
    return abs(x - y) / max(abs(x), abs(y), 1.0) if math.isfinite(x) and math.isfinite(y) else math.inf
