"""Loads and checks the tables. A bad row is refused with its file, line and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ("cuda", "ascend", "status", "note")
STATUSES = ("same", "adapted", "absent")


class BadTable(ValueError):
    """A row that cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Name:
    """What one CUDA name is on Ascend.

    `cuda`: the qualified name as a program writes it. `ascend`: what does the work there, empty if nothing does.
    `status`: `same` = the Ascend name means the same; `adapted` = jumar fits it; `absent` = no counterpart.
    `note`: one sentence: how it is fitted, or what to do instead.
    """

    cuda: str
    ascend: str
    status: str
    note: str
    table: str


def all_tables() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in HERE.glob("*.tsv")))


def all_names() -> tuple[Name, ...]:
    return tuple(name for table in all_tables() for name in names(table))


@cache
def names(table: str) -> tuple[Name, ...]:
    """The rows of one table, in order."""
    path = HERE / f"{table}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise BadTable(f"{path.name}:1: the first line must be the columns {', '.join(COLUMNS)}")
    found = [_row(path.name, number, table, line) for number, line in enumerate(lines[1:], 2) if line.strip()]
    seen: set[str] = set()
    for row in found:
        if row.cuda in seen:
            raise BadTable(f"{path.name}: {row.cuda} stands there twice; keep one row")
        seen.add(row.cuda)
    return tuple(found)


def _row(file: str, number: int, table: str, line: str) -> Name:
    fields = line.split("\t")
    if len(fields) != len(COLUMNS):
        raise BadTable(f"{file}:{number}: {len(fields)} fields, wanted {len(COLUMNS)} separated by tabs")
    cuda, ascend, status, note = (field.strip() for field in fields)
    if status not in STATUSES:
        raise BadTable(f"{file}:{number}: status {status!r} is none of {', '.join(STATUSES)}")
    if not cuda:
        raise BadTable(f"{file}:{number}: no CUDA name in the first field")
    if status != "same" and not note:
        raise BadTable(
            f"{file}:{number}: {cuda} is {status}, so it needs a note that says how or what instead"
        )
    return Name(cuda, ascend, status, note, table)
