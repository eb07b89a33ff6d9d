"""cuda as a key of a table, or as one of several devices."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C004",
    name="device-listed",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="degrades",
    safety="safe",
    runs_unchanged=True,
    why="the list of devices that the program knows ends with NVIDIA's; npu is not in it",
    replacement="add npu to the list or table",
    examples=(
        Example('DEVICES = ["cpu", "cuda"]\n'),
        Example('makers = {"cuda": make}\n'),
        Example('memory["cuda"] = 1\n'),
    ),
    keep=(
        "BUILDS = [('linux', 'cuda'), ('macos', 'metal')]\n",
        'impls = ["python", "cuda"]\n',
        'LANGUAGES = ["python", "cpp", "java", "cuda"]\n',
        "DEVICES = ['cpu', 'cuda', 'npu']\n",
        'devices = ("cuda:0", "cuda:1")\n',
        "dtype, device = torch.float16, 'cuda'\n",
        'DEVICES = ["cpu", "npu"]\n',
    ),
)

OF_TABLE = "a row of a table names what is for CUDA"


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "listed device"):
        fix = agnostic.given(agnostic.comparison(source, text.node))
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why, fix)
        row = source.parents[text.node]
        if (
            isinstance(row, (ast.List, ast.Tuple))
            and len(row.elts) == 1
            and isinstance(source.parents[row], ast.Dict)
        ):
            weight = {
                "severity": "cosmetic",
                "why": OF_TABLE,
                "replacement": "a row for Ascend's chips, if they are to have one",
            }
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"{text.value!r} among several, without npu", **weight)
