"""A limit on the time that one file may take: a stranger's file must not hold up all others."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

FILE_S = 60
"""Thousands of times what a file takes. Near it results would depend on the machine."""


class TooLong(BaseException):
    """Not an Exception, so that nothing on the way takes it for a mistake of its own."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raises TooLong in the block once the time is up. Where no alarm can be set, it waits: beside other threads."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(signum: int, frame: FrameType | None) -> None:
    raise TooLong
