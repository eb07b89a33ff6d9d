"""Tensors asked in C++ whether they are on CUDA, or put there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K018",
    name="tensor-check",
    kinds=native_names.KINDS,
    triggers=("is_cuda", ".cuda()"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="tensors on a chip of Ascend are no CUDA tensors: the check fails",
    replacement="x.is_privateuseone(), or !x.is_cpu() where any accelerator will do",
    examples=(
        Example('void f(torch::Tensor x) { TORCH_CHECK(x.is_cuda(), "x"); }\n'),
        Example('void f(T x) {\n  if (x.is_cuda()) {\n    g();\n  }\n  AT_ERROR("no");\n}\n'),
        Example("#define CHECK_CUDA(x) TORCH_CHECK(x.device().is_cuda(), #x)\n"),
    ),
    keep=("// x.is_cuda()\nbool y = x.is_cpu();\n",),
)

PATTERN = re.compile(r"(?:\.|->)(?P<name>is_cuda|cuda)(?=\s*\(\s*\))|\bcheck_is_cuda\b")

CHOICE = re.compile(r"(?:^|\W)(?:if|while)[ \t]*(?:constexpr[ \t]*)?\(|\?[^\"]*:")
"""A branch: on Ascend the other one is taken, without a word."""


AFTER = re.compile(
    r"(?:\s|else\b|\{|//[^\n]*|#endif[^\n]*|#else[^\n]*)*"
    r"(?:AT_ERROR|TORCH_CHECK(?:_\w+)?[ \t]*\([ \t]*(?:false|0)\b|throw\b|C10_THROW_ERROR|PADDLE_THROW|abort[ \t]*\()"
)
"""What follows the branch: whoever is not on CUDA is refused aloud."""
LONGEST = 2000


def _is_refused(document: Document, place: int) -> bool:
    """`if (x.is_cuda()) { … } AT_ERROR("…");`."""
    start = document.text.find("{", place, place + 80)
    if start < 0 or ";" in document.text[place:start]:
        return False
    depth = 0
    for at in range(start, min(len(document.text), start + LONGEST)):
        depth += {"{": 1, "}": -1}.get(document.text[at], 0)
        if depth == 0:
            return AFTER.match(document.text, at + 1) is not None
    return False


def check(document: Document) -> Iterator[Finding]:
    for match in source(document).words(PATTERN):
        line = document.lines[document.position(match.start())[0] - 1]
        heavy = (
            "cosmetic"
            if "privateuseone" in line
            else "silent"
            if CHOICE.search(line) and not _is_refused(document, match.end())
            else None
        )
        yield RULE.found(document, match.start() + 1, match.end(), match["name"] or match[0], severity=heavy)
