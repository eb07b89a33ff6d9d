"""Documents inside documents: cells of notebooks and Python in documentation, with the way back to their places."""

from __future__ import annotations

import json
import re
import textwrap
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from jumar.port.document import Document, Unparsed
from jumar.port.finding import Edit, Finding
from jumar.port.reading.entries import Entry

ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?:u[0-9a-fA-F]{4}|.)|[^\\]+", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Run:
    """`size` characters of the inner text from `inner` on stand in the outer one from `outer` to `outer_end`."""

    inner: int
    size: int
    outer: int
    outer_end: int


class Piece:
    """A text put together from places of an outer document."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.runs: list[Run] = []
        self.size = 0

    def add(self, text: str, outer: int, outer_end: int | None = None) -> None:
        end = outer + len(text) if outer_end is None else outer_end
        self.runs.append(Run(self.size, len(text), outer, end))
        self.fill(text)

    def fill(self, text: str) -> None:
        """Characters that stand nowhere."""
        self.parts.append(text)
        self.size += len(text)

    def add_json(self, text: str, start: int, end: int) -> None:
        """A string of JSON, from quote to quote."""
        for match in ESCAPE.finditer(text, start + 1, end - 1):
            if match[0][0] != "\\":
                self.add(match[0], match.start())
            else:
                self.add(_unescaped(match[0]), match.start(), match.end())

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def outer_start(self, place: int) -> int:
        run = self._run(place)
        return run.outer + min(place - run.inner, run.outer_end - run.outer)

    def outer_end(self, place: int) -> int:
        run = self._run(max(0, place - 1))
        inside = place - run.inner
        return run.outer_end if inside >= run.size else run.outer + inside

    def _run(self, place: int) -> Run:
        number = bisect_right(self.runs, place, key=lambda run: run.inner) - 1
        return self.runs[max(0, number)]


def _unescaped(escape: str) -> str:
    try:
        return str(json.loads(f'"{escape}"'))
    except ValueError:
        return escape[1:]


def as_it_is(text: str) -> str:
    return text


def in_json(text: str) -> str:
    """A text as part of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def dedented(outer: Document, start: int, end: int) -> Piece:
    """A part of the outer text without the indentation that all its lines share."""
    body = outer.text[start:end]
    lines = body.splitlines(keepends=True)
    bare = textwrap.dedent(body).splitlines(keepends=True)
    piece, at = Piece(), start
    for line, plain in zip(lines, bare, strict=True):
        piece.add(plain, at + len(line) - len(plain))
        at += len(line)
    return piece


def findings(
    outer: Document, piece: Piece, kind: str, layer: str | None, written: Callable[[str], str]
) -> Iterator[Finding]:
    """What the rules of a kind find in the piece, placed in the outer document. Unparsed if they cannot read it."""
    from jumar.port import rules  # the rule that asks is one of them

    inner = Document(outer.path, piece.text, kind)
    inner.own = outer.own
    trouble: Unparsed | None = None
    for loaded in rules.possible(inner):
        try:
            yield from (_placed(outer, inner, piece, one, layer, written) for one in loaded.check(inner))
        except Unparsed as error:
            trouble = error
    if trouble is not None:
        raise trouble


def _placed(
    outer: Document,
    inner: Document,
    piece: Piece,
    one: Finding,
    layer: str | None,
    written: Callable[[str], str],
) -> Finding:
    start = piece.outer_start(inner.offset(one.line, one.column))
    end = max(start, piece.outer_end(inner.offset(one.end_line, one.end_column)))
    line, column = outer.position(start)
    end_line, end_column = outer.position(end)
    edit = _edits(piece, one.edit, written)
    return replace(
        one,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        layer=layer or one.layer,
        edit=edit,
        safety=one.safety if edit else "report",
    )


def _edits(
    piece: Piece, edits: Sequence[Edit] | None, written: Callable[[str], str]
) -> tuple[Edit, ...] | None:
    """The edits in the outer document; None if one of them reaches over what stands nowhere."""
    if not edits:
        return None
    placed = []
    for edit in edits:
        start, end = piece.outer_start(edit.start), piece.outer_end(edit.end)
        if edit.start == edit.end:
            end = start
        whole = sum(run.outer_end - run.outer for run in piece.runs if edit.start <= run.inner < edit.end)
        if end < start or (
            edit.end - edit.start > 0 and end - start > max(whole, (edit.end - edit.start) * 6)
        ):
            return None
        placed.append(Edit(start, end, written(edit.text)))
    return tuple(placed)


def strings(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.value is not None and entry.quoted]
