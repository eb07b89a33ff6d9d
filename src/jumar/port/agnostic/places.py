"""Where a node stands, f-strings included: before Python 3.12 their parts are placed badly, so each is checked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.reading.python_source import Source

ASCEND = re.compile(r"(?<![A-Za-z])(?:npu|NPU|hccl)(?![A-Za-z])")  # and no input
FOREIGN = {
    "jax", "tensorflow", "tf", "tvm", "cupy", "numba", "mxnet", "mx", "paddle", "taichi", "ti", "warp", "wp",
    "pycuda", "cv2", "tinygrad", "mlx", "onnxruntime", "ort",
}  # fmt: skip


def is_foreign(source: Source, node: ast.AST) -> bool:
    """Whether a name belongs to a library with devices of its own."""
    return (source.qualified(node) or "").partition(".")[0] in FOREIGN


def is_handled(source: Source, node: ast.AST) -> bool:
    """Whether the program asks for Ascend itself in another branch: `if cuda … elif npu …`, then all stays."""
    if not source.document.once(_names_ascend):
        return False
    for outer in source.ancestors(node):
        if isinstance(outer, ast.IfExp) and ASCEND.search(source.text(outer)):
            return True
        if isinstance(outer, ast.If) and any(
            "npu" in source.text(one.test) for one in branches(_first(source, outer))
        ):
            return True
    return False


def _names_ascend(document: Document) -> bool:
    return ASCEND.search(document.text) is not None


def _first(source: Source, statement: ast.If) -> ast.If:
    """The `if` that an `elif` belongs to."""
    above = source.parents.get(statement)
    while isinstance(above, ast.If) and above.orelse == [statement]:
        statement, above = above, source.parents.get(above)
    return statement


def branches(statement: ast.If) -> Iterator[ast.If]:
    """An `if` and its `elif`s."""
    yield statement
    for inner in statement.orelse:
        if len(statement.orelse) == 1 and isinstance(inner, ast.If):
            yield from branches(inner)


def place(source: Source, node: ast.AST) -> tuple[int, int] | None:
    """The characters of a node; None where they cannot be told."""
    if not any(isinstance(one, ast.JoinedStr) for one in source.ancestors(node)):
        return source.span(node)
    try:
        start = source.document.offset_of_bytes(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        end = source.document.offset_of_bytes(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
        written = ast.parse(source.document.text[start:end], mode="eval").body
    except (SyntaxError, ValueError, IndexError):
        return None
    return (start, end) if ast.dump(written) == ast.dump(node) else None


def in_text(source: Source, node: ast.AST) -> bool:
    """Inside an f-string, where quotes of the same kind would end it."""
    return any(isinstance(one, ast.JoinedStr) for one in source.ancestors(node))


def quote(source: Source, node: ast.AST) -> str:
    """The quotation mark that a text uses; of another node, the one that the file uses more."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "'" if source.text(node).endswith("'") else '"'
    text = source.document.text
    return "'" if text.count("'") > text.count('"') else '"'
