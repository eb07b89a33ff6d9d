"""The vendor's error codes of calls and fault codes of chips, loaded and checked: `error_codes.tsv`, `fault_codes.tsv`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
ERROR_COLUMNS = ("code", "name", "words", "source")
FAULT_COLUMNS = ("code", "level", "component", "words", "source")
ERROR_CODE = re.compile(r"[1-9]\d{5}")
# Eight hexadecimal digits come from a chip, nine digits from the vendor's own management software.
FAULT_CODE = re.compile(r"[0-9A-F]{8}|\d{9}")
# How the vendor's device plug-in handles a fault, gravest last.
LEVELS = {
    "NotHandleFault": "is not handled: it passes by itself",
    "SubHealthFault": "the job's own setting says whether it goes on",
    "RestartRequest": "the request is made again, in training the job",
    "RestartBusiness": "the job is started again",
    "FreeRestartNPU": "the chip is reset once it is idle",
    "RestartNPU": "the chip is reset at once and the job started again",
    "PreSeparateNPU": "the chip gets no further jobs",
    "SeparateNPU": "the chip is taken out of service",
}


class BadCode(ValueError):
    """A row that cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Error:
    """What a call of the vendor's runtime answers when it fails."""

    code: int
    name: str
    words: str
    source: str


@dataclass(frozen=True)
class Fault:
    """What a chip reports of itself. `component` and `words` are empty where no public source says them."""

    code: str
    level: str
    component: str
    words: str
    source: str


@cache
def errors(path: Path = HERE / "error_codes.tsv") -> dict[str, Error]:
    """By name."""
    found: dict[str, Error] = {}
    for where, (code, name, words, source) in _rows(path, ERROR_COLUMNS):
        if not ERROR_CODE.fullmatch(code):
            raise BadCode(f"{where}: {code!r} is no error code; write its six digits")
        if name in found or any(one.code == int(code) for one in found.values()):
            raise BadCode(f"{where}: {name} or {code} stands there twice; keep one row")
        if not (name and words and source):
            raise BadCode(f"{where}: {code} lacks its name, words or source")
        found[name] = Error(int(code), name, words, source)
    return found


@cache
def faults(path: Path = HERE / "fault_codes.tsv") -> dict[str, Fault]:
    """By code. The vendor lists two codes under two headings; the graver level holds."""
    found: dict[str, Fault] = {}
    order = list(LEVELS)
    for where, (code, level, component, words, source) in _rows(path, FAULT_COLUMNS):
        if not FAULT_CODE.fullmatch(code):
            raise BadCode(f"{where}: {code!r} is no fault code; write eight hexadecimal digits in capitals")
        if level not in LEVELS:
            raise BadCode(f"{where}: level {level!r} is none of {', '.join(LEVELS)}")
        if not source:
            raise BadCode(f"{where}: {code} lacks its source")
        if code not in found or order.index(found[code].level) < order.index(level):
            found[code] = Fault(code, level, component, words, source)
    return found


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Place and fields of each row."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != columns:
        raise BadCode(f"{path.name}:1: the first line must be the columns {', '.join(columns)}")
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise BadCode(
                f"{path.name}:{number}: {len(fields)} fields, wanted {len(columns)} separated by tabs"
            )
        yield f"{path.name}:{number}", fields
