"""ONNX Runtime's providers for NVIDIA."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C024",
    name="onnx-provider",
    kinds=("python",),
    triggers=("executionprovider",),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=False,
    why="the execution provider is NVIDIA's; ONNX Runtime warns and takes the CPU, also where the list has none",
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
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"{text.value}", **weight)
