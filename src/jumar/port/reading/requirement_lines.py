"""Requirements with the place of each part, from requirements files and from strings of other files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.reading import toml_strings

NAME = re.compile(
    r"[ \t]*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)[ \t]*(?P<extras>\[[^\]\n]*\])?"
    r"[ \t]*(?P<rest>(?:[=<>!~@(][^;#\n]*)?)(?P<marker>;[^#\n]*)?"
)
LINE = re.compile(r"^(?P<text>[^\n]*)$", re.MULTILINE)
OPTION = re.compile(r"[ \t]*-{1,2}[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Requirement:
    """`name` as normalised (PEP 503), `extras` with their brackets, `rest`: version or address;
    `start` to `end`: the whole requirement."""

    name: str
    rest: str
    marker: str
    name_start: int
    name_end: int
    start: int
    end: int
    extras: str = ""

    @property
    def asked(self) -> str:
        """The name, with the extras where they ask for CUDA: `jax[cuda12]`."""
        return self.name + self.extras if "cuda" in self.extras else self.name


def parse(text: str, base: int) -> Requirement | None:
    match = NAME.match(text)
    if not match or not match["name"]:
        return None
    after = text[match.end() :].strip()
    if after and not after.startswith(("#", "\\")):
        return None
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    end = base + len(match[0].rstrip())
    return Requirement(
        name,
        match["rest"].strip(),
        (match["marker"] or "").strip(),
        base + match.start("name"),
        base + match.end("name"),
        base + match.start("name"),
        end,
        (match["extras"] or "").replace(" ", "").lower(),
    )


def requirements(document: Document) -> tuple[Requirement, ...]:
    """Of a requirements file, or of the dependency lists of a TOML file."""
    return document.once(_requirements)


def _requirements(document: Document) -> tuple[Requirement, ...]:
    return tuple(_of_toml(document) if document.kind == "toml" else _of_lines(document))


def _of_lines(document: Document) -> Iterator[Requirement]:
    for start, line in zip(document.starts, document.lines, strict=False):
        if line.strip() and not line.lstrip().startswith("#") and not OPTION.match(line):
            found = parse(line, start)
            if found:
                yield found


def _of_toml(document: Document) -> Iterator[Requirement]:
    for text in toml_strings.texts(document):
        is_name = is_dependency_table(text.table) if text.is_key else is_dependency_list(text.table, text.key)
        if is_name and (found := parse(text.value, text.start)):
            yield found


def is_dependency_list(table: str, key: str) -> bool:
    return key in (
        "dependencies",
        "requires",
        "dev-dependencies",
        "override-dependencies",
        "constraint-dependencies",
    ) or table.endswith(("optional-dependencies", "dependency-groups", "pdm.dev-dependencies"))


def is_dependency_table(table: str) -> bool:
    """Poetry and Pipfile: the keys are the names."""
    return (table.startswith("tool.poetry") and table.endswith("dependencies")) or table in (
        "packages",
        "dev-packages",
    )
