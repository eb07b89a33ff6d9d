"""Code cells of a notebook: the places of their lines, and which lines are for the shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.reading import json_entries
from jumar.port.reading.entries import Entry

PYTHON_MAGICS = frozenset(("time", "timeit", "capture", "prun", "memit", "python", "python3", "px"))
SHELL_MAGICS = frozenset(("bash", "sh", "script", "shell", "system", "sx"))
MAGIC_LINE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<given>[\w, \t]+=[ \t]*)?(?P<mark>!{1,2}|%{1,2}|\?)(?P<rest>[^\n]*)"
)
HELP = re.compile(r"^[ \t]*[\w.]+\?{1,2}[ \t]*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One string of a cell's source, as it stands from quote to quote, and its text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Cell:
    """`language`: python, shell or other."""

    lines: tuple[Line, ...]
    language: str


def cells(document: Document) -> tuple[Cell, ...]:
    return document.once(_cells)


def _cells(document: Document) -> tuple[Cell, ...]:
    return tuple(_found(json_entries.entries(document)))


def _found(entries: tuple[Entry, ...]) -> Iterator[Cell]:
    kinds: dict[tuple[str, ...], str] = {}
    sources: dict[tuple[str, ...], list[Line]] = {}
    for entry in entries:
        if entry.value is None:
            continue
        if entry.key == "cell_type":
            kinds[entry.path[:-1]] = entry.value
        elif entry.named in ("source", "input") and entry.quoted:
            cell = entry.path[: len(entry.path) - (2 if entry.is_item else 1)]
            sources.setdefault(cell, []).append(Line(entry.value, entry.start, entry.end))
    for cell, lines in sources.items():
        if kinds.get(cell) == "code":
            yield Cell(tuple(lines), _language(lines))


def _language(lines: list[Line]) -> str:
    first = next((line.text.strip() for line in lines if line.text.strip()), "")
    if not first.startswith("%%"):
        return "python"
    word = (first[2:].split() or [""])[0]
    if word in PYTHON_MAGICS:
        return "python"
    return "shell" if word in SHELL_MAGICS else "other"


def as_python(text: str) -> str:
    """As many characters, lines for IPython made statements that do nothing."""
    lines = text.split("\n")
    return "\n".join(_quiet(line) for line in lines)


def _quiet(line: str) -> str:
    match = MAGIC_LINE.match(line)
    if match:
        kept = match["indent"] + (match["given"] or "")
        return kept + "0" + "#" * (len(line) - len(kept) - 1)
    return "0" + "#" * (len(line) - 1) if HELP.match(line) else line


def shell_part(text: str) -> tuple[int, int] | None:
    """Where in a line of Python the command for the shell stands."""
    match = MAGIC_LINE.match(text)
    if not match:
        return None
    rest = match["rest"].lstrip()
    if match["mark"].startswith("!") or rest.startswith(
        ("pip ", "conda ", "mamba ", "env ", "sx ", "system ")
    ):
        return match.start("rest"), match.end("rest")
    return None
