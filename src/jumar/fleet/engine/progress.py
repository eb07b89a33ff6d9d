"""Says how far a run of many tasks is: one line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO


class Progress(Protocol):
    """What wants to know how far the run is."""

    def begin(self, total: int, kept: int) -> None: ...

    def advance(self, done: int) -> None: ...

    def lost(self, how: str) -> None: ...

    def end(self) -> None: ...


class Silent:
    """Nobody watches."""

    def begin(self, total: int, kept: int) -> None:
        pass

    def advance(self, done: int) -> None:
        pass

    def lost(self, how: str) -> None:
        pass

    def end(self) -> None:
        pass


class Printer:
    """Writes to a terminal, over and over the same line; to a file, a line every ten seconds."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self.what = what
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty()
        self.total = self.done = self.kept = 0
        self.begun = self.said = time.monotonic()

    def begin(self, total: int, kept: int) -> None:
        self.total, self.done, self.kept = total, kept, kept
        self.begun = self.said = time.monotonic()
        if kept:
            self._line(f"{self.what}: {kept:,} of {total:,} are there from before")

    def advance(self, done: int) -> None:
        self.done += done
        now = time.monotonic()
        if now - self.said < (0.2 if self.live else 10):
            return
        self.said = now
        text = f"{self.what}: {self.done:,} of {self.total:,}, {self._left(now)}"
        if self.live:
            self.stream.write(f"\r\x1b[K{text}")
            self.stream.flush()
        else:
            self._line(text)

    def lost(self, how: str) -> None:
        self._line(f"{self.what}: {how}")

    def end(self) -> None:
        if self.live:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _left(self, now: float) -> str:
        pace = (now - self.begun) / max(1, self.done - self.kept)
        return f"about {pace * (self.total - self.done):.0f} s left"

    def _line(self, text: str) -> None:
        self.stream.write(("\r\x1b[K" if self.live else "") + text + "\n")
        self.stream.flush()
