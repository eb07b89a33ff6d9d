"""The instructions of a Dockerfile, with places: continuations, comments between them and here-documents included."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumar.port.document import Document

START = re.compile(r"[ \t]*(?P<word>[A-Za-z]+)(?P<gap>[ \t]+)")
KNOWN_WORDS = """
    FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL
    HEALTHCHECK SHELL
"""
KNOWN = frozenset(KNOWN_WORDS.split())
HERE = re.compile(r"<<-?[ \t]*([\"']?)([A-Za-z_]\w*)\1")


@dataclass(frozen=True, slots=True)
class Step:
    """`start` to `end`: the whole instruction without its last newline. `body_start`: where its arguments begin."""

    word: str
    start: int
    end: int
    body_start: int
    body: str


def steps(document: Document) -> tuple[Step, ...]:
    return document.once(_steps)


def _steps(document: Document) -> tuple[Step, ...]:
    found: list[Step] = []
    lines, starts, text = document.lines, document.starts, document.text
    alone = _alone(lines) if "<<" in text else {}
    number = 0
    while number < len(lines):
        match = START.match(lines[number])
        if not match or match["word"].upper() not in KNOWN:
            number += 1
            continue
        first = number
        while _continues(lines[number]) and number + 1 < len(lines):
            number += 1
            while number + 1 < len(lines) and _is_comment(lines[number]):
                number += 1
        head = text[starts[first] : starts[number] + len(lines[number])]
        if match["word"].upper() in ("RUN", "COPY", "ADD"):
            for here in HERE.finditer(head):
                closing = next((at for at in alone.get(here[2], ()) if at > number), None)
                number = closing if closing is not None else number
        end = starts[number] + len(lines[number])
        body_start = starts[first] + match.end()
        found.append(
            Step(
                match["word"].upper(),
                starts[first] + match.start("word"),
                end,
                body_start,
                text[body_start:end],
            )
        )
        number += 1
    return tuple(found)


def _alone(lines: list[str]) -> dict[str, list[int]]:
    """By its text, the lines that hold one word, which may close a here-document."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if (word := line.strip()).isidentifier():
            found.setdefault(word, []).append(number)
    return found


def _continues(line: str) -> bool:
    return line.rstrip().endswith("\\")


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#") or not line.strip()
