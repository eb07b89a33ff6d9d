"""Operators that only keep a stream busy."""

from __future__ import annotations

from jumar.ops.registry import op


@op("aclnnSleep")
def sleep(cycles: list[int]) -> None:
    """Takes that many cycles of the chip's clock, and no time here: durations are the virtual clock's to tell."""
