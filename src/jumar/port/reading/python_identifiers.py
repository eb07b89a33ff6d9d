"""Names of a Python document that say CUDA and that no other rule takes: one a line, where it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import packages
from jumar.port.document import Document
from jumar.port.kin import KIN
from jumar.port.reading import python_source, python_strings
from jumar.port.reading.python_source import Source

Place = tuple[int, int]
TAKEN = re.compile(r"(torch|triton|jax|jaxlib|tensorflow|paddle|mxnet)(\.|$)")
OTHERS = frozenset({"is_cuda", "CUDAExtension", "CUDA_HOME"})
"""Attributes and functions with a rule of their own."""
WORD = re.compile(r"\w+")


def read(document: Document) -> list[tuple[Place, str]]:
    """The place and the name, the first of each name on each line."""
    source = document.once(python_source.read)
    found: dict[tuple[int, str], Place] = {}
    for name, line, start in _all(document, source):
        if (
            KIN.search(name)
            and name not in OTHERS
            and not python_strings.ENVIRONMENT.fullmatch(name)
        ):
            found.setdefault((line, name), (start, start + len(name)))
    return sorted((place, name) for (_, name), place in found.items())


def _all(document: Document, source: Source) -> Iterator[tuple[str, int, int]]:
    """Every name as it is written, its line and offset."""
    for word in source.all(ast.Name):
        if not _has_rule(source, word):
            yield word.id, word.lineno, source.span(word)[0]
    for attribute in source.all(ast.Attribute):
        if (
            attribute.attr not in OTHERS
            and not _has_rule(source, attribute)
            and not _is_method(source, attribute)
        ):
            line = attribute.end_lineno or attribute.lineno
            yield attribute.attr, line, source.span(attribute)[1] - len(attribute.attr)
    for argument in source.all(ast.arg):
        yield argument.arg, argument.lineno, source.span(argument)[0]
    for given in source.all(ast.keyword):
        if given.arg:
            yield given.arg, given.lineno, source.span(given)[0]
    for alias in source.all(ast.alias):
        yield from _imported(source, alias)
    yield from _defined(document, source)


def _has_rule(source: Source, node: ast.expr) -> bool:
    """It stands for a name of PyTorch or of a package that has a finding already."""
    name = source.qualified(node)
    return bool(name and "." in name and (TAKEN.match(name) or packages.of(name)))


def _is_method(source: Source, node: ast.Attribute) -> bool:
    above = source.parents[node]
    return node.attr == "cuda" and isinstance(above, ast.Call) and above.func is node


def _imported(source: Source, alias: ast.alias) -> Iterator[tuple[str, int, int]]:
    statement = source.parents[alias]
    module = statement.module or "" if isinstance(statement, ast.ImportFrom) else ""
    whole = f"{module}.{alias.name}" if module else alias.name
    relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
    start, end = source.span(alias)
    if not relative and (TAKEN.match(whole) or packages.of(whole)):
        return
    for match in WORD.finditer(source.document.text, start, end):
        yield match[0], source.document.position(match.start())[0], match.start()
    if module:
        first = source.span(statement)[0]
        for match in WORD.finditer(source.document.text, first, start):
            if match[0] in module.split("."):
                yield match[0], source.document.position(match.start())[0], match.start()


def _defined(document: Document, source: Source) -> Iterator[tuple[str, int, int]]:
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        for made in source.all(kind):
            name = str(getattr(made, "name", ""))
            if KIN.search(name):
                at = document.text.find(name, source.span(made)[0])
                yield name, document.position(at)[0], at
