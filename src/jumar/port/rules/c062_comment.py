"""A comment that speaks of CUDA."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import kin
from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_comments
from jumar.port.reading.comments import is_licence
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C062",
    name="comment",
    kinds=("python",),
    triggers=(
        "cuda",
        "nccl",
        "nvidia",
        "cudnn",
        "cublas",
        "nvcc",
        "nvml",
        "nvlink",
        "tensorrt",
        "cu11",
        "cu12",
    ),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="whoever reads it learns of CUDA only",
    replacement="the word accelerator, or both devices",
    examples=(
        Example("x = 1  # on cuda\n"),
        Example("# NCCL wants this\nx = 1\n"),
    ),
    keep=(
        "x = 1  # on a barracuda\n",
        "# Copyright 2020 NVIDIA\nx = 1\n",
        "# see https://docs.nvidia.com/cuda\n",
        'x = "# cuda"\n',
        '"""\n# cuda\n"""\n',
        "# license agreement from NVIDIA CORPORATION is strictly prohibited.\nx = 1\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for start, end in document.once(python_comments.read):
        place = kin.said(document.text, start, end)
        if place and not is_licence(document.text[start:end]):
            yield RULE.found(document, *place, f"says {shortened(document.text[start:end])}")
