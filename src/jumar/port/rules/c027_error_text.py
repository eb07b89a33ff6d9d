"""An error recognised by CUDA's words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_mocks, python_source, python_strings
from jumar.port.reading.string_patterns import TEST_FILE
from jumar.port.rule import Example, Rule

BY_CLASS = {
    "severity": "cosmetic",
    "why": "beside it the program asks for the error's class, which every device raises",
    "replacement": "the question for the class alone",
}

RULE = Rule(
    code="C027",
    name="error-text",
    kinds=("python",),
    triggers=("cuda", "cudnn", "cublas", "nccl", "nvidia"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="the same failure has another message on Ascend, so it is no longer recognised",
    replacement="torch.OutOfMemoryError and torch.AcceleratorError, which all devices raise",
    examples=(
        Example('if "CUDA out of memory" in str(error):\n    pass\n'),
        Example('with pytest.raises(RuntimeError, match="CUDA error"):\n    pass\n'),
    ),
    keep=(
        'if "out of memory" in str(error):\n    pass\n',
        'with pytest.raises(ValueError, match="outside the visible cuda device count"):\n    pass\n',
        'if "DCGM GPU Diagnostic" in report:\n    pass\n',
        'if "NVIDIA H" in torch.cuda.get_device_name(0):\n    pass\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "error text"):
        weight: dict[str, Any] = {**python_mocks.MADE_UP} if _is_own(source, text) else {}
        if not weight and _is_asked_by_class(source, text.node):
            weight = {**BY_CLASS}
        if not weight and re.search(r"error code", text.value, re.IGNORECASE):
            weight = {"replacement": OF_CODE}
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a message recognised as {shortened(text.value)}", **weight)


OF_CODE = "what Ascend says where the same fails, if it can fail there"


def _is_asked_by_class(source: python_source.Source, node: ast.AST) -> bool:
    """`"CUDA out of memory" in str(e) or isinstance(e, torch.cuda.OutOfMemoryError)`"""
    for outer in source.ancestors(node):
        if isinstance(outer, ast.BoolOp) and isinstance(outer.op, ast.Or):
            return (
                re.search(r"isinstance\([^()]*(?:OutOfMemoryError|AcceleratorError)", source.text(outer))
                is not None
            )
        if isinstance(outer, ast.stmt):
            return False
    return False


def _is_own(source: python_source.Source, text: python_strings.Text) -> bool:
    """A test that raises the same text itself, or fakes what does."""
    if not TEST_FILE.search(source.document.path):
        return False
    said = (one for one in python_strings.of_role(source.document, "message") if text.value in one.value)
    if python_mocks.is_made_up(source, text.node) or any(_is_raised(source, one.node) for one in said):
        return True
    return _is_found_again(source, text)


def _is_found_again(source: python_source.Source, text: python_strings.Text) -> bool:
    """`assert "E: CUDA error" in told`: the words that the test itself gave the program to tell."""
    statement = source.statement(text.node)
    if not isinstance(statement, ast.Assert):
        return False
    words = text.value.rpartition(": ")[2]
    others = (one for one in python_strings.read(source.document) if one.node is not text.node)
    return any(
        words in one.value and not isinstance(source.statement(one.node), ast.Assert) for one in others
    )


def _is_raised(source: python_source.Source, node: ast.AST) -> bool:
    """`RuntimeError("CUDA …")`"""
    called = getattr(source.parents[node], "func", None)
    word = str(getattr(called, "id", "") or getattr(called, "attr", ""))
    return word.endswith(("Error", "Exception"))
