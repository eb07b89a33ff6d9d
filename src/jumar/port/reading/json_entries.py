"""JSON with places, comments and trailing commas allowed, without recursion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document, Unparsed
from jumar.port.reading.entries import Entry

TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|(?P<string>\"(?:[^\"\\\n]|\\.)*\")|(?P<mark>[{}\[\]:,])|(?P<word>[\w.+\-]+)",
    re.DOTALL,
)

DEEPEST = 500  # every level carries the path of all above it


def entries(document: Document) -> tuple[Entry, ...]:
    """All keys and items in order. Unparsed if it is no JSON."""
    return document.once(_entries)


def _entries(document: Document) -> tuple[Entry, ...]:
    return tuple(sorted(_read(document), key=lambda entry: (entry.key_start, len(entry.path))))


def _read(document: Document) -> Iterator[Entry]:
    stack: list[list[Any]] = []  # [path, is_list, key, key_start, key_end, number, start]
    for kind, token, start, end in _tokens(document):
        if kind == "mark" and token in "{[":
            if len(stack) >= DEEPEST:
                raise Unparsed("nested too deeply to be read", document.position(start)[0])
            path, key_start, key_end = _claim(stack, start)
            stack.append([path, token == "[", None, key_start, key_end, 0, start])
        elif kind == "mark" and token in "}]":
            if not stack:
                raise Unparsed("a bracket closes nothing", document.position(start)[0])
            path, _, _, key_start, key_end, _, opened = stack.pop()
            if path:
                is_item = bool(stack and stack[-1][1])
                yield Entry(path, key_start, key_end, None, opened, end, 0, is_item)
        elif kind == "mark":
            continue
        elif stack and not stack[-1][1] and stack[-1][2] is None:
            stack[-1][2:5] = [_plain(token), start, end]
        else:
            is_item = not stack or bool(stack[-1][1])
            path, key_start, key_end = _claim(stack, start)
            yield Entry(path, key_start, key_end, _plain(token), start, end, 0, is_item, token[0] == '"')
    if stack:
        raise Unparsed("ends inside a bracket", len(document.starts))


def _claim(stack: list[list[Any]], start: int) -> tuple[tuple[str, ...], int, int]:
    """The path and key place of the value that begins here."""
    if not stack:
        return (), start, start
    above = stack[-1]
    path: tuple[str, ...] = above[0]
    if above[1]:
        number = above[5]
        above[5] = number + 1
        return (*path, str(number)), start, start
    key, key_start, key_end = above[2], above[3], above[4]
    above[2] = None
    return (*path, str(key)), key_start, key_end


def _tokens(document: Document) -> Iterator[tuple[str, str, int, int]]:
    at, text = 0, document.text
    if text.startswith("\ufeff"):
        at = 1
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Unparsed("no JSON", document.position(at)[0])
        if match.lastgroup:
            yield match.lastgroup, match[0], match.start(), match.end()
        at = match.end()


def _plain(token: str) -> str:
    if token[0] != '"':
        return token
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token[1:-1]
