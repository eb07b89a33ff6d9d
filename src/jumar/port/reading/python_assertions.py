"""Whether an assertion fails where the answer of a node in it is no."""

from __future__ import annotations

import ast
import re

from jumar.port.reading.python_source import Source
from jumar.port.reading.string_patterns import TEST_FILE


def is_asserted(source: Source, node: ast.AST) -> bool:
    """Whether an assertion fails where the node's answer is no."""
    for outer in source.ancestors(node):
        if isinstance(outer, ast.Assert):
            return node is outer.test
        if isinstance(outer, ast.stmt | ast.Lambda) or _turns(outer, node):
            return False
        node = outer
    return False


def is_of_data(source: Source, node: ast.AST) -> bool:
    """A text that a test compares with what is no device's: a table, a list of calls."""
    compare = source.parents.get(node)
    if not isinstance(node, ast.Constant) or not TEST_FILE.search(source.document.path):
        return False
    return not isinstance(compare, ast.Compare) or not re.search(
        r"\.type\b|\.device\b|get_backend", source.text(compare)
    )


def _turns(outer: ast.AST, inner: ast.AST) -> bool:
    """The answer may be no and the whole still holds."""
    if isinstance(outer, ast.UnaryOp):
        return isinstance(outer.op, ast.Not)
    if isinstance(outer, ast.BoolOp):
        return isinstance(outer.op, ast.Or)
    if isinstance(outer, ast.IfExp):
        return True
    if not isinstance(outer, ast.Compare):
        return False
    others = (outer.left, *outer.comparators)
    nothing = any(isinstance(one, ast.Constant) and one.value in (None, 0, False) for one in others)
    above = isinstance(outer.ops[0], (ast.Gt, ast.IsNot, ast.NotEq))
    return (
        nothing != above if nothing else isinstance(outer.ops[0], (ast.NotEq, ast.NotIn, ast.IsNot, ast.Lt))
    )
