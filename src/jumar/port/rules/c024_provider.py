"""ONNX Runtime's providers for NVIDIA."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

WITH_CPU = "the execution provider is NVIDIA's; ONNX Runtime warns and takes the CPU, the next in the list"

RULE = Rule(
    code="C024",
    name="onnx-provider",
    kinds=("python",),
    triggers=("executionprovider",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the execution provider is NVIDIA's",
    replacement="CANNExecutionProvider, of the package onnxruntime-cann",
    examples=(
        Example('session = ort.InferenceSession(path, providers=["CUDAExecutionProvider"])\n'),
        Example('providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]\n'),
    ),
    keep=(
        'session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])\n',
        'providers = ["CANNExecutionProvider"]\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "provider"):
        usual, why = (
            ("degrades", WITH_CPU) if _has_cpu_behind(source, text.node) else (RULE.severity, RULE.why)
        )
        weight = python_guards.of_value(source, text.node, usual, why)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"{text.value}", **weight)


def _has_cpu_behind(source: python_source.Source, node: ast.AST) -> bool:
    """The list has the CPU's provider too; either may stand in a pair with its options."""
    above = source.parents[node]
    while isinstance(above, (ast.List, ast.Tuple)):
        if any(_named(one) == "CPUExecutionProvider" for one in above.elts):
            return True
        above = source.parents[above]
    return False


def _named(one: ast.expr) -> object:
    first = one.elts[0] if isinstance(one, ast.Tuple) and one.elts else one
    return first.value if isinstance(first, ast.Constant) else None
