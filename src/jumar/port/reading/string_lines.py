"""Strings of several lines, line by line: which line has the command, the variable or the device, and which only words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from jumar.cudamap import names
from jumar.port import kin
from jumar.port.document import Document
from jumar.port.reading.string_patterns import CODE, COMMAND, CONFIGURATION, ERROR, SETTING, TOOLKIT

PARTED = frozenset({"device in text", "environment", "command", "toolkit", "error text", "message"})
"""Roles of whole strings that belong to some of their lines only."""
FILLED_IN = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")
"""What an f-string fills in: names of the program, no part of the text."""
SPOKEN = re.compile(
    r"[rbfuRBFU]*[\"']*\s*(?:#|//|(?:echo|printf)\b(?!.*(?:\$\(|`|\|))|print\(|raise\b|assert\b.*,\s*[\"']|\w*log\w*\.\w+\()"
)
"""Lines of a script that are read, or that say something."""
QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
QUOTES = re.compile(r"^[rbfuRBFU]{0,2}(?:\"\"\"|'''|[\"'])|(?:\"\"\"|'''|[\"'])[,)\]]*$")
"""Around the line, where it is a string of its own among several."""
SENTENCE = re.compile(r"[rbfuRBFU]?[\"']")
"""A line of a script that begins with a text: a part of a message, or an item of a list."""
BEFORE = re.compile(
    r"(?:^|[^\w\s/.-]\s*|\b(?:sudo|exec|then|do|if|else|time|env|which|command -v|type|!|timeout \d+\w?|=\w+|run)\s+)$"
)
"""What stands before a command, where it is one and no word of a sentence."""
ASSIGNED = re.compile(r"\s*[\"']?(\w+)=[^\s;]*\s*(?:;.*)?[\"'\\n]*$")


@dataclass(frozen=True)
class Part:
    """A line of a string: where its word stands, what it says, the part it plays."""

    place: tuple[int, int]
    value: str
    role: str


def parts(document: Document, node: ast.expr, span: tuple[int, int], role: str) -> Iterator[Part]:
    """The lines that name CUDA or kin, of a string that goes over several."""
    filled = isinstance(node, ast.JoinedStr)
    quoted = document.text[span[0] : span[1]].endswith(('"""', "'''"))  # quotes inside are the script's
    compiled = (
        role == "toolkit" and "#include" in document.text[span[0] : span[1]]
    )  # CUDA C++, every line of it
    first, last = document.position(span[0])[0], document.position(span[1])[0]
    for line in range(first, last + 1):
        if not kin.is_on(document, line, line):
            continue
        start = max(span[0], document.starts[line - 1])
        stop = min(span[1], document.starts[line] if line < len(document.starts) else len(document.text))
        written = document.text[start:stop]
        if filled:
            written = FILLED_IN.sub(lambda match: " " * len(match[0]), written)
        place = kin.said(written)
        if place is not None:
            value = document.text[start:stop].strip()
            value = value if quoted else QUOTES.sub("", value)
            part = role if compiled else _role(written.strip(), role, quoted)
            yield Part((start + place[0], start + place[1]), value, part)


def _role(line: str, whole: str, quoted: bool) -> str:
    if whole == "message":
        return whole
    if SPOKEN.match(line):
        line = line if line.startswith(("print(", "assert")) else ""
        line = QUOTED.sub('""', line)
    elif quoted and " " in line and SENTENCE.match(line):
        line = QUOTED.sub('""', line)
    for role, found in _candidates(line, whole):
        if found:
            return role
    return "message"


def _candidates(line: str, whole: str) -> Iterator[tuple[str, bool]]:
    """What the line may be, the part of the whole string first."""
    yield "error text", whole == "error text" and bool(ERROR.search(line))
    yield "environment", bool(SETTING.search(line)) and not _is_own(line)
    yield "command", any(BEFORE.search(line[: match.start()]) for match in COMMAND.finditer(line))
    yield "device in text", bool(CODE.search(line) or CONFIGURATION.search(line))
    yield "toolkit", bool(TOOLKIT.search(line))


def _is_own(line: str) -> bool:
    """A variable of the script's own: assigned, not handed on, and none that is known."""
    match = ASSIGNED.match(line)
    return match is not None and match[1] not in _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(row.cuda for row in names("environment"))
