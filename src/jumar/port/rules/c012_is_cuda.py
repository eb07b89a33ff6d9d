"""The attribute `.is_cuda` of tensors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source
from jumar.port.rule import Example, Rule

OWN: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "a method of the project's own; a tensor's is_cuda is not called",
    "replacement": "what the method asks, for any device",
}

RULE = Rule(
    code="C012",
    name="is-cuda",
    kinds=("python",),
    triggers=("is_cuda",),
    layer="software",
    severity="silent",
    safety="review",
    runs_unchanged=True,
    why="on Ascend it is False, and the program takes the other path without a word",
    replacement='x.device.type != "cpu", or a comparison with the device chosen once',
    examples=(
        Example("if x.is_cuda:\n    pass\n", 'if x.device.type in ("cuda", "npu"):\n    pass\n'),
        Example(
            "assert all(t.is_cuda for t in ts)\n",
            'assert all(t.device.type in ("cuda", "npu") for t in ts)\n',
        ),
    ),
    keep=(
        "if x.is_npu:\n    pass\n",
        "is_cuda = 1\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Attribute):
        if node.attr == "is_cuda":
            above = source.parents[node]
            if isinstance(above, ast.Call) and above.func is node:
                yield RULE.found(document, *source.place(node), ".is_cuda()", **OWN)
                continue
            fix = agnostic.given(agnostic.is_cuda(source, node))
            weight = python_guards.weighed(source, node, RULE.severity, RULE.why)
            yield RULE.found(document, *source.place(node), ".is_cuda", **weight, **fix)
