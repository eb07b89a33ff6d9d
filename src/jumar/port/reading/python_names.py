"""Every use of a name in a Python document under its qualified name, whichever way the document writes it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.reading import python_source, python_strings
from jumar.port.reading.python_source import Source


@dataclass(frozen=True)
class Use:
    """`name`: qualified. `how`: attribute, name, import (`node` is the alias), getattr, or text (a dotted path)."""

    node: ast.AST
    name: str
    how: str


def read(document: Document) -> list[Use]:
    """Longest chains of attributes, names that an import binds, the imports themselves, getattr and dotted strings."""
    source = document.once(python_source.read)
    found = [
        Use(alias, name, "import") for alias in source.all(ast.alias) if (name := _imported(source, alias))
    ]
    for node in source.all(ast.Attribute):
        above = source.parents[node]
        if not isinstance(above, ast.Attribute) and (name := source.qualified(node)):
            found.append(Use(node, name, "attribute"))
    for word in source.all(ast.Name):
        if isinstance(word.ctx, ast.Load) and not isinstance(source.parents[word], ast.Attribute):
            name = source.qualified(word)
            if name and "." in name:
                found.append(Use(word, name, "name"))
    for call in source.all(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in ("getattr", "hasattr"):
            name = source.qualified(call)
            if name and not isinstance(source.parents[call], ast.Attribute):
                found.append(Use(call, name, "getattr"))
    found += [Use(text.node, text.value, "text") for text in python_strings.of_role(document, "dotted")]
    return sorted(found, key=lambda use: (getattr(use.node, "lineno", 0), getattr(use.node, "col_offset", 0)))


def _imported(source: Source, alias: ast.alias) -> str | None:
    statement = source.parents[alias]
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        return module if alias.name == "*" else f"{module}.{alias.name}"
    return alias.name


def under(document: Document, *prefixes: str) -> list[Use]:
    """Uses of these names and of what is in them."""
    return matching(document, lambda name: any(is_under(name, prefix) for prefix in prefixes))


def matching(document: Document, wanted: Callable[[str], bool]) -> list[Use]:
    return [use for use in document.once(read) if wanted(use.name)]


def is_under(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name[len(prefix) : len(prefix) + 1] in ("", ".")
