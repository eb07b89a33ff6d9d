"""Where the comments of a Python document stand that may speak of CUDA."""

from __future__ import annotations

import ast
import re

from jumar.port import kin
from jumar.port.document import Document
from jumar.port.reading import python_source

MARK = re.compile(r"#[^\r\n]*")


def read(document: Document) -> list[tuple[int, int]]:
    """Start and end of each such comment, with its mark. A mark inside a string is none."""
    wanted = [line for line in document.once(kin.lines) if "#" in document.lines[line - 1]]
    if not wanted:
        return []
    there = frozenset(wanted)
    source = document.once(python_source.read)
    texts: dict[int, list[tuple[int, int]]] = {}
    strings = [node for node in source.all(ast.Constant) if isinstance(node.value, (str, bytes))]
    for node in (*strings, *source.all(ast.JoinedStr)):
        if isinstance(source.parents[node], (ast.JoinedStr, ast.FormattedValue)):
            continue  # the whole f-string is there too
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            if line in there:
                texts.setdefault(line, []).append(_columns(document, node, line))
    found = []
    for number in sorted(wanted):
        start = document.starts[number - 1]
        end = document.starts[number] if number < len(document.starts) else len(document.text)
        at = start
        while (match := MARK.search(document.text, at, end)) is not None:
            after = next(
                (last for first, last in texts.get(number, ()) if first <= match.start() < last), None
            )
            if after is None:
                found.append(match.span())
                break
            at = after
    return found


def _columns(document: Document, node: ast.expr, line: int) -> tuple[int, int]:
    """Which characters of a line a string covers."""
    last = node.end_lineno or node.lineno
    start = (
        document.offset_of_bytes(line, node.col_offset) if line == node.lineno else document.starts[line - 1]
    )
    if line == last:
        return start, document.offset_of_bytes(line, node.end_col_offset or 0)
    return start, document.starts[line]
