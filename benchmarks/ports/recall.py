"""Replays what people changed when they ported: of their lines that name CUDA or kin, how many does each tool find?"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import mirrors
import peers
import words
from mirrors import Line, Port

PROSE = {".md", ".rst", ".mdx"}
PYTHON = {".py", ".pyi"}
CODE = PYTHON | {".cu", ".cuh", ".c", ".cc", ".cpp", ".h", ".hpp", ".rs"}


COLUMNS = ("set", "repo", "commit", "path", "line", "sort", "found_by")
Tools = Mapping[str, Callable[[Path], peers.Lines]]


@dataclass(frozen=True)
class Judged:
    """A line in question. `sort`: code, comment or docstring, infrastructure, prose. `found`: the tools that name it."""

    line: Line
    sort: str
    found: frozenset[str]


def replay(folder: Path, tools: Tools) -> list[Judged]:
    """All ports: their parents' files laid out, scanned by each tool, and compared line by line."""
    return [judged for port in mirrors.ports() for judged in _of(folder, port, tools)]


def write(folder: Path, table: Path, ask_peers: bool) -> None:
    """A row for each line in question. Without `ask_peers` what the other tools said is kept from the table."""
    tools = peers.present()
    known = {} if ask_peers else _said(table)
    judged = replay(folder, tools if ask_peers else {peers.OURS: tools[peers.OURS]})
    rows = ["\t".join(COLUMNS)]
    for one in judged:
        line, port = one.line, one.line.port
        key = (port.repo, port.commit, line.path, str(line.number))
        found = sorted({*one.found, *(known.get(key, set()) - {peers.OURS})})
        rows.append("\t".join((port.group, port.repo, *key[1:], one.sort, ", ".join(found))))
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _said(table: Path) -> dict[tuple[str, ...], set[str]]:
    if not table.exists():
        return {}
    return {
        (row["repo"], row["commit"], row["path"], row["line"]): set(filter(None, row["found_by"].split(", ")))
        for row in mirrors.rows(table.name)
    }


def _of(folder: Path, port: Port, tools: Tools) -> Iterator[Judged]:
    asked = [line for line in mirrors.changed_out(folder, port) if words.names_kin(line.text)]
    if not asked:
        return
    with tempfile.TemporaryDirectory(prefix="jumar-ports-") as place:
        tree = Path(place) / "tree"
        tree.mkdir()
        mirrors.export(folder, port.repo, port.parent, tree, sorted({line.path for line in asked}))
        answers = {name: tool(tree) for name, tool in tools.items()}
        quiet = {path: _quiet_lines(tree / path) for path in {line.path for line in asked}}
        for line in asked:
            where = (line.path, line.number)
            found = frozenset(name for name, lines in answers.items() if where in lines)
            yield Judged(line, _sort(line, quiet[line.path]), found)


def _sort(line: Line, quiet: set[int]) -> str:
    suffix = PurePosixPath(line.path).suffix.lower()
    if suffix in PROSE:
        return "prose"
    if suffix not in CODE:
        return "infrastructure"
    in_comment = suffix not in PYTHON and line.text.lstrip().startswith(("//", "*", "/*"))
    return "comment, docstring" if in_comment or line.number in quiet else "code"


def _quiet_lines(place: Path) -> set[int]:
    """Lines of a Python file that hold nothing but comment or docstring."""
    if place.suffix not in PYTHON:
        return set()
    text = place.read_text(encoding="utf-8", errors="replace")
    quiet = {number for number, line in enumerate(text.split("\n"), 1) if line.lstrip().startswith("#")}
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return quiet
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            quiet |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return quiet
