"""Whether a failure is caught, and the program goes on; whether a branch ends it."""

from __future__ import annotations

import ast

CAUGHT = frozenset(
    [
        "Exception",
        "BaseException",
        "ImportError",
        "ModuleNotFoundError",
        "RuntimeError",
        "AttributeError",
        "OSError",
        "FileNotFoundError",
        "NameError",
        "NotImplementedError",
        "AssertionError",
        "CalledProcessError",
        "SubprocessError",
        "TypeError",
        "ValueError",
        "NVMLError",
    ]
)
LONGEST_TRY = 5
"""Statements: around more than that stands the program itself, and what it catches is its end."""


def goes_on(statement: ast.Try) -> bool:
    """A try whose handler catches what CUDA's absence raises, and does not raise it again. A long one counts where it
    is there for packages that are missing."""
    handlers = [one for one in statement.handlers if _catches(one) and not fails(one.body)]
    if len(statement.body) <= LONGEST_TRY:
        return bool(handlers)
    return any(one.type is not None and "ImportError" in ast.unparse(one.type) for one in handlers)


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last(one) in CAUGHT for one in types)


def fails(body: list[ast.stmt]) -> bool:
    final = body[-1]
    if isinstance(final, ast.Raise):
        return True
    called = final.value.func if isinstance(final, ast.Expr) and isinstance(final.value, ast.Call) else None
    return called is not None and last(called) in ("exit", "_exit", "quit", "abort", "fail")


def suppresses(manager: ast.expr) -> bool:
    return isinstance(manager, ast.Call) and last(manager.func) == "suppress"


def last(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
