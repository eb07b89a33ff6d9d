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


def is_question(use: Use) -> bool:
    """Whether it is only asked if the name is there: `hasattr(torch.cuda, "x")`, or getattr with something else."""
    if not isinstance(use.node, ast.Call):
        return False
    name = getattr(use.node.func, "id", "")
    return name == "hasattr" or (name == "getattr" and len(use.node.args) == 3)


def read(document: Document) -> list[Use]:
    """Longest chains of attributes, names that an import binds, the imports themselves, getattr and dotted strings."""
    source = document.once(python_source.read)
    found = [
        Use(alias, name, "import") for alias in source.all(ast.alias) if (name := _imported(source, alias))
    ]
    promising = source.promising
    for word in source.all(ast.Name):
        if word.id not in promising:
            continue
        node: ast.expr = word
        while isinstance(above := source.parents[node], ast.Attribute):
            node = above
        if node is word and (word.ctx.__class__ is not ast.Load or word.id not in source.followed):
            continue
        name = source.qualified(node)
        if name and "." in name:
            found.append(Use(node, name, "name" if node is word else "attribute"))
    for chain in source.all(ast.Attribute):
        if isinstance(chain.value, ast.Call) and source.is_getattr(chain.value):
            node = chain
            while isinstance(above := source.parents[node], ast.Attribute):
                node = above
            if name := source.qualified(node):
                found.append(Use(node, name, "attribute"))
    for call in source.all(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in ("getattr", "hasattr"):
            name = source.qualified(call)
            if name and not _goes_on(source, call):
                found.append(Use(call, name, "getattr"))
    found += [
        Use(text.node, text.value[text.value.index("torch.") :], "text")
        for text in python_strings.of_role(document, "dotted")
    ]
    return sorted(found, key=lambda use: (getattr(use.node, "lineno", 0), getattr(use.node, "col_offset", 0)))


def _goes_on(source: Source, call: ast.Call) -> bool:
    """A longer name contains it: `getattr(torch, "cuda").x`, or getattr of what getattr gave."""
    above = source.parents[call]
    if isinstance(above, ast.Attribute):
        return True
    return (
        isinstance(above, ast.Call)
        and above.args[:1] == [call]
        and source.is_getattr(above)
        and source.qualified(above) is not None
    )


def _imported(source: Source, alias: ast.alias) -> str | None:
    statement = source.parents[alias]
    if isinstance(statement, ast.ImportFrom):
        module = "." * statement.level + (statement.module or "")
        return module if alias.name == "*" else f"{module}.{alias.name}"
    return alias.name


def by_name(document: Document) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in document.once(read):
        found.setdefault(use.name, []).append(use)
    return found


def under(document: Document, *prefixes: str) -> list[Use]:
    """Uses of these names and of what is in them."""
    return matching(document, lambda name: any(is_under(name, prefix) for prefix in prefixes))


def matching(document: Document, wanted: Callable[[str], bool]) -> list[Use]:
    """Uses of the names that are wanted, name by name."""
    return [use for name, uses in document.once(by_name).items() if wanted(name) for use in uses]


def is_under(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and name[len(prefix) : len(prefix) + 1] in ("", ".")
