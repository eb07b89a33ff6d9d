"""CUDA as a dispatch key of an operator's implementation."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C019",
    name="dispatch-key",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the kernel is registered for CUDA's dispatch key; tensors on Ascend have PrivateUse1",
    replacement="PrivateUse1 besides CUDA",
    examples=(
        Example(
            'import torch\n\nlib = torch.library.Library("mine", "DEF")\nlib.impl("scan", scan, "CUDA")\n'
        ),
    ),
    keep=('lib.impl("scan", scan, "CPU")\n',),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "dispatch key"):
        weight = python_guards.weighed(source, text.node, RULE.severity, RULE.why)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, "an operator registered for CUDA", **weight)
