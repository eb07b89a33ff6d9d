"""Tests that are left out where there is no CUDA."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W005",
    name="skipped-test",
    kinds=("python",),
    triggers=("skip",),
    layer="workflow",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="on Ascend the test is skipped, and nobody sees that it did not run",
    replacement="a condition that holds for any accelerator: torch.accelerator.is_available()",
    examples=(
        Example(
            "import pytest, torch\n\n\n@pytest.mark.skipif(not torch.cuda.is_available(), "
            'reason="needs CUDA")\ndef test_a():\n    pass\n',
            path="test_a.py",
        ),
        Example(
            'import unittest\n\n\n@unittest.skipUnless(HAS_CUDA, "no GPU")\ndef test_a():\n    pass\n',
            path="test_a.py",
        ),
    ),
    keep=(
        Example(
            'import pytest, sys\n\n\n@pytest.mark.skipif(sys.platform == "win32", '
            'reason="paths")\ndef test_a():\n    pass\n',
            path="test_a.py",
        ),
    ),
)

WORD = re.compile(r"cuda|gpu|nccl|nvidia", re.IGNORECASE)
SKIPS = re.compile(
    r"skip(?:if|If|Unless|_if\w*|_unless\w*|\w*)$|require_(?:torch_)?(?:multi_)?(?:gpu|"
    r"cuda)\w*$|requires_cuda\w*$|onlyCUDA$|skipCUDA\w*$"
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    defined: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = [
        *source.all(ast.FunctionDef),
        *source.all(ast.AsyncFunctionDef),
        *source.all(ast.ClassDef),
    ]
    decorators = [one for node in defined for one in node.decorator_list]
    marks = [node.value for node in source.all(ast.Assign) if _is_mark(node)]
    for node in [*decorators, *marks]:
        text = source.text(node)
        name = text.split("(", 1)[0].rsplit(".", 1)[-1]
        if SKIPS.match(name) and WORD.search(text):
            start, end = source.span(node)
            yield RULE.found(
                document,
                start,
                min(end, start + len(text.split("\n", 1)[0])),
                f"skipped without CUDA: {name}",
            )


def _is_mark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
