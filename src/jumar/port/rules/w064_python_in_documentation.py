"""Python in documentation: the rules of Python, on its blocks of code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jumar.port import embedded
from jumar.port.document import Document, Unparsed
from jumar.port.finding import Finding
from jumar.port.reading.scripts import code_blocks
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W064",
    name="python-in-documentation",
    kinds=("markdown",),
    triggers=("cuda", "nccl"),
    layer="workflow",
    severity="cosmetic",
    safety="review",
    runs_unchanged=True,
    why="readers copy the code; each finding carries the code of the rule that found it",
    replacement="what the rule for Python says",
    examples=(
        Example("```python\nimport torch\ntorch.cuda.get_device_properties(0)\n```\n", path="README.md"),
    ),
    keep=(
        Example("```python\nimport torch\ntorch.zeros(2)\n```\n", path="README.md"),
        Example("```json\n{}\n```\n", path="README.md"),
    ),
)
LANGUAGES = frozenset(("python", "py", "python3", "pycon", "ipython"))


def check(document: Document) -> Iterator[Finding]:
    for start, end, language in code_blocks(document):
        if language in LANGUAGES and any(word in document.lowered[start:end] for word in RULE.triggers):
            try:
                found = [
                    *embedded.findings(
                        document,
                        embedded.dedented(document, start, end),
                        "python",
                        "workflow",
                        embedded.as_it_is,
                    )
                ]
            except Unparsed:
                continue  # fragments of code are common in prose, W060 counts their lines
            yield from (replace(one, severity="cosmetic", edit=None, safety="report") for one in found)
