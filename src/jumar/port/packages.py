"""Python packages that are tied to NVIDIA's GPUs, by the name they are imported under."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jumar import cudamap
from jumar.cudamap import Name
from jumar.port.document import Document

# Each begins with a literal, by which the regular expression engine finds its way fast.
IMPORT = re.compile(r"import ([\w., ]+)")
FROM = re.compile(r"from (\w+)")
QUOTED = re.compile(r'"([\w.]+)"')
QUOTED_ONCE = re.compile(r"'([\w.]+)'")
WORD = re.compile(r"\w+")
ASKING = (
    "import",
    "find_spec",
    "available",
    "version",
    "package",
    "require",
    "installed",
    "exists",
    "skip",
    "spec",
)
"""What is in the name of a function that asks whether a package is there."""
HARMLESS = frozenset({"numba"})
"""Known to the CUDA face for a part of them, and otherwise no tie."""
FOR_NPU = re.compile(r"(^|[/_])(ascend|npu)([/_.]|$)", re.IGNORECASE)
"""Paths of files that are for Ascend already: their Triton is triton-ascend."""
TABLE = Path(__file__).parent / "packages.tsv"


@cache
def by_name() -> dict[str, Name]:
    """What the CUDA face knows of, and from the table beside this file what it does not, or what a port does instead."""
    found = {row.cuda: row for row in cudamap.names("packages")}
    lines = TABLE.read_text(encoding="utf-8").splitlines()[1:]
    for number, line in enumerate(lines, 2):
        fields = line.split("\t")
        if len(fields) != 4 or fields[2] not in cudamap.STATUSES:
            raise cudamap.BadTable(
                f"{TABLE.name}:{number}: wanted name, Ascend name, status, note with tabs between"
            )
        found[fields[0]] = Name(fields[0], fields[1], fields[2], fields[3], "port/packages")
    return {name: row for name, row in found.items() if row.status != "same" and name not in HARMLESS}


def of(module: str) -> Name | None:
    """The row of a module, or of the longest package around it that has one."""
    while module:
        if module in by_name():
            return by_name()[module]
        module = module.rpartition(".")[0]
    return None


@cache
def first_words() -> frozenset[str]:
    """The first words of all names."""
    return frozenset(name.partition(".")[0] for name in by_name())


def mentioned(document: Document) -> bool:
    """Whether the text may import one of them, or ask for one by its name in a string."""
    text = document.text
    words = {word for listed in IMPORT.findall(text) for word in WORD.findall(listed)} | set(
        FROM.findall(text)
    )
    if not first_words().isdisjoint(words - document.own):
        return True
    if not any(word in text for word in ASKING):
        return False
    asked = {*QUOTED.findall(text), *QUOTED_ONCE.findall(text)}
    return not by_name().keys().isdisjoint(asked - document.own)


def is_possible(document: Document) -> bool:
    return document.once(mentioned)


@cache
def answered_by_face() -> frozenset[str]:
    """Packages that have a stand-in in a run, or work there as they are."""
    return frozenset(row.cuda for row in cudamap.names("packages") if row.status != "absent")


def is_asked_for(text: str) -> bool:
    """Whether a string may be the name of one of them, as in `find_spec("flash_attn")`."""
    return bool(re.fullmatch(r"[A-Za-z_][\w.]*", text)) and text in by_name()
