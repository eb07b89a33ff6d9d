"""Whether a node is reached only where the program has found an accelerator, and what to put before it if not."""

from __future__ import annotations

import ast
from itertools import takewhile

from jumar.port.agnostic.fixes import AVAILABLE
from jumar.port.agnostic.places import place
from jumar.port.document import Document
from jumar.port.finding import Edit
from jumar.port.reading import ways_out
from jumar.port.reading.python_source import FUNCTIONS, Source

ASKED = frozenset({"torch.cuda.is_available", "torch.accelerator.is_available", "torch.cuda.device_count"})
WORDS = ("use_cuda", "cuda_available", "has_cuda", "use_gpu", "is_cuda", "has_gpu", "gpu_available", "on_gpu")
CUDA_TYPES = frozenset({"cuda", "npu"})
LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
EXITS = ("sys.exit", "exit", "quit", "os._exit")
DEEPEST = 8


def guarded(source: Source, node: ast.AST) -> bool:
    """Reached only where an accelerator was found: inside an `if` that asks, or after one that leaves."""
    inner = node
    for outer in source.ancestors(node):
        if isinstance(outer, (ast.If, ast.IfExp, ast.While)) and _within(outer, inner, source):
            return True
        if isinstance(outer, ast.BoolOp) and isinstance(outer.op, ast.And):
            before = takewhile(lambda one, inner=inner: one is not inner, outer.values)  # type: ignore[misc]
            if any(asks(source, one) for one in before):
                return True
        if _left_before(source, outer, inner):
            return True
        if isinstance(outer, FUNCTIONS):
            return False
        inner = outer
    return False


def _within(outer: ast.If | ast.IfExp | ast.While, inner: ast.AST, source: Source) -> bool:
    body = outer.body if isinstance(outer.body, list) else [outer.body]
    orelse = outer.orelse if isinstance(outer.orelse, list) else [outer.orelse]
    if inner in body:
        return asks(source, outer.test)
    return inner in orelse and _denies(source, outer.test)


def asks(source: Source, test: ast.AST, depth: int = 0) -> bool:
    """Whether a condition holds only where there is an accelerator."""
    if depth > DEEPEST:
        return False
    if isinstance(test, ast.BoolOp):
        some = [asks(source, one, depth + 1) for one in test.values]
        return any(some) if isinstance(test.op, ast.And) else all(some)
    if isinstance(test, ast.Call):
        return source.qualified(test.func) in ASKED
    if isinstance(test, ast.Compare):
        return _compares(source, test)
    if isinstance(test, ast.Name):
        bound = [one for one in source.bound(test) if isinstance(one, ast.expr)]
        if bound and all(asks(source, one, depth + 1) for one in bound):
            return True
        return test.id.lower() in WORDS
    return isinstance(test, ast.Attribute) and test.attr.lower() in ("cuda", *WORDS)


def _compares(source: Source, test: ast.Compare) -> bool:
    sides = [test.left, *test.comparators]
    counts = any(isinstance(one, ast.Call) and source.qualified(one.func) in ASKED for one in sides)
    if counts:
        return isinstance(test.ops[0], (ast.Gt, ast.GtE, ast.NotEq))
    positive = isinstance(test.ops[0], (ast.Eq, ast.In, ast.Is))
    if positive and any(_is_text(one, CUDA_TYPES) for one in sides):
        return True
    return isinstance(test.ops[0], (ast.NotEq, ast.IsNot)) and any(_is_text(one, {"cpu"}) for one in sides)


def _is_text(node: ast.AST, texts: frozenset[str] | set[str]) -> bool:
    return isinstance(node, ast.Constant) and node.value in texts


def _denies(source: Source, test: ast.AST) -> bool:
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and asks(source, test.operand)


def _left_before(source: Source, outer: ast.AST, inner: ast.AST) -> bool:
    """`if not torch.cuda.is_available(): raise …` or an assertion earlier in the same block."""
    known = source.document.once(_first_ways_out)
    return ways_out.left_before(outer, inner, known, lambda one: _is_way_out(source, one))


def _first_ways_out(document: Document) -> ways_out.Known:
    """The statements past which there is an accelerator."""
    return {}


def _is_way_out(source: Source, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assert):
        return asks(source, statement.test)
    if not isinstance(statement, ast.If):
        return False
    return _denies(source, statement.test) and _leaves(source, statement.body[-1])


def _leaves(source: Source, statement: ast.stmt) -> bool:
    if isinstance(statement, LEAVES):
        return True
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return source.qualified(statement.value.func) in EXITS


def around(source: Source, call: ast.expr, otherwise: str) -> tuple[Edit, ...]:
    """Edits that let the call happen only where there is an accelerator: an `if` before a statement of its own,
    a conditional expression elsewhere."""
    start, end = place(source, call) or source.span(call)
    statement = source.parents.get(call)
    if isinstance(statement, ast.Expr) and (indent := _alone(source, start, end)) is not None:
        within = indent + _step(source, indent)
        return (Edit(start, start, f"if {AVAILABLE}:{source.document.newline}{within}"),)
    if isinstance(statement, ast.Expr):
        return (Edit(end, end, f" if {AVAILABLE} else {otherwise}"),)
    return (Edit(start, start, "("), Edit(end, end, f" if {AVAILABLE} else {otherwise})"))


def _alone(source: Source, start: int, end: int) -> str | None:
    """The indentation of a statement that has its lines to itself."""
    text = source.document.text
    line = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    rest = text[end : stop if stop >= 0 else None].strip()
    if text[line:start].strip() or (rest and not rest.startswith("#")):
        return None
    return text[line:start]


def _step(source: Source, indent: str) -> str:
    """One more level of indentation, as this file has it."""
    if "\t" in indent:
        return "\t"
    first = next((one for one in source.document.lines if one[:1] in " \t" and one.strip()), "    ")
    width = len(first) - len(first.lstrip(" "))
    return "\t" if first.startswith("\t") else " " * (width if width in (2, 3, 4, 8) else 4)
