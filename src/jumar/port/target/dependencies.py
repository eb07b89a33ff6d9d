"""What a repository depends on, and what there is of it for Ascend."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.port import dictionary
from jumar.port.document import Document, Unparsed
from jumar.port.reading import python_source, requirement_lines
from jumar.port.repository import Repository
from jumar.port.target import fitting
from jumar.port.target.fitting import Row

TABLE = "dependencies/distributions"
LISTS = ("install_requires", "extras_require", "setup_requires", "tests_require", "requires")
REQUIRES_PYTHON = re.compile(
    r"^\s*(?:requires-python|python_requires)\s*=\s*[\"']?([<>=!~\d., *]+)", re.MULTILINE
)
FRAMEWORKS = ("torch", "pytorch")
FIXED_TO_TORCH = ("torchvision", "torchaudio")


@dataclass(frozen=True)
class Dependency:
    """`state`: as it is (no row: nothing in it is known to be tied to NVIDIA), adapted, or absent."""

    name: str
    rest: str
    path: str
    line: int
    state: str
    ascend: str
    note: str


def of_repository(repository: Repository) -> tuple[list[Dependency], list[Row]]:
    """The dependencies in the order of files, and the rows that they add to the answer."""
    found: list[Dependency] = []
    pythons: list[str] = []
    for name in repository.files():
        if not name.endswith((".txt", ".in", ".toml", ".cfg", "setup.py", ".pip")):
            continue
        document = repository.read(name)
        if isinstance(document, Document):
            found += _of_document(document)
            pythons += [match[1].strip() for match in REQUIRES_PYTHON.finditer(document.text)]
    return found, [*_torch_rows(found, fitting.narrowed(pythons)), *_tied_rows(found)]


def _of_document(document: Document) -> Iterator[Dependency]:
    try:
        if document.kind == "python":
            yield from _of_setup(document)
        elif document.kind in ("requirements", "toml"):
            for one in requirement_lines.requirements(document):
                yield _dependency(document, one.name, one.rest, one.name_start)
    except Unparsed:
        return  # the scan names files that cannot be read


def _of_setup(document: Document) -> Iterator[Dependency]:
    source = document.once(python_source.read)
    for keyword in source.all(ast.keyword):
        if keyword.arg not in LISTS:
            continue
        for text in ast.walk(keyword.value):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                one = requirement_lines.parse(text.value, 0)
                if one is not None:
                    yield _dependency(document, one.name, one.rest, source.span(text)[0])


def _dependency(document: Document, name: str, rest: str, start: int) -> Dependency:
    row = dictionary.find(TABLE, name)
    state, ascend, note = (row.status, row.ascend, row.note) if row else ("as it is", "", "")
    return Dependency(name, rest, document.path, document.position(start)[0], state, ascend, note)


def _torch_rows(found: list[Dependency], pythons: str) -> Iterator[Row]:
    asked = [one for one in found if one.name in FRAMEWORKS]
    wanted = fitting.narrowed([re.sub(r"\+\w+", "", one.rest) for one in asked])
    left = fitting.choices(wanted, requires_python=pythons)
    where = ", ".join(f"{one.path}:{one.line}" for one in asked[:4])
    said = f"torch{wanted or ' (any version)'}" + (f", Python {pythons}" if pythons else "")
    if left:
        best = left[0]
        seen = f"{said}: torch {best.torch}, torch_npu {best.torch_npu}, CANN {best.cann} and {len(left) - 1} others fit"
        yield Row("repository: torch", "ok", seen, "", best.source)
    elif not asked and not pythons:
        return
    else:
        near = fitting.nearest(wanted, fitting.choices(requires_python=pythons) or fitting.choices(wanted))
        remedy = f"allow torch {', '.join(dict.fromkeys(one.torch for one in near[:6]))}"
        yield Row("repository: torch", "bad", f"{said} in {where}: no release of torch_npu fits", remedy)
    for one in found:
        if one.name in FIXED_TO_TORCH and "==" in one.rest:
            seen = f"{one.name}{one.rest} at {one.path}:{one.line}"
            yield Row(
                f"repository: {one.name}", "note", seen, "keep it the release that goes with the torch chosen"
            )


def _tied_rows(found: list[Dependency]) -> Iterator[Row]:
    seen: set[str] = set()
    for one in found:
        if one.state == "as it is" or one.name in seen:
            continue
        seen.add(one.name)
        place = f"{one.name}{one.rest} at {one.path}:{one.line}"
        if one.state == "absent":
            yield Row("repository: no build", "bad", place, one.note)
        else:
            yield Row(
                "repository: other build",
                "note",
                place,
                f"{one.ascend}: {one.note}" if one.ascend else one.note,
            )
    plain = sorted({one.name for one in found if one.state == "as it is"})
    if plain:
        yield Row(
            "repository: as it is",
            "ok",
            f"{len(plain)} packages not known to be tied: {', '.join(plain[:12])}",
        )
