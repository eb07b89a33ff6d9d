"""Findings that a comment in the file asks to leave out: `jumar: ignore[C012]` for a line, `jumar: ignore-file`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jumar.port.document import Document
from jumar.port.finding import Finding, Trouble

MARK = re.compile(r"\bjumar:\s*ignore(-file)?\b(?:\[([^\]\n]*)\])?")

NO_RULE = "no rule has such a code, write one as C012, or the beginning of some as C0"


def kept(document: Document, findings: Iterable[Finding]) -> list[Finding]:
    """Those that nothing in the document asks to leave out. Without codes in brackets all are meant; `C` is every C."""
    if "jumar:" not in document.text:
        return list(findings)
    whole: list[str] = []
    by_line: dict[int, list[str]] = {}
    for match in MARK.finditer(document.text):
        codes = [code.strip() for code in match[2].split(",")] if match[2] else [""]
        if match[1]:
            whole += codes
        else:
            by_line.setdefault(document.position(match.start())[0], []).extend(codes)
    return [one for one in findings if not _left_out(one, whole, by_line)]


def unknown(document: Document, known: Iterable[str]) -> list[Trouble]:
    """Codes in comments that are no rule's, nor the beginning of one: they leave nothing out."""
    if "jumar:" not in document.text:
        return []
    known = tuple(known)
    return [
        Trouble(
            document.path,
            document.position(match.start())[0],
            f"ignore[{code}] leaves nothing out: {NO_RULE}",
        )
        for match in MARK.finditer(document.text)
        for code in map(str.strip, (match[2] or "").split(","))
        if code and not any(one.startswith(code) for one in known)
    ]


def _left_out(one: Finding, whole: list[str], by_line: dict[int, list[str]]) -> bool:
    codes = (*whole, *by_line.get(one.line, ()), *by_line.get(one.end_line, ()))
    return one.code.startswith(codes)
