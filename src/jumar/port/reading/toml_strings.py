"""The strings of a TOML file with the table and key they belong to, and their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumar.port.document import Document

TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<newline>\n)|(?P<long>\"\"\".*?\"\"\"|'''.*?''')"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')|(?P<mark>[\[\]{}=,])|(?P<word>[A-Za-z0-9_.+:\-]+)|(?P<rest>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Text:
    """`start` to `end` without the quotes. `key`: the key of the value, `name`: the key itself if this is one."""

    table: str
    key: str
    value: str
    start: int
    end: int
    is_key: bool = False


def texts(document: Document) -> tuple[Text, ...]:
    return document.once(_texts)


def _texts(document: Document) -> tuple[Text, ...]:
    found: list[Text] = []
    table, key, depth = "", "", 0
    pending: list[re.Match[str]] = []
    header: list[str] | None = None
    fresh = True
    for match in TOKEN.finditer(document.text):
        kind, token = match.lastgroup, match[0]
        if kind in ("comment", "rest"):
            continue
        if header is not None:
            if kind == "newline":
                table, key, header, fresh = "".join(header), "", None, True
            elif token not in "[]":
                header.append(token.strip("\"'"))
            continue
        if kind == "newline":
            found += [_text(table, key, one) for one in pending]
            pending, fresh = [], True
        elif token == "[" and fresh and depth == 0:
            header = []
        elif token in ("[", "{"):
            depth, fresh = depth + 1, False
        elif token in ("]", "}"):
            depth = max(0, depth - 1)
        elif token == "=":
            if pending:
                one = pending.pop()
                if depth == 0:
                    key = one[0].strip("\"'")
                found.append(_text(table, key, one, is_key=True))
            found += [_text(table, key, one) for one in pending]
            pending = []
        elif kind in ("string", "long", "word"):
            pending.append(match)
            fresh = False
    return tuple(sorted([*found, *(_text(table, key, one) for one in pending)], key=lambda one: one.start))


def _text(table: str, key: str, match: re.Match[str], is_key: bool = False) -> Text:
    quotes = {"string": 1, "long": 3}.get(match.lastgroup or "", 0)
    start, end = match.start() + quotes, match.end() - quotes
    return Text(table, key, match.string[start:end], start, end, is_key)
