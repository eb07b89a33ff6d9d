"""What stands around a string: what takes its value, and whether it is said, compared, run or linked."""

from __future__ import annotations

import ast
import re

from jumar.port.reading.python_source import Source
from jumar.port.reading.string_patterns import (
    COMMAND,
    LOOKED_FOR,
    PLACES,
    PROSE,
    RUN,
    SAID,
    SPOKEN,
    TEST_FILE,
)

KEYED = frozenset({"get", "pop", "setdefault"})
PROGRAM = re.compile(r"[/\\]bin[/\\]\w[\w\-]*$")
"""The end of a path, whatever stands before it."""
PASSED_THROUGH = (ast.IfExp, ast.BoolOp, ast.Starred, ast.NamedExpr, ast.Await)


def outside(source: Source, node: ast.AST) -> tuple[ast.AST, ast.AST]:
    """The node and what takes its value, seen through conditions and the like."""
    above = source.parents[node]
    while isinstance(above, PASSED_THROUGH) and not (isinstance(above, ast.IfExp) and above.test is node):
        node, above = above, source.parents[above]
    return node, above


def is_assigned_to(source: Source, node: ast.AST, name: str) -> bool:
    above = source.parents[node]
    return isinstance(above, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name for target in above.targets
    )


def called(source: Source, node: ast.AST, by_keyword: bool = False) -> str | None:
    """The last word of the function that a node is a plain argument of, or one by keyword too."""
    inner, above = outside(source, node)
    if by_keyword and isinstance(above, ast.keyword):
        inner, above = above, source.parents[above]
    if not isinstance(above, ast.Call) or inner is above.func:
        return None
    return last_word(above.func)


def parameter(node: ast.AST, above: ast.AST) -> str:
    """The name of the keyword or the parameter that a value is given to, or its default."""
    if isinstance(above, ast.keyword):
        return above.arg or ""
    if not isinstance(above, ast.arguments):
        return ""
    plain = [*above.posonlyargs, *above.args]
    for given, value in zip(plain[len(plain) - len(above.defaults) :], above.defaults, strict=True):
        if value is node:
            return given.arg
    named = zip(above.kwonlyargs, above.kw_defaults, strict=True)
    return next((given.arg for given, value in named if value is node), "")


def last_word(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def is_told(source: Source, node: ast.AST) -> bool:
    """It is what the program says: printed, logged, raised, warned of, or a help text."""
    for above in source.ancestors(node):
        if isinstance(above, ast.Raise) or (isinstance(above, ast.Assert) and node is above.msg):
            return True
        if isinstance(above, ast.keyword) and above.arg in SAID:
            return True
        if isinstance(above, ast.Call) and node is not above.func:
            word = last_word(above.func) or ""
            return word in SPOKEN or word.endswith(("Error", "Exception", "Warning"))
        if isinstance(above, (ast.stmt, ast.Dict, ast.Lambda)):
            return False
        node = above
    return False


def is_looked_for(source: Source, node: ast.AST) -> bool:
    """It is compared with another text, as the message of an error is."""
    _, above = outside(source, node)
    if isinstance(above, ast.keyword):
        return above.arg == "match"
    word = called(source, node) or ""
    return isinstance(above, (ast.Compare, ast.MatchValue)) or word in LOOKED_FOR or word.endswith("Regex")


def is_documentation(source: Source, node: ast.AST, value: str) -> bool:
    """A text of several lines with a session in it, or one whose name says that people read it."""
    if ">>>" in value:
        return True
    _, above = outside(source, node)
    return isinstance(above, (ast.Assign, ast.AnnAssign)) and bool(PROSE.search(_target(above)))


def _target(statement: ast.Assign | ast.AnnAssign) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return str(getattr(target, "attr", None) or getattr(target, "id", ""))


def is_run(source: Source, node: ast.AST) -> bool:
    """It is handed to a function, or kept under a name, that says that it will be run or written to a file."""
    for above in source.ancestors(node):
        if isinstance(above, ast.Call) and node is not above.func and RUN.search(last_word(above.func) or ""):
            return True
        if isinstance(above, (ast.Assign, ast.AnnAssign)):
            return bool(RUN.search(_target(above)))
        if isinstance(above, ast.stmt):
            return False
        node = above
    return False


def is_key(source: Source, node: ast.AST) -> bool:
    """What settings of one's own are asked for."""
    inner, above = outside(source, node)
    return isinstance(above, ast.Call) and called(source, node) in KEYED and above.args[0] is inner


def could_be_command(source: Source, node: ast.AST, value: str) -> bool:
    match = COMMAND.search(value)
    inner, above = outside(source, node)
    if isinstance(above, ast.Subscript) or (isinstance(above, ast.Dict) and inner in above.keys):
        return False  # flags for a compiler, by its name
    if isinstance(above, ast.Tuple) and any(isinstance(one, (ast.Compare, ast.Lambda)) for one in above.elts):
        return False  # a row of names and conditions
    if PROGRAM.search(value):
        return True
    return bool(match and match.start() == 0) or isinstance(
        above, (ast.Call, ast.List, ast.Assign, ast.keyword)
    )


def is_option(value: str) -> bool:
    return bool(re.fullmatch(r"--?[\w-]+=cuda(:\d+)?", value))


def is_only_listed(source: Source, node: ast.AST, value: str) -> bool:
    """A file named in a test that builds nothing, as in a list of what a package should hold."""
    path = source.document.path
    if value.startswith("/") or not TEST_FILE.search(path) or "cpp_extension" in source.document.text:
        return False
    return "\n" not in value and isinstance(source.parents[node], (ast.List, ast.Tuple, ast.Set, ast.Compare))


def is_only_named(source: Source, node: ast.AST) -> bool:
    """A library in a test that holds names against each other, and loads none."""
    if not TEST_FILE.search(source.document.path):
        return False
    above = source.parents[node]
    if isinstance(above, ast.BinOp) and isinstance(above.op, ast.Div):
        return getattr(source.parents[above], "attr", "") in ("write_text", "write_bytes", "touch", "mkdir")
    return called(source, node) in PLACES or isinstance(
        source.parents[node], (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Compare)
    )


def is_choice(source: Source, node: ast.AST) -> bool:
    """One of the texts that another is compared with: `tool in ["nsys", "torch"]`."""
    above = source.parents[node]
    listed = isinstance(above, (ast.List, ast.Tuple, ast.Set))
    return isinstance(source.parents[above] if listed else above, ast.Compare)


def is_linked(source: Source, node: ast.AST) -> bool:
    for above in source.ancestors(node):
        if isinstance(above, ast.keyword):
            return above.arg in ("libraries", "extra_link_args", "extra_ldflags", "extra_libraries")
        if isinstance(above, ast.stmt):
            return False
    return False
