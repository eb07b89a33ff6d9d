"""Where the comments of a configuration file or script stand, and its text without them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from jumar.port.document import Document

HASH = frozenset(
    (
        "shell",
        "slurm",
        "dockerfile",
        "apptainer",
        "make",
        "yaml",
        "toml",
        "ini",
        "requirements",
        "cmake",
        "lock",
        "bazel",
        "text",
    )
)
SLASHES = frozenset(("ci", "terraform", "json"))
OF_LICENCE = re.compile(
    r"copyright|spdx-|nvidia corporation|\blicen[cs]ed?\b.*\b(?:nvidia|under)|all rights reserved|@authors?\b",
    re.IGNORECASE,
)
LINE_HASH = re.compile(r"(?:^|(?<=[\s;]))#(?!SBATCH|PBS|BSUB|!)[^\n]*", re.MULTILINE)
LINE_SLASHES = re.compile(r"(?:^|(?<=[\s;{}]))(?://[^\n]*|/\*.*?\*/)", re.MULTILINE | re.DOTALL)
OF_TEMPLATE = re.compile(r"\{\{-?[ \t]*/\*.*?\*/[ \t]*-?\}\}", re.DOTALL)
LINE_SEMICOLON = re.compile(r"^[ \t]*;[^\n]*", re.MULTILINE)


def comments(document: Document) -> tuple[tuple[int, int], ...]:
    """Start and end of each comment; what stands in quotes is none."""
    return document.once(_comments)


def _comments(document: Document) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(_found(document)))


def _found(document: Document) -> Iterator[tuple[int, int]]:
    patterns = []
    if document.kind in HASH or document.kind == "terraform":
        patterns.append(LINE_HASH)
    if document.kind == "yaml" and "/*" in document.text:
        patterns.append(OF_TEMPLATE)
    if document.kind in SLASHES:
        patterns.append(LINE_SLASHES)
    if document.kind == "ini":
        patterns.append(LINE_SEMICOLON)
    for pattern in patterns:
        for match in pattern.finditer(document.text):
            if not _in_quotes(document, match.start()):
                yield match.span()


def _in_quotes(document: Document, place: int) -> bool:
    line = document.starts[document.position(place)[0] - 1]
    before = document.text[line:place]
    return before.count('"') % 2 == 1 or before.count("'") % 2 == 1


ADDRESS = re.compile(r"(?:https?|git|ssh|oci)://[^\s\"'<>)\]]+|(?<![\w@])git@[\w.\-]+:\S+")
OF_ADDRESS = {
    "why": "an address of NVIDIA's, or one whose words name CUDA",
    "replacement": "nothing, or beside it an address of what serves Ascend",
}
"""What is said of a line that names CUDA in an address alone."""


def in_address(document: Document, place: int) -> bool:
    starts, ends = document.once(_addresses)
    number = bisect_right(starts, place) - 1
    return number >= 0 and place < ends[number]


def _addresses(document: Document) -> tuple[list[int], list[int]]:
    found = [match.span() for match in ADDRESS.finditer(document.text)]
    return [start for start, _ in found], [end for _, end in found]


def is_licence(line: str) -> bool:
    """Whether the line says who owns the file: it names NVIDIA without a tie to it."""
    return bool(OF_LICENCE.search(line))


def without_comments(document: Document) -> str:
    """As many characters as the text, comments blank."""
    return document.once(_without)


def _without(document: Document) -> str:
    parts, at = [], 0
    for start, end in comments(document):
        if start >= at:
            parts += [document.text[at:start], re.sub(r"[^\n\r]", " ", document.text[start:end])]
            at = end
    return "".join([*parts, document.text[at:]])
