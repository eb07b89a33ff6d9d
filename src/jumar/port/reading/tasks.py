"""The task of Ansible around a place, as far as its lines tell what becomes of it without NVIDIA's software."""

from __future__ import annotations

import re

from jumar.port.document import Document

HEAD = re.compile(r"(?P<indent>[ \t]*)-[ \t]+(?:name|block|hosts|[a-z]+(?:[._][a-z]+)*):(?=[ \t]|$)")
REMOVES = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?(?:state|enabled|started)[\"']?[ \t]*:[ \t]*[\"']?(?:absent|stopped|removed|no|false)\b"
    r"|\bstate=(?:absent|stopped|removed)\b",
    re.MULTILINE | re.IGNORECASE,
)
FORGIVES = re.compile(
    r"^[ \t]*(?:-[ \t]+)?(?:ignore_errors[ \t]*:[ \t]*[\"']?(?:yes|true)|failed_when[ \t]*:[ \t]*[\"']?(?:no|false))",
    re.MULTILINE | re.IGNORECASE,
)
ASKS = re.compile(
    r"^[ \t]*(?:-[ \t]+)?when[ \t]*:[^\n]*(?:\n[ \t]*-[^\n]*)*?(?:nvidia|cuda|gpu)",
    re.MULTILINE | re.IGNORECASE,
)
UNINSTALLS = re.compile(r"(?<![a-z])(?:uninstall|remove|purge|clean(?:up)?|disable)(?![a-z])", re.IGNORECASE)
FARTHEST = 40


def text_of(document: Document, place: int) -> str:
    """The lines of the task, empty if the place is in none."""
    line = document.position(place)[0] - 1
    first = _head(document.lines, line)
    if first is None:
        return ""
    depth = _indent(document.lines[first])
    last = first + 1
    while last < min(len(document.lines), first + 2 * FARTHEST):
        if document.lines[last].strip() and _indent(document.lines[last]) <= depth:
            break
        last += 1
    return "\n".join(document.lines[first:last])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _head(lines: list[str], line: int) -> int | None:
    depth = _indent(lines[line]) if not HEAD.match(lines[line]) else _indent(lines[line]) + 1
    for at in range(line, max(-1, line - FARTHEST), -1):
        head = HEAD.match(lines[at])
        if head and len(head["indent"]) < depth:
            return at
    return None


def weight(document: Document, place: int) -> str | None:
    """What a task weighs that takes something away, or that goes on without NVIDIA's chips. None for any other."""
    text = text_of(document, place)
    if REMOVES.search(text):
        return "cosmetic"
    return "degrades" if FORGIVES.search(text) or ASKS.search(text) else None
