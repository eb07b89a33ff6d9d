"""What stands in a program and is never looked at: annotations within functions, defaults of parameters nobody reads."""

from __future__ import annotations

import ast
import re

from jumar.port.reading.python_source import FUNCTIONS, Source

ANNOTATED = "an annotation within a function, which Python does not evaluate; it names what is NVIDIA's"
UNREAD = "the default of a parameter that the function never reads"
COMPILED = re.compile(r"jit\b|autotune|heuristics|script|kernel|compile")
LEAST = 2
"""Statements of a function that does something; a shorter one may be a face that others fill."""


def is_annotation(source: Source, node: ast.AST) -> bool:
    """`x: Deque[Event] = deque()` within a function."""
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, ast.AnnAssign):
            scope = source.scope(outer)
            return (
                inner is outer.annotation and isinstance(scope, FUNCTIONS) and not _is_compiled(source, scope)
            )
        if isinstance(outer, ast.stmt):
            return False
        inner = outer
    return False


def _is_compiled(source: Source, function: ast.AST) -> bool:
    """A kernel of Triton's or a function of TorchScript's: its compiler reads annotations."""
    held = getattr(function, "decorator_list", [])
    return any(COMPILED.search(source.text(one)) for one in held)


def is_default(source: Source, node: ast.AST) -> bool:
    """`def f(x, device="cuda")` whose body does not name `device`."""
    arguments = source.parents.get(node)
    function = source.parents.get(arguments) if isinstance(arguments, ast.arguments) else None
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or len(function.body) < LEAST:
        return False
    if function.decorator_list or isinstance(source.parents.get(function), ast.ClassDef):
        return False
    name = _name_of(arguments, node) if isinstance(arguments, ast.arguments) else None
    return name is not None and not any(
        isinstance(one, ast.Name) and one.id in (name, "locals", "vars", "eval", "exec")
        for statement in function.body
        for one in ast.walk(statement)
    )


def _name_of(arguments: ast.arguments, default: ast.AST) -> str | None:
    placed = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(placed[len(placed) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next((one.arg for one, value in pairs if value is default), None)
