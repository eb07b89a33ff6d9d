"""Who in the same file comes to a function or a value: what nobody else can call or read is reached only as they do."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from jumar.port.document import Document
from jumar.port.reading import python_source
from jumar.port.reading.python_source import Source

Standing = Callable[[ast.AST], "str | None"]
JITTED = re.compile(r"\bjit\b|\bautotune\b|\bheuristics\b")
FOR_CPU = re.compile(
    r"\b(?:\w*_)?cpu_only\b|\bforce_cpu\b|\b(?:no|without|not \w*(?:use|with|have|has))_?cuda\b",
    re.IGNORECASE,
)
MOST = 40
"""Calls and reads of one name that are looked at."""


def of_callers(source: Source, function: ast.AST, standing: Standing) -> str | None:
    """How all callers of a private function, or of a kernel of Triton's, come to it; None where one has no guard."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    private = function.name.startswith("_") and not function.name.startswith("__")
    private = private or source.document.path.rpartition("/")[2] == "setup.py"  # nobody imports it
    if not private and not any(JITTED.search(source.text(one)) for one in function.decorator_list):
        return None
    if isinstance(source.parents.get(function), ast.ClassDef):
        return None
    uses = [
        one
        for one in source.document.once(_reads).get(function.name, [])
        if not (function.lineno <= one.lineno <= (function.end_lineno or function.lineno))
    ]
    return _all(uses, standing)


def of_readers(source: Source, node: ast.AST, standing: Standing) -> str | None:
    """The same of a value that is kept under a name, up to the next one that is kept there."""
    statement = source.statement(node)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Name) or isinstance(source.scope(target), (ast.ClassDef, ast.Module)):
        return None
    scope = source.scope(target)
    reads = [
        one
        for one in source.document.once(_reads).get(target.id, [])
        if source.scope(one) is scope and one.lineno > statement.lineno
    ]
    others = [
        one.lineno
        for one in source.all(ast.Name)
        if one.id == target.id and isinstance(one.ctx, ast.Store) and source.scope(one) is scope
    ]
    end = min((line for line in others if line > statement.lineno), default=1 << 60)
    reads = [one for one in reads if one.lineno < end]
    unasked = [one for one in reads if not _under_its_question(source, one)]
    return _all(unasked, standing) if unasked else "asked" if reads else None


def _under_its_question(source: Source, read: ast.Name) -> bool:
    """`if exists(path): use(path)`."""
    return any(
        isinstance(outer, ast.If)
        and any(
            isinstance(call, ast.Call)
            and getattr(call.func, "attr", getattr(call.func, "id", "")) in ("exists", "isfile", "isdir")
            and any(isinstance(one, ast.Name) and one.id == read.id for one in call.args)
            for call in ast.walk(outer.test)
        )
        for outer in source.ancestors(read)
    )


def _all(uses: list[ast.Name], standing: Standing) -> str | None:
    if not uses or len(uses) > MOST:
        return None
    ways = [standing(one) for one in uses]
    return ways[0] if all(ways) else None


def _reads(document: Document) -> dict[str, list[ast.Name]]:
    found: dict[str, list[ast.Name]] = {}
    for one in document.once(python_source.read).all(ast.Name):
        if isinstance(one.ctx, ast.Load):
            found.setdefault(one.id, []).append(one)
    return found


def is_default(source: Source, node: ast.AST) -> bool:
    """It is kept under a name that another value takes where the program is asked for the CPU: `if CPU_ONLY: …`."""
    statement = source.parents.get(node)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    scope, name = source.scope(statement.targets[0]), statement.targets[0].id
    return any(
        isinstance(other, ast.Name)
        and other.id == name
        and isinstance(other.ctx, ast.Store)
        and source.scope(other) is scope
        and isinstance(above := source.parents.get(source.statement(other)), ast.If)
        and source.statement(other) in above.body
        and FOR_CPU.search(source.text(above.test)) is not None
        and other.lineno > statement.lineno
        for other in source.all(ast.Name)
    )
