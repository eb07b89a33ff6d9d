"""A question whether something is on, or is called, cuda."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

MEANT = "what is really meant, asked in a way that holds for any device"

RULE = Rule(
    code="C003",
    name="device-compared",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="silent",
    safety="safe",
    runs_unchanged=True,
    why="on Ascend the answer is no, and the program takes the other path without a word",
    replacement="compare with torch.accelerator.current_accelerator().type, or ask for what is really meant",
    examples=(
        Example('if device.startswith("cuda:"):\n    pass\n'),
        Example(
            'if x.device.type == "cuda":\n    pass\n', 'if x.device.type in ("cuda", "npu"):\n    pass\n'
        ),
        Example(
            'on_chip = "cuda" in str(device)\n',
            'on_chip = any(kind in str(device) for kind in ("cuda", "npu"))\n',
        ),
        Example(
            'if device.startswith("cuda"):\n    pass\n', 'if device.startswith(("cuda", "npu")):\n    pass\n'
        ),
    ),
    keep=('if x.device.type == "cpu":\n    pass\n',),
)

IMPLEMENTATION = re.compile(
    r"(?:impl\w*|kernel\w*|(?<!distributed_)(?<!dist_)backends?|engine|provider)[\"'\])]*$"
)
OF_IMPLEMENTATION = "by the name of CUDA an implementation is chosen; on Ascend another serves, or none"
ASIDE = "a branch for Ascend beside it, once there is such an implementation"


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "compared device"):
        fix = agnostic.given(agnostic.comparison(source, text.node))
        weight = python_guards.of_value(source, text.node, RULE.severity, RULE.why, fix)
        row = source.parents[text.node]
        if isinstance(row, ast.Compare) and IMPLEMENTATION.search(source.text(row.left)):
            weight = {"severity": "silent", "why": OF_IMPLEMENTATION, "replacement": ASIDE}
        if "torch" not in document.text:
            weight.setdefault("replacement", MEANT)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"compared with {text.value!r}", **weight)
