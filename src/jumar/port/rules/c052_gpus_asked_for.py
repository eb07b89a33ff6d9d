"""GPUs asked for by number: Ray, Lightning, launchers, cluster clients."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source, python_strings, string_patterns, string_surroundings
from jumar.port.rule import Example, Rule

KEYWORDS = frozenset({"num_gpus", "gpus", "num_gpus_per_worker", "use_gpu"})
FUNCTIONS = frozenset(
    {"remote", "options", "ScalingConfig", "Trainer", "init", "with_resources", "PyTorchTrial", "Pool"}
)
OF_PODS = "the resource is offered by NVIDIA's device plugin; a pod that asks for it stays pending"
PODS = frozenset({"limits", "requests"})

OF_LIGHTNING: dict[str, Any] = {
    "why": "by gpus the trainer means NVIDIA's or AMD's, and finds none",
    "replacement": "devices=n with an accelerator that the trainer has for the NPU",
}

RULE = Rule(
    code="C052",
    name="gpus-asked-for",
    kinds=("python",),
    triggers=("gpu", "nvidia.com/"),
    sign=re.compile(r"gpu\w*\s*=|nvidia\.com/"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the scheduler is asked for a resource named GPU, which no Ascend host offers",
    replacement='resources={"NPU": n}, the resource that Ray gives Ascend chips',
    examples=(
        Example('pod = {"limits": {"nvidia.com/gpu": "8"}}\n', path="tests/test_pod.py"),
        Example("@ray.remote(num_gpus=1)\ndef f():\n    pass\n"),
        Example("worker = Worker.options(num_gpus=0.5)\n"),
        Example("trainer = Trainer(gpus=2)\n"),
        Example('limits = {"nvidia.com/gpu": 1}\n'),
    ),
    keep=(
        "f(num_cpus=1)\n",
        "start(num_gpus=2)\n",
        "@ray.remote(num_gpus=0)\ndef f():\n    pass\n",
        "n_gpu = 1\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.keyword):
        if node.arg in KEYWORDS and _is_asked(source.parents[node]) and not _is_nothing(node.value):
            given = OF_LIGHTNING if node.arg == "gpus" else {}
            yield RULE.found(document, *source.place(node), f"asks for {node.arg}", **given)

    for text in python_strings.of_role(document, "resource"):
        if _is_toleration(source, text.node):
            for place in python_strings.places(document, text):
                yield RULE.found(document, *place, f"the taint {text.value}", **OF_TAINT)
            continue
        for place in python_strings.places(document, text):
            asked = ("names", "silent") if _is_read(source, text.node) else ("asks for", None)
            yield RULE.found(
                document,
                *place,
                f"{asked[0]} {text.value}",
                severity=asked[1],
                why=None if asked[1] else OF_PODS,
                replacement="huawei.com/Ascend910",
                layer=None if asked[1] else "data centre",
            )


OF_TAINT: dict[str, Any] = {
    "severity": "degrades",
    "why": "nodes of Ascend are tainted otherwise or not at all",
    "replacement": "no toleration, or one of the taint that the cluster puts on its Ascend nodes",
    "layer": "data centre",
}


def _is_toleration(source: python_source.Source, node: ast.AST) -> bool:
    """`{"key": "nvidia.com/gpu", "operator": "Exists"}`."""
    row = source.parents[node]
    return isinstance(row, ast.Dict) and any(
        isinstance(key, ast.Constant) and key.value == "key" and value is node
        for key, value in zip(row.keys, row.values, strict=True)
    )


def _is_pods(source: python_source.Source, row: ast.Dict) -> bool:
    """`{"limits": {"nvidia.com/gpu": 1}}`: what a pod asks for."""
    above = source.parents[row]
    if not isinstance(above, ast.Dict):
        return isinstance(above, ast.keyword) and above.arg in PODS
    keys = [key for key, value in zip(above.keys, above.values, strict=True) if value is row]
    return any(isinstance(key, ast.Constant) and key.value in PODS for key in keys)


def _is_asked(call: ast.AST) -> bool:
    function = getattr(call, "func", None)
    return (getattr(function, "attr", None) or getattr(function, "id", None)) in FUNCTIONS


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


def _is_read(source: python_source.Source, node: ast.AST) -> bool:
    """A key that is looked up or compared, which asks no scheduler for anything."""
    _, above = string_surroundings.outside(source, node)
    if isinstance(above, ast.Subscript):
        return isinstance(above.ctx, ast.Load)
    if isinstance(above, ast.Dict) and string_patterns.TEST_FILE.search(source.document.path):
        return not _is_pods(source, above)  # what a test gives for a cluster's answer
    return isinstance(above, ast.Compare) or (
        isinstance(above, ast.Call)
        and getattr(above.func, "attr", "") in ("get", "pop", "assertEqual", "assertIn")
    )
