"""Variables in NVIDIA's memory spaces: shared, constant, managed, textures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K013",
    name="memory-space",
    kinds=native_names.KINDS,
    triggers=("__shared__", "__constant__", "__managed__", "texture<", "__grid_constant__"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the memory space is one of NVIDIA's GPUs",
    replacement="buffers of a TPipe in Ascend C (unified buffer, L1, L0); hand constants to the "
    "kernel in a buffer",
    examples=(Example("__global__ void k() { __shared__ float tile[32][33]; }\n"),),
    keep=("// __shared__ float x;\nint shared;\n",),
)

PATTERN = re.compile(
    r"\b(?:(?:extern|static)\s+)?(?:__shared__|__constant__|__managed__|__grid_constant__)\b|\btexture\s*<"
)
INSTEAD = {
    "__constant__": "hand the constants to the kernel in a buffer of global memory",
    "__managed__": "no managed memory: a host and a device buffer, and aclrtMemcpy",
    "texture": "no texture units: read from global memory and interpolate",
    "__grid_constant__": "an ordinary argument of the kernel",
}


def check(document: Document) -> Iterator[Finding]:
    for match in source(document).words(PATTERN):
        word = match[0].split()[-1].rstrip("<")
        yield RULE.found(document, *match.span(), word, replacement=INSTEAD.get(word))
