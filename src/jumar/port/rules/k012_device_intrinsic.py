"""What kernels call: shuffles, votes, barriers, atomics, fast mathematics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jumar.cudamap import names
from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K012",
    name="device-intrinsic",
    kinds=native_names.KINDS,
    triggers=("__", "atomic", "tex", "surf", "clock"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the function is NVIDIA's, on warps and threads",
    replacement="Ascend C works on vectors: see its manual for a like function",
    examples=(
        Example("__device__ float sum(float v) { return v + __shfl_down_sync(~0u, v, 1); }\n"),
        Example("__device__ int next(int *n) { int x = atomicAdd(n, 1); return x; }\n"),
    ),
    keep=(
        "// __syncthreads()\nint atomicAddress(int); int x = atomicAddress(2);\n",
        Example("double clock(); double t = clock();\n", path="a.cpp"),
    ),
)

NAMES = sorted((row.cuda for row in names("native/device")), key=len, reverse=True)
PATTERN = re.compile(rf"(?<![\w.:])(?P<name>{'|'.join(NAMES)})(?=\s*(?:<[^<>;()]*>)?\s*\()")
ALSO_ON_HOSTS = frozenset({"clock"})
ADDS = frozenset({"atomicAdd", "atomicSub", "atomicMax", "atomicMin"})
TAKEN = re.compile(r"(?<![=!<>])=[ \t]*$|\breturn[ \t]*$")
WITH_OLD = "one core that owns each place: what Ascend C adds at copying gives no old value back"
"""The advice where the answer is used."""


def check(document: Document) -> Iterator[Finding]:
    for finding in native_names.of_table(document, RULE, PATTERN, "native/device"):
        if document.kind == "cuda" or finding.what not in ALSO_ON_HOSTS:
            yield replace(finding, replacement=WITH_OLD) if _is_taken(document, finding) else finding


def _is_taken(document: Document, finding: Finding) -> bool:
    """`x = atomicAdd(p, 1)`: the old value is used."""
    before = document.lines[finding.line - 1][: finding.column - 1]
    return finding.what in ADDS and TAKEN.search(before) is not None
