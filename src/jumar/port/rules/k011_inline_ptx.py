"""Assembly for NVIDIA's GPUs inside kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K011",
    name="inline-ptx",
    kinds=native_names.KINDS,
    triggers=("asm",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="PTX is the assembly of NVIDIA's GPUs",
    replacement="write what the instruction does in Ascend C: Mmad for mma, DataCopy for cp.async "
    "and ldmatrix",
    examples=(
        Example('__device__ void w() { asm volatile("cp.async.wait_all;" ::: "memory"); }\n', path="a.cu"),
    ),
    keep=(Example('static inline void relax() { __asm__ volatile("pause" ::: "memory"); }\n', path="a.cpp"),),
)

OPENING = re.compile(r"\b(?:asm|__asm__|__asm)\b\s*(?:volatile|__volatile__)?\s*\(")
PTX = re.compile(
    r"\b(?:cp\.async|ld\.(?:global|shared|param)|st\.(?:global|shared)|mma\.|wgmma|"
    r"ldmatrix|stmatrix|bar\.|barrier\.|mbarrier|"
    r"cvt\.|prmt\.b32|lop3|shfl\.|red\.|atom\.|fence\.|griddepcontrol|setmaxnreg|elect\.|"
    r"mov\.[ubf]\d|fma\.r|ex2\.|"
    r"add\.[fsu]|sub\.[fsu]|mul\.|max\.|min\.|tanh\.|vote\.|membar|multimem|prefetch|"
    r"createpolicy|tcgen05|cluster|discard|"
    r"nanosleep|trap;|brkpt)"
)
OPCODE = re.compile(r"(?P<code>[a-z]\w*(?:\.[\w:]+)+)")


def check(document: Document) -> Iterator[Finding]:
    for match in source(document).words(OPENING):
        head = document.text[match.end() : match.end() + 600]
        if document.kind != "cuda" and not PTX.search(head.split(";\n", 1)[0]):
            continue
        code = OPCODE.search(head)
        yield RULE.found(document, *match.span(), f"PTX {code['code']}" if code else "inline PTX")
