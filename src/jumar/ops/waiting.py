"""Operators that only keep a stream busy."""

from __future__ import annotations

from jumar.ops.registry import op
from jumar.physics.work import Kind, Work


def _sleep_work(cycles: list[int]) -> Work:
    """Nothing but a kernel that is launched: cycles of a clock are no work."""
    return Work(Kind.COPY)


@op("aclnnSleep", work=_sleep_work)
def sleep(cycles: list[int]) -> None:
    """Takes that many cycles of the chip's clock, and no time here: durations are the virtual clock's to tell."""
