"""A Triton kernel."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import packages
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

KERNEL = frozenset({"triton.jit", "triton.runtime.jit.jit", "triton.experimental.gluon.jit"})

RULE = Rule(
    code="C032",
    name="triton-kernel",
    kinds=("python",),
    triggers=("triton",),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="Triton's own compiler writes code for NVIDIA and AMD; on Ascend triton-ascend compiles a part of the language",
    replacement="triton-ascend, after a look at block sizes, atomics and num_warps; or torch operators",
    examples=(
        Example("import triton\n\n@triton.jit\ndef add(x):\n    pass\n"),
        Example("from triton import jit\n\n@jit(debug=True)\ndef add(x):\n    pass\n"),
    ),
    keep=(
        "@numba.jit\ndef add(x):\n    pass\n",
        Example("import triton\n\n@triton.jit\ndef add(x):\n    pass\n", path="ops/_ascend/add.py"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    if packages.FOR_NPU.search(document.path):
        return
    source = document.once(python_source.read)
    for function in source.all(ast.FunctionDef):
        for decorator in function.decorator_list:
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            if (source.qualified(named) or "") in KERNEL:
                yield RULE.found(document, *source.span(decorator), f"the Triton kernel {function.name}")
