"""A file, once read: its text as it stands, where its lines begin, and whatever was parsed from it, once."""

from __future__ import annotations

import codecs
import re
import tokenize
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from io import BytesIO
from typing import Any, TypeVar

from jumar.port import kinds

Tree = TypeVar("Tree")
NEWLINE = re.compile(r"\r\n|\r|\n")
COPYRIGHT = re.compile(r"copyright[^\r\n]*\bnvidia\b[^\r\n]*")
"""Whose code it is, which ties it to nothing."""
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unparsed(ValueError):
    """The document is not in its language, or in a dialect that the parser does not know."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Document:
    """`path` is relative to the repository, with slashes. `text` keeps the newlines of the file.

    Parsers are functions of a document; `once` remembers what they returned, or the Unparsed they raised.
    """

    def __init__(self, path: str, text: str, kind: str | None = None, encoding: str = "utf-8") -> None:
        self.path = path
        self.text = text
        self.encoding = encoding
        self.own: frozenset[str] = frozenset()
        """Packages that the repository has itself, by their first word; modules of Go by their path."""
        self.kind = kind if kind is not None else kinds.kind_of(path, text)
        self._parsed: dict[Callable[[Document], Any], Any] = {}

    @classmethod
    def of_bytes(cls, path: str, raw: bytes, kind: str | None = None) -> Document | None:
        """None if it is binary."""
        for mark, encoding in BYTE_ORDER_MARKS:
            if raw.startswith(mark):
                return cls._decoded(path, raw, kind, encoding)
        if b"\0" in raw:
            return None
        return cls._decoded(path, raw, kind, _encoding_of(path, raw))

    @classmethod
    def _decoded(cls, path: str, raw: bytes, kind: str | None, encoding: str) -> Document:
        try:
            return cls(path, raw.decode(encoding), kind, encoding)
        except (UnicodeError, LookupError):
            return cls(path, raw.decode("latin-1"), kind, "latin-1")  # gives the same bytes back

    def encoded(self, text: str) -> bytes:
        """Another text in the encoding of this file."""
        return text.encode(self.encoding)

    @cached_property
    def lowered(self) -> str:
        return COPYRIGHT.sub("", self.text.lower())

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in NEWLINE.finditer(self.text))]

    @cached_property
    def newline(self) -> str:
        """How its lines end: that of the first."""
        match = NEWLINE.search(self.text)
        return match[0] if match else "\n"

    @cached_property
    def lines(self) -> list[str]:
        """Without their newlines."""
        return NEWLINE.split(self.text)

    @cached_property
    def _is_ascii(self) -> bool:
        """Asked once: a line of half a megabyte may have tens of thousands of places."""
        return self.text.isascii()

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1."""
        return self.starts[line - 1] + column - 1

    def offset_of_bytes(self, line: int, byte_column: int) -> int:
        """The offset of a line from 1 and a column in UTF-8 bytes from 0, as `ast` and tree-sitter count."""
        start = self.starts[line - 1]
        if self._is_ascii:
            return start + byte_column
        text = self.text[start : start + byte_column]
        if text.isascii():
            return start + byte_column
        return start + len(text.encode()[:byte_column].decode(errors="ignore"))

    def forget(self) -> None:
        """Gives up what was parsed, which knows this document and would keep both until the collector comes."""
        self._parsed.clear()

    def once(self, parse: Callable[[Document], Tree]) -> Tree:
        """What `parse` makes of this document. Unparsed is raised again each time."""
        if parse not in self._parsed:
            try:
                self._parsed[parse] = parse(self)
            except Unparsed as error:
                self._parsed[parse] = error
        parsed = self._parsed[parse]
        if isinstance(parsed, Unparsed):
            raise parsed
        return parsed  # type: ignore[no-any-return]


def _encoding_of(path: str, raw: bytes) -> str:
    if path.endswith((".py", ".pyi")) and b"coding" in raw[:200]:
        try:
            return tokenize.detect_encoding(BytesIO(raw).readline)[0]
        except SyntaxError:
            return "utf-8"
    return "utf-8"
