"""Calls of cuDNN."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K007",
    name="cudnn-call",
    kinds=native_names.KINDS,
    triggers=("cudnn",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="cuDNN runs on NVIDIA's GPUs only",
    replacement="aclnn operators: aclnnop/*.h",
    examples=(
        Example("void f() { cudnnConvolutionForward(h, &a, x, xp, w, wp, c, g, ws, n, &b, y, yp); }\n"),
    ),
    keep=("// cudnnCreate(&h)\n",),
)

PATTERN = re.compile(r"(?<![\w.])(?<!->)cudnn(?=[A-Z])\w+(?=\s*\()")


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/dnn")
