"""Launches of kernels: `kernel<<<grid, block, shared, stream>>>(…)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K003",
    name="launch",
    kinds=native_names.KINDS,
    triggers=("<<<",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the launch divides work into blocks of threads, and only NVIDIA's compiler reads it",
    replacement="kernel<<<blocks, nullptr, stream>>>(…) with Ascend's compiler, one block a core",
    examples=(
        Example(
            "void run(float *x, cudaStream_t stream) {\n  scale<<<4, 256, 0, stream>>>(x, 2.f, 1024);\n}\n"
        ),
    ),
    keep=("// scale<<<4, 256>>>(x);\nint shifted = 1 << 3;\n",),
)

OPENING = re.compile(r"(?<!\w)(?P<name>\w{1,200})\s*(?:<(?:[^<>;]|<[^<>;]{0,200}>){0,300}>\s*)?<<<")


def check(document: Document) -> Iterator[Finding]:
    for match in source(document).words(OPENING):
        closing = document.text.find(">>>", match.end())
        end = closing + 3 if 0 < closing - match.end() < 2000 else match.end()
        yield RULE.found(document, match.start(), end, f"launch of {match['name']}")
