"""Tests that are left out where there is no CUDA: what stands in them is not reached there."""

from __future__ import annotations

import ast
import re

from jumar.port.document import Document
from jumar.port.reading import python_source
from jumar.port.reading.python_source import Source

DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
NAMED = re.compile(
    r"(?:[\w.]*\.)?(?:skip_?[iI]f_?[nN]o(?:t|n)?_?(?:gpus?|cuda|GPU|Cuda|CUDA)\w*|requires?_(?:torch_)?(?:multi_)?(?:gpus?|cuda)\w*"
    r"|onlyCUDA\w*|skip_?[uU]nless_?(?:gpu|cuda|GPU|Cuda|CUDA)\w*|skip_if_lt_x_gpu)\b"
)
QUESTION = (
    r"(?:torch\.cuda\.is_available\(\)|cuda_available\w*"
    r"|\w*(?:HAS|HAVE|TEST|is|has)_?(?:CUDA|GPU|cuda|gpu)\w*(?:\(\))?)"
)
SKIPPED = re.compile(
    rf"(?:[\w.]*\.)?skip_?[iI]f\(\s*(?:condition=)?(?:not\s+{QUESTION}|[\w.]*cuda\.device_count\(\)\s*(?:<|==\s*0))"
    rf"|(?:[\w.]*\.)?skipUnless\(\s*(?:{QUESTION}|[\w.]*cuda\.device_count\(\)\s*>)"
)
WHY = "the test is skipped where there is no CUDA"


def is_skipped(source: Source, node: ast.AST) -> bool:
    """Whether a test around the node, its class or the whole file is skipped without CUDA."""
    if "skip" not in source.document.lowered and "require" not in source.document.lowered:
        return "onlyCUDA" in source.document.text and _is_in_skipped(source, node)
    return source.document.once(_whole_file) or _is_in_skipped(source, node)


def _is_in_skipped(source: Source, node: ast.AST) -> bool:
    return any(
        isinstance(outer, DEFINED) and any(_skips(source, one) for one in outer.decorator_list)
        for outer in source.ancestors(node)
    )


def _skips(source: Source, decorator: ast.AST) -> bool:
    text = source.text(decorator)
    return NAMED.match(text) is not None or SKIPPED.match(text) is not None


def _whole_file(document: Document) -> bool:
    """`pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), …)`."""
    source = document.once(python_source.read)
    return any(
        any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in one.targets)
        and _skips(source, one.value)
        for one in source.all(ast.Assign)
    )
