"""A bounded sample of a long series: its beginning, its end, and a middle that thins out as it grows."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Sample(Generic[Item]):
    """Keeps at most head + middle + tail items with their positions."""

    def __init__(self, head: int = 16, middle: int = 128, tail: int = 16) -> None:
        self.count = 0
        self._head_size, self._middle_size = head, middle
        self._head: list[tuple[int, Item]] = []
        self._middle: list[tuple[int, Item]] = []
        self._tail: deque[tuple[int, Item]] = deque(maxlen=tail)
        self._stride = 1

    def add(self, item: Item) -> None:
        entry = (self.count, item)
        self.count += 1
        if len(self._head) < self._head_size:
            self._head.append(entry)
            return
        if len(self._tail) == self._tail.maxlen:
            self._keep(self._tail[0])
        self._tail.append(entry)

    def _keep(self, entry: tuple[int, Item]) -> None:
        if entry[0] % self._stride:
            return
        self._middle.append(entry)
        if len(self._middle) > self._middle_size:
            self._stride *= 2
            self._middle = [kept for kept in self._middle if kept[0] % self._stride == 0]

    def items(self) -> list[tuple[int, Item]]:
        """What was kept, in order, each with its position in the series."""
        return [*self._head, *self._middle, *self._tail]
