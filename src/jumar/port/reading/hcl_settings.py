"""Settings of Terraform and kin: `key = "value"` with the blocks around them, and their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumar.port.document import Document

DEEPEST = 8
LINE = re.compile(r"^[ \t]*(?P<key>\"[^\"\n]+\"|[\w.\-/]+)[ \t]*[=:][ \t]*(?P<value>[^\n]*)$", re.MULTILINE)
BLOCK = re.compile(r"^[ \t]*(?P<name>[\w\-]+)(?P<labels>(?:[ \t]+\"[^\"\n]*\")*)[ \t]*=?[ \t]*[{\[][ \t]*$")
STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"")


@dataclass(frozen=True, slots=True)
class Setting:
    """`value` is one string of the value (a list has several), without quotes; `blocks`: the nearest, outermost first."""

    blocks: tuple[str, ...]
    key: str
    key_start: int
    value: str
    start: int
    end: int


def settings(document: Document) -> tuple[Setting, ...]:
    return document.once(_settings)


def _settings(document: Document) -> tuple[Setting, ...]:
    found: list[Setting] = []
    blocks: list[str] = []
    for start, line in zip(document.starts, document.lines, strict=False):
        bare = line.split("#", 1)[0] if '"' not in line else line
        if bare.lstrip().startswith(("#", "//")):
            continue
        block = BLOCK.match(bare)
        match = LINE.match(bare)
        if match and not block:
            key = match["key"].strip('"')
            values = [*STRING.finditer(match["value"])]
            offset = start + match.start("value")
            found += [
                Setting(
                    tuple(blocks[-DEEPEST:]),
                    key,
                    start + match.start("key"),
                    one[1],
                    offset + one.start(1),
                    offset + one.end(1),
                )
                for one in values
            ]
            if not values:
                plain = match["value"].strip().rstrip(",{[")
                found.append(
                    Setting(
                        tuple(blocks[-DEEPEST:]),
                        key,
                        start + match.start("key"),
                        plain,
                        offset,
                        offset + len(plain),
                    )
                )
        elif not block and blocks:
            found += [
                Setting(
                    tuple(blocks[-DEEPEST:]),
                    "",
                    start + one.start(1),
                    one[1],
                    start + one.start(1),
                    start + one.end(1),
                )
                for one in STRING.finditer(bare)
            ]
        opened = STRING.sub("", bare)
        if block:
            blocks.append(" ".join([block["name"], *STRING.findall(block["labels"])]))
        else:
            blocks += [match["key"].strip('"') if match else ""] * max(0, _depth(opened))
        closing = -min(0, _depth(opened))
        if closing:
            del blocks[max(0, len(blocks) - closing) :]
    return tuple(found)


def _depth(line: str) -> int:
    return sum(line.count(mark) for mark in "{[(") - sum(line.count(mark) for mark in "}])")
