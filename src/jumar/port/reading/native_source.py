"""CUDA and C++ sources: a tree-sitter tree, and whether a place is code, a comment or a text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import accumulate

import tree_sitter_cuda
from tree_sitter import Language, Parser, Query, QueryCursor

from jumar.port.document import Document

NO_CODE = "[(comment) (string_literal) (raw_string_literal) (system_lib_string) (char_literal)] @it"


@cache
def language() -> Language:
    return Language(tree_sitter_cuda.language())


@cache
def _query(pattern: str) -> Query:
    return Query(language(), pattern)


class Source:
    """The tree of one document; places are characters of its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "surrogatepass")
        self.tree = Parser(language()).parse(self.data)

    @cached_property
    def _characters_before(self) -> dict[int, int] | None:
        """The character that each byte begins; None where bytes are characters."""
        if self.text.isascii():
            return None
        sizes = accumulate((len(letter.encode("utf-8", "surrogatepass")) for letter in self.text), initial=0)
        return {byte: place for place, byte in enumerate(sizes)}

    def place(self, byte: int) -> int:
        return byte if self._characters_before is None else self._characters_before.get(byte, 0)

    @cached_property
    def _no_code(self) -> tuple[list[int], list[int]]:
        """Where comments and texts begin and end, in order."""
        spans = sorted(self._walked() if self.tree.root_node.has_error else self._asked())
        return [start for start, _ in spans], [end for _, end in spans]

    def _asked(self) -> Iterator[tuple[int, int]]:
        found = QueryCursor(_query(NO_CODE)).captures(self.tree.root_node).get("it", [])
        return ((self.place(node.start_byte), self.place(node.end_byte)) for node in found)

    def _walked(self) -> Iterator[tuple[int, int]]:
        """As asked for, step by step: in broken trees a query takes quadratic time."""
        cursor = self.tree.walk()
        while True:
            node = cursor.node
            is_one = node is not None and f"({node.type})" in NO_CODE
            if node is not None and is_one:
                yield self.place(node.start_byte), self.place(node.end_byte)
            if (not is_one and cursor.goto_first_child()) or cursor.goto_next_sibling():
                continue
            while cursor.goto_parent():
                if cursor.goto_next_sibling():
                    break
            else:
                return

    def is_code(self, start: int, end: int) -> bool:
        """Whether these characters are neither comment nor text."""
        starts, ends = self._no_code
        number = bisect_right(starts, start) - 1
        return number < 0 or end > ends[number]

    def words(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches of the pattern that are code."""
        for match in pattern.finditer(self.text):
            if self.is_code(match.start(), match.end()):
                yield match


def source(document: Document) -> Source:
    return document.once(_source)


def _source(document: Document) -> Source:
    return Source(document.text)
