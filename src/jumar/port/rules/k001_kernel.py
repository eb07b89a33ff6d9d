"""Kernels: functions marked `__global__`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K001",
    name="kernel",
    kinds=native_names.KINDS,
    triggers=("__global__",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="a kernel is written for NVIDIA's threads and warps; a chip of Ascend has cores that "
    "work on vectors and matrices",
    replacement="an operator of PyTorch or aclnn if there is one, a Triton kernel (triton-ascend), "
    "or a kernel in Ascend C",
    examples=(
        Example("__global__ void scale(float *x, int n) {\n  if (threadIdx.x < n) x[threadIdx.x] *= 2;\n}\n"),
    ),
    keep=("// __global__ void scale(float *x);\nvoid scale(float *x);\n",),
)

MARK = re.compile(r"\b__global__\b")
NAME = re.compile(
    r"(?:[^;{}()]|(?:__launch_bounds__|__cluster_dims__|__block_size__|__attribute__)\s*"
    r"\((?:[^()]|\([^()]{0,200}\)){0,200}\)){0,400}?"
    r"\b(?!__launch_bounds__|__cluster_dims__|__block_size__|__attribute__)(?P<name>\w{1,200})\s*\("
)
BODY = re.compile(r"[;{]")
BRACE = re.compile(r"[{}]")
LONGEST_HEAD = 5_000


def check(document: Document) -> Iterator[Finding]:
    native = source(document)
    for mark in native.words(MARK):
        named = NAME.match(document.text, mark.end())
        if named:
            lines = _lines(document, named.end())
            size = f", {lines} lines" if lines else ", declared"
            severity = None if lines else "degrades"
            yield RULE.found(
                document, mark.start(), named.end("name"), f"kernel {named['name']}{size}", severity=severity
            )
        else:
            yield RULE.found(document, mark.start(), mark.end(), "kernel")


def _lines(document: Document, start: int) -> int:
    """How many lines the body has; 0 for a declaration."""
    opening = BODY.search(document.text, start, start + LONGEST_HEAD)
    if not opening or opening[0] == ";":
        return 0
    closing = document.once(_closings).get(opening.start())
    if closing is None:
        return 0
    return document.position(closing)[0] - document.position(opening.start())[0] + 1


def _closings(document: Document) -> dict[int, int]:
    """Which brace closes each one."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for mark in BRACE.finditer(document.text):
        if mark[0] == "{":
            opened.append(mark.start())
        elif opened:
            found[opened.pop()] = mark.start()
    return found
