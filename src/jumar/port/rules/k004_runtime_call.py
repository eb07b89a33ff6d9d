"""Calls of CUDA's run time: `cudaMalloc` and its kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K004",
    name="runtime-call",
    kinds=native_names.KINDS,
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="libcudart works with NVIDIA's driver only",
    replacement="ACL, Ascend's run time: acl/acl.h",
    examples=(Example("#include <cuda_runtime.h>\nvoid f(void **p) { cudaMalloc(p, 16); }\n"),),
    keep=(
        "// cudaMalloc(p, 16)\nint my_cudaMalloc(int);\n",
        "void f() { cudaSucceeded(g()); cudaReduceLauncher(x); }\n",
        'const char *s = "cudaMalloc(p)";\n',
    ),
)

PATTERN = re.compile(
    r"(?<![\w.])(?<!->)cuda(?=[A-Z])\w+(?=\s*(?:<(?:[^;()<>]|<[^<>]{0,200}>){0,200}>)?\s*\()"
)


def check(document: Document) -> Iterator[Finding]:
    yield from native_names.of_table(document, RULE, PATTERN, "native/runtime")
