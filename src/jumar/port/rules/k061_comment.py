"""Comments and texts of C++ sources that name CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import is_licence
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K061",
    name="comment",
    kinds=native_names.KINDS,
    triggers=("cuda", "nccl", "nvidia"),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=False,
    why="people read of CUDA; nothing runs differently",
    replacement="a word that holds for both",
    examples=(
        Example("// runs on the CUDA device\nint x;\n"),
        Example('const char *s = "CUDA out of memory";\n'),
    ),
    keep=(
        "/** @file\n *  @author Somebody, NVIDIA\n */\nint x;\n",
        "int x; // barracuda\n",
    ),
)

PATTERN = re.compile(r"(?<![A-Za-z])(?:(?i:cuda|nccl|nvidia|cudnn|cublas)\w*|[A-Z]\w{0,60}Cuda[A-Z]\w*)")


def check(document: Document) -> Iterator[Finding]:
    native, lines = source(document), set[int]()
    for match in PATTERN.finditer(document.text):
        line, _ = document.position(match.start())
        if line in lines or native.is_code(*match.span()):
            continue
        lines.add(line)
        text = document.lines[line - 1]
        if not is_licence(text) and not text.lstrip().startswith("#"):
            yield RULE.found(document, *match.span(), f"text: {match[0]}")
