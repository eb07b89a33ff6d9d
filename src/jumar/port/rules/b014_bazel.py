"""Bazel and Meson rules for CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import without_comments
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B014",
    name="bazel",
    kinds=("bazel", "text"),
    triggers=("cuda", "nccl", "cudnn"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the rule needs NVIDIA's toolkit",
    replacement="a rule of one's own around bisheng",
    examples=(
        Example(
            'load("@rules_cuda//cuda:defs.bzl", "cuda_library")\ncuda_library(name = "x", srcs = ["x.cu"])\n',
            path="BUILD.bazel",
        ),
        Example("project('x', 'cpp', 'cuda')\n", path="meson.build"),
    ),
    keep=(
        Example('cc_library(name = "x")\n', path="BUILD.bazel"),
        Example("all about cuda\n", path="notes.txt"),
    ),
)

WORD = re.compile(r"(?<![A-Za-z])(?:cuda|nccl|cudnn|cublas|if_cuda)\w*", re.IGNORECASE)

TEXT = re.compile(r'"""(?:[^"]|"(?!"")){0,5000}"""')


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def check(document: Document) -> Iterator[Finding]:
    if document.kind == "text" and not document.path.endswith(
        ("meson.build", "meson_options.txt", "meson.options")
    ):
        return
    lines: set[int] = set()
    for match in WORD.finditer(TEXT.sub(_blank, without_comments(document))):
        line, _ = document.position(match.start())
        if line not in lines:
            lines.add(line)
            yield RULE.found(document, *match.span(), match[0])
