"""Names of a Python document that say CUDA and that no other rule takes: one a line, where it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from jumar.port import kin, packages
from jumar.port.document import Document
from jumar.port.kin import KIN
from jumar.port.reading import python_packages, python_source, string_patterns
from jumar.port.reading.python_source import Source

Place = tuple[int, int]
TAKEN = re.compile(r"(torch|triton|jax|jaxlib|tensorflow|paddle|mxnet)(\.|$)")
OTHER_FRAMEWORKS = re.compile(r"(torch|tensorflow|paddle|mxnet|jax)\.")
OTHERS = frozenset({"is_cuda", "CUDAExtension", "CUDA_HOME"})
"""Attributes and functions with a rule of their own."""
WORD = re.compile(r"\w+")
QUESTION = re.compile(
    r"is_torch_(bf16_)?(gpu|cuda)(_available\w*)?|is_bf16_gpu_available|require_(torch_)?"
    r"(multi_|non_|single_|large_)?(gpu|cuda)\w*|skip_if_no_(gpu|cuda)|requires_(gpu|cuda)\w*|is_cuda_available|is_gpu_available"
    r"|skipIfNo(GPU|Cuda|CUDA)|skip_if_lt_x_gpu|onlyCUDA|TEST_CUDA|TEST_MULTIGPU|has_cuda|HAS_CUDA|HAS_GPU|requires_nccl\w*"
)
"""What libraries and test suites call their questions for a GPU."""


def read(document: Document) -> list[tuple[Place, str]]:
    """The place and the name, the first of each name on each line."""
    source = document.once(python_source.read)
    found: dict[tuple[int, str], Place] = {}
    for name, start in _all(document, source):
        line = document.position(start)[0]
        found.setdefault((line, name), (start, start + len(name)))
    return sorted((place, name) for (_, name), place in found.items())


@cache
def says_cuda(name: str) -> bool:
    return bool(KIN.search(name))


def _all(document: Document, source: Source) -> Iterator[tuple[str, int]]:
    """Every name that says CUDA as it is written, and its offset."""
    there = document.once(kin.lines)
    for word in source.all(ast.Name):
        if word.lineno in there and says_cuda(word.id) and not _has_rule(source, word):
            yield word.id, source.span(word)[0]
    for attribute in source.all(ast.Attribute):
        if attribute.end_lineno in there and says_cuda(attribute.attr) and not _is_taken(source, attribute):
            yield attribute.attr, source.span(attribute)[1] - len(attribute.attr)
    for argument in source.all(ast.arg):
        if says_cuda(argument.arg):
            yield argument.arg, source.span(argument)[0]
    for given in source.all(ast.keyword):
        if given.arg and says_cuda(given.arg) and not string_patterns.ENVIRONMENT.fullmatch(given.arg):
            yield given.arg, source.span(given)[0]
    for alias in source.all(ast.alias):
        yield from _imported(source, alias)
    yield from _defined(document, source)


def is_question(name: str) -> bool:
    """Whether a qualified name, of another module, asks for a GPU."""
    return not OTHER_FRAMEWORKS.match(name) and bool(QUESTION.fullmatch(name.rpartition(".")[2]))


def _has_rule(source: Source, node: ast.expr) -> bool:
    """It stands for a name of PyTorch or of a package that has a finding already."""
    name = source.qualified(node)
    if name and "." not in name and isinstance(node, ast.Name) and name != "cuda":
        return name not in source.document.own and packages.of(name) is not None
    return bool(
        name
        and "." in name
        and (TAKEN.match(name) or python_packages.names_kin(source.document, name) or is_question(name))
    )


def _is_taken(source: Source, node: ast.Attribute) -> bool:
    """It has a rule of its own, or is the method cuda()."""
    if node.attr in OTHERS or _has_rule(source, node):
        return True
    above = source.parents[node]
    return node.attr == "cuda" and isinstance(above, ast.Call) and above.func is node


def _is_imported_tie(source: Source, name: str) -> bool:
    """The import has a finding of its own."""
    own = name.partition(".")[0] in source.document.own
    return bool(TAKEN.match(name) or (not own and packages.of(name)))


def _imported(source: Source, alias: ast.alias) -> Iterator[tuple[str, int]]:
    statement = source.parents[alias]
    module = (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""
    whole = f"{module}.{alias.name}" if module else alias.name
    if not says_cuda(f"{whole} {alias.asname}"):
        return
    relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
    if is_question(whole) or (not relative and _is_imported_tie(source, whole)):
        return
    start, end = source.span(alias)
    begin = source.span(statement)[0] if says_cuda(module) else start
    for match in WORD.finditer(source.document.text, begin, end):
        within = match.start() >= start or match[0] in module.split(".")
        if within and says_cuda(match[0]):
            yield match[0], match.start()


def _defined(document: Document, source: Source) -> Iterator[tuple[str, int]]:
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        for made in source.all(kind):
            name = str(getattr(made, "name", ""))
            if says_cuda(name):
                yield name, document.text.find(name, source.span(made)[0])
