"""YAML with places, read from events: no recursion, no aliases followed. Go templates (Helm) are masked first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from jumar.port.document import Document
from jumar.port.reading.entries import Entry

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TEMPLATE_LINE = re.compile(
    r"^[ \t]*(?:\{\{[^\n]{0,500}?\}\}|\{%[^\n]{0,500}?%\})[ \t]*(?:#[^\n]*)?$", re.MULTILINE
)
# Of bounded length: where thousands open and none closes, each would look to the end of the line.
TEMPLATE = re.compile(r"\{\{(?:[^}\n]|\}(?!\})){0,500}\}\}|\{%[^\n]{0,500}?%\}")
DEEPEST = 300  # the parser takes quadratic time from here on; nobody wrote that
LINE = re.compile(
    r"^(?P<indent>[ ]*)(?P<dash>(?:-[ ]+){0,30})(?P<key>\"[^\"\n]*\"|'[^'\n]*'|[^\s#:\"'{}\[\]][^\n:#]*?)[ ]*:"
    r"(?:[ ]+(?P<value>[^\n#]*?))?[ ]*(?:[ ]#[^\n]*)?$",
    re.MULTILINE,
)
BLOCK = re.compile(r"[|>][+-]?\d?")


@dataclass
class _Frame:
    """A mapping or list that is still open."""

    path: tuple[str, ...]
    is_list: bool
    start: int
    own_key: tuple[int, int]
    is_item: bool
    key: str | None = None
    key_place: tuple[int, int] = (0, 0)
    number: int = 0


def entries(document: Document) -> tuple[Entry, ...]:
    """All of them, in order of their keys. What no YAML parser reads is read line by line."""
    return document.once(_entries)


def _entries(document: Document) -> tuple[Entry, ...]:
    for text in (document.text, masked(document.text)):
        try:
            return tuple(sorted(_from_events(text), key=lambda entry: (entry.key_start, len(entry.path))))
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
    return tuple(_from_lines(document.text))


def is_well_formed(document: Document) -> bool:
    """Whether it is YAML, templates aside."""
    depth = 0
    try:
        for event in yaml.parse(masked(document.text), Loader=LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                return False
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True


def masked(text: str) -> str:
    """The text with its template actions replaced by as many neutral characters."""
    if "{{" not in text and "{%" not in text:
        return text
    text = TEMPLATE_LINE.sub(lambda match: " " * len(match[0]), text)
    return TEMPLATE.sub(lambda match: "x" * len(match[0]), text)


def _from_events(text: str) -> Iterator[Entry]:
    stack: list[_Frame] = []
    part = -1
    mark = 1 if text.startswith("\ufeff") else 0  # the parser does not count it
    event: Any
    for event in yaml.parse(text[mark:], Loader=LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            part += 1
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            start, end = event.start_mark.index + mark, event.end_mark.index + mark
            scalar = isinstance(event, yaml.ScalarEvent)
            yield from _scalar(
                stack, event.value if scalar else None, start, end, part, bool(scalar and event.style)
            )
        elif isinstance(event, yaml.CollectionStartEvent):
            _open(stack, isinstance(event, yaml.SequenceStartEvent), event.start_mark.index + mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            frame = stack.pop()
            if stack and frame.path:
                end = event.end_mark.index + mark
                yield Entry(frame.path, *frame.own_key, None, frame.start, end, part, frame.is_item)


def _scalar(
    stack: list[_Frame], value: str | None, start: int, end: int, part: int, quoted: bool
) -> Iterator[Entry]:
    if not stack:
        yield Entry(("",), start, start, value, start, end, part, True, quoted)
        return
    frame = stack[-1]
    if frame.is_list:
        path = (*frame.path, str(frame.number))
        frame.number += 1
        yield Entry(path, start, start, value, start, end, part, True, quoted)
    elif frame.key is None:
        frame.key, frame.key_place = value or "", (start, end)
    else:
        yield Entry((*frame.path, frame.key), *frame.key_place, value, start, end, part, False, quoted)
        frame.key = None


def _open(stack: list[_Frame], is_list: bool, start: int) -> None:
    if len(stack) >= DEEPEST:
        raise ValueError("nested too deeply")
    if not stack:
        stack.append(_Frame((), is_list, start, (start, start), False))
        return
    above = stack[-1]
    if above.is_list:
        stack.append(_Frame((*above.path, str(above.number)), is_list, start, (start, start), True))
        above.number += 1
    elif above.key is None:
        above.key, above.key_place = "?", (start, start)  # a mapping as a key: its content is no path
        stack.append(_Frame((*above.path, "?"), is_list, start, (start, start), False))
    else:
        stack.append(_Frame((*above.path, above.key), is_list, start, above.key_place, False))
        above.key = None


def _from_lines(text: str) -> Iterator[Entry]:
    """Key and value of each line, paths from indentation: for templates that are no YAML."""
    above: list[tuple[int, str]] = []
    block = 0
    for match in LINE.finditer(text):
        if match.start() < block:
            continue  # part of a text that stands indented under its key
        indent = len(match["indent"]) + len(match["dash"])
        while above and above[-1][0] >= indent:
            above.pop()
        key = match["key"].strip("\"'")
        path = (*(name for _, name in above), key)
        above.append((indent, key))
        value = match["value"] or None
        start, end = match.span("value") if value else (match.end(), match.end())
        if value and BLOCK.fullmatch(value):
            deeper = re.compile(rf"(?:\n(?:[ \t]*|[ ]{{{len(match['indent']) + 1},}}[^\n]*)(?=\n|$))*")
            end = block = (deeper.match(text, match.end()) or match).end()
            value = text[start:end]
        quoted = bool(value) and value[0] in "\"'" and value[-1] == value[0] if value else False
        plain = value[1:-1] if quoted and value else value
        yield Entry(path, *match.span("key"), plain, start, end, 0, False, quoted)
