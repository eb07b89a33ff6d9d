"""The calls of a CMake file, with the places of their arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.reading.shell_words import Word

TOKEN = re.compile(
    r"(?P<comment>#\[(?P<eq>=*)\[.*?\](?P=eq)\]|#[^\n]*)|(?P<space>\s+)|(?P<bracket>\[(?P<eqs>=*)\[.*?\](?P=eqs)\])"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<open>\()|(?P<close>\))|(?P<word>[^\s()#\"]+)|(?P<rest>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Call:
    """`name` in lower case; `arguments` in order, brackets inside them left out."""

    name: str
    start: int
    end: int
    arguments: tuple[Word, ...]

    def has(self, *words: str) -> bool:
        return any(argument.plain in words for argument in self.arguments)


def calls(document: Document) -> tuple[Call, ...]:
    return document.once(_calls)


def _calls(document: Document) -> tuple[Call, ...]:
    found: list[Call] = []
    name: Word | None = None
    arguments: list[Word] = []
    depth = 0
    for match in TOKEN.finditer(document.text):
        kind = match.lastgroup
        kind = "comment" if match["comment"] else "bracket" if match["bracket"] else kind
        if kind in ("comment", "space"):
            continue
        if kind == "open":
            depth += 1
        elif kind == "close" and depth:
            depth -= 1
            if depth == 0 and name:
                found.append(Call(name.text.lower(), name.start, match.end(), tuple(arguments)))
                name, arguments = None, []
        elif depth:
            arguments.append(Word(match[0], match.start(), match.end()))
        elif kind == "word":
            name = Word(match[0], match.start(), match.end())
    return tuple(found)
