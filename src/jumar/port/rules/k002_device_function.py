"""Functions for the device: `__device__`, `__forceinline__` and their kin."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K002",
    name="device-function",
    kinds=native_names.KINDS,
    triggers=("__device__",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the function runs inside kernels for NVIDIA's threads",
    replacement="part of the kernel in Ascend C (`__aicore__ inline`), or of the Triton kernel",
    examples=(
        Example("__device__ float twice(float x) { return 2 * x; }\n"),
        Example("__host__ __device__ inline int ceil_div(int a, int b) { return (a + b - 1) / b; }\n"),
    ),
    keep=("/* __device__ */ float twice(float x);\n",),
)

MARK = re.compile(r"(?:\b__host__\s+)?\b__device__\b")
NAME = re.compile(
    r"(?:[^;{}()=]|__attribute__\s*\(\([^()]{0,100}\)\)){0,200}?"
    r"(?P<name>~?\b\w{1,200}|operator[^\w\s(]{1,3})\s*[\[(;={]"
)


def check(document: Document) -> Iterator[Finding]:
    for mark in source(document).words(MARK):
        line = document.lines[document.position(mark.start())[0] - 1]
        named = None if line.lstrip().startswith("#") else NAME.match(document.text, mark.end())
        on_both = "__host__" in mark[0]
        yield RULE.found(
            document,
            mark.start(),
            named.end("name") if named else mark.end(),
            f"device code {named['name']}" if named else "device code",
            severity="degrades" if on_both else None,
        )
