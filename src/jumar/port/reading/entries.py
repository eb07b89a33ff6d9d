"""Keys and values of YAML and JSON, flat, each with its place. Aliases are not followed, nothing is constructed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One key with its value, or one item of a list (then the key is its number).

    `path`: keys from the root, the own one last. `value`: the text of a scalar, None for a mapping, a list or an
    alias. `start` to `end`: the value as it stands, quotes and all. `part`: which document of the stream.
    """

    path: tuple[str, ...]
    key_start: int
    key_end: int
    value: str | None
    start: int
    end: int
    part: int = 0
    is_item: bool = False
    quoted: bool = False

    @property
    def key(self) -> str:
        return self.path[-1]

    @property
    def parent(self) -> str:
        return self.path[-2] if len(self.path) > 1 else ""

    @property
    def named(self) -> str:
        """The nearest key that is a word: for an item of a list, that of the list."""
        return next((word for word in reversed(self.path) if not word.isdigit()), "")

    def inner(self, text: str) -> tuple[int, int]:
        """The value's place without its quotes."""
        if self.quoted and self.end - self.start >= 2 and text[self.start] in "\"'":
            return self.start + 1, self.end - 1
        return self.start, self.end
