"""CUDA and C++ sources: a tree-sitter tree, and whether a place is code, a comment or a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import accumulate

import tree_sitter_cuda
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from jumar.port.document import Document

NO_CODE = frozenset(
    (
        "comment",
        "string_literal",
        "string_content",
        "raw_string_literal",
        "raw_string_content",
        "system_lib_string",
        "char_literal",
    )
)


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
    def _bytes_before(self) -> list[int] | None:
        """The byte each character begins at; None where bytes are characters."""
        if self.text.isascii():
            return None
        return [0, *accumulate(len(letter.encode("utf-8", "surrogatepass")) for letter in self.text)]

    @cached_property
    def _characters_before(self) -> dict[int, int]:
        return {byte: place for place, byte in enumerate(self._bytes_before or ())}

    def byte(self, place: int) -> int:
        return self._bytes_before[place] if self._bytes_before is not None else place

    def place(self, byte: int) -> int:
        return self._characters_before.get(byte, 0) if self._bytes_before is not None else byte

    def span(self, node: Node) -> tuple[int, int]:
        return self.place(node.start_byte), self.place(node.end_byte)

    def read(self, node: Node) -> str:
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def nodes(self, pattern: str) -> Iterator[Node]:
        """What a tree-sitter pattern captures as @it, in order."""
        captured = QueryCursor(_query(pattern)).captures(self.tree.root_node).get("it", [])
        yield from sorted(captured, key=lambda node: node.start_byte)

    def node_at(self, start: int, end: int) -> Node | None:
        return self.tree.root_node.descendant_for_byte_range(self.byte(start), self.byte(end))

    def is_code(self, start: int, end: int) -> bool:
        """Whether these characters are neither comment nor text."""
        node = self.node_at(start, end)
        while node is not None:
            if node.type in NO_CODE:
                return False
            if node.type in ("call_expression", "declaration", "compound_statement", "translation_unit"):
                return True
            node = node.parent
        return True

    def words(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches of the pattern that are code."""
        for match in pattern.finditer(self.text):
            if self.is_code(match.start(), match.end()):
                yield match


def source(document: Document) -> Source:
    return document.once(_source)


def _source(document: Document) -> Source:
    return Source(document.text)
