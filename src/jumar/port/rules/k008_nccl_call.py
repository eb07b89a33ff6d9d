"""Calls of NCCL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K008",
    name="nccl-call",
    kinds=native_names.KINDS,
    triggers=("nccl",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="NCCL joins NVIDIA's GPUs only",
    replacement="HCCL: hccl/hccl.h",
    examples=(Example("void f() { ncclAllReduce(a, b, n, ncclFloat, ncclSum, c, s); }\n"),),
    keep=(
        "void f() { ncclSucceeded(g()); ncclResult_t (*h)(int); }\n",
        '// ncclAllReduce(a)\nconst char *name = "ncclAllReduce(";\n',
    ),
)

PATTERN = re.compile(r"(?<![\w.])(?<!->)nccl(?=[A-Z])\w+(?<!_t)(?=\s*\()")


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/nccl")
