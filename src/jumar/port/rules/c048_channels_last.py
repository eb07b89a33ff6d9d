"""Channels last in memory, which torch_npu refuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

NAMES = ("torch.channels_last", "torch.channels_last_3d")

RULE = Rule(
    code="C048",
    name="channels-last",
    kinds=("python",),
    triggers=("channels_last",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="torch_npu lays tensors out in its own way and refuses memory_format=torch.channels_last",
    replacement="torch.contiguous_format on Ascend",
    examples=(
        Example(
            "import torch\n\nx = x.to(memory_format=torch.channels_last)\n",
            "import torch\n\n" + agnostic.LINE + "\n\n"
            'x = x.to(memory_format=(torch.channels_last if device_type != "npu" else torch.contiguous_format))\n',
        ),
        Example("import torch\n\nlayout = torch.channels_last\n"),
    ),
    keep=(
        "import torch\n\nx = x.to(memory_format=torch.contiguous_format)\n",
        'layout = "channels_last"\n',
        "channels_last = 1\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.matching(document, lambda name: name in NAMES):
        above = source.parents.get(use.node)
        if use.how in ("attribute", "name") and not _is_chosen(above):
            fix = agnostic.given(agnostic.channels_last(source, use.node))
            weight = python_guards.weighed(source, use.node, RULE.severity, RULE.why)
            yield RULE.found(document, *source.span(use.node), use.name, **weight, **fix)


def _is_chosen(above: ast.AST | None) -> bool:
    """`… if device_type != "npu" else …` has seen to it."""
    if not isinstance(above, ast.IfExp):
        return False
    return any(isinstance(one, ast.Constant) and one.value == "npu" for one in ast.walk(above.test))
