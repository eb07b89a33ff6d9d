"""Statements past which something is known, as `if not …: return` or an assertion, earlier in the same block."""

from __future__ import annotations

import ast
from collections.abc import Callable

Known = dict[int, ast.stmt | None]
"""The first way out of each block that was asked about, filled as it is asked: a block may have tens of thousands of
statements, each of which asks."""


def left_before(outer: ast.AST, inner: ast.AST, known: Known, is_way_out: Callable[[ast.stmt], bool]) -> bool:
    """Whether a way out stands before `inner` in the block of `outer` that holds it."""
    if not isinstance(inner, ast.stmt):
        return False
    for name in ("body", "orelse", "finalbody"):
        block = getattr(outer, name, None)
        if isinstance(block, list) and holds(block, inner):
            if id(block) not in known:
                known[id(block)] = next((one for one in block if is_way_out(one)), None)
            way_out = known[id(block)]
            return way_out is not None and at(way_out) < at(inner)
    return False


def holds(block: list[ast.stmt], node: ast.AST) -> bool:
    """By the place: a block may be long."""
    return isinstance(node, ast.stmt) and bool(block) and at(block[0]) <= at(node) <= at(block[-1])


def at(statement: ast.stmt) -> tuple[int, int]:
    """Where it begins."""
    return statement.lineno, statement.col_offset
