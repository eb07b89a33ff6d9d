"""Where a Python document imports, or asks for, a package that is tied to NVIDIA's GPUs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jumar.cudamap import Name
from jumar.port import dictionary, packages
from jumar.port.document import Document
from jumar.port.kin import KIN
from jumar.port.reading import python_mocks, python_names, python_source

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


OF_A_RUN = ("stand-in", "the installed package")
"""What `jumar run` does, which is no advice on a line."""


@dataclass(frozen=True)
class Asked:
    place: tuple[int, int]
    what: str
    row: Name
    node: ast.AST

    @property
    def replacement(self) -> str:
        row = dictionary.find("dependencies/distributions", self.row.cuda.replace("_", "-"))
        if row is not None and self.row.ascend.startswith(OF_A_RUN):
            return dictionary.says(row, self.row.note)
        return "; ".join(part for part in (self.row.ascend, self.row.note) if part)

    @property
    def runs_unchanged(self) -> bool:
        """Under the CUDA face."""
        return self.row.cuda in packages.answered_by_face()


def read(document: Document) -> list[Asked]:
    return [*_imports(document), *_questions(document), *_uses(document)]


def _imports(document: Document) -> Iterator[Asked]:
    source = document.once(python_source.read)
    for alias in source.all(ast.alias):
        statement = source.parents[alias]
        name = alias.name
        if isinstance(statement, ast.ImportFrom):
            if statement.level:
                continue
            name = f"{statement.module}.{alias.name}"
        if name.partition(".")[0] in document.own:
            continue
        row = packages.of(name)
        if row is not None:
            yield Asked(source.span(alias), f"imports {name}", row, alias)


def _uses(document: Document) -> Iterator[Asked]:
    """Where names of such a package are used that say CUDA themselves."""
    source = document.once(python_source.read)
    for use in python_names.matching(document, lambda name: names_kin(document, name)):
        row = packages.of(use.name)
        if row is not None and use.how in ("attribute", "name") and _says_so(document, use):
            yield Asked(source.place(use.node), f"uses {use.name}", row, use.node)


def _says_so(document: Document, use: python_names.Use) -> bool:
    """`cuda.atomic.add`, or a name bound by an import; not a variable that once was read from there."""
    if use.how == "attribute":
        return True
    source = document.once(python_source.read)
    return isinstance(use.node, ast.Name) and all(
        isinstance(one, ast.alias) for one in source.bound(use.node)
    )


def names_kin(document: Document, name: str) -> bool:
    """Whether a qualified name is one of such a package, not of the repository's own, and says CUDA."""
    return (
        name.partition(".")[0] not in document.own
        and packages.of(name) is not None
        and bool(KIN.search(name))
    )


def _questions(document: Document) -> Iterator[Asked]:
    source = document.once(python_source.read)
    for node in source.all(ast.Constant):
        if (
            not (isinstance(node.value, str) and packages.is_asked_for(node.value))
            or node.value in document.own
        ):
            continue
        above = source.parents[node]
        if isinstance(above, ast.Call) and node in above.args[:1] and _asks(above.func):
            looks_up = (source.qualified(above.func) or "").startswith(("importlib.", "pytest."))
            if not looks_up and python_mocks.fakes_looking_up(source, node):
                continue  # handed to the program's own function, which asks a fake
            yield Asked(source.span(node), f"asks for {node.value}", packages.by_name()[node.value], node)


def _asks(function: ast.expr) -> bool:
    word = getattr(function, "attr", "") or getattr(function, "id", "")
    return any(part in word.lower() for part in packages.ASKING)
