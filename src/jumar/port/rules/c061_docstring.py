"""A docstring that speaks of CUDA."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_strings
from jumar.port.reading.comments import is_licence
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C061",
    name="docstring",
    kinds=("python",),
    triggers=("cuda", "nccl", "nvidia", "cudnn", "cublas", "nvcc", "nvml", "nvlink", "tensorrt"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="whoever reads it learns of CUDA only",
    replacement="the word accelerator, or both devices",
    examples=(
        Example('"""Runs on CUDA."""\n'),
        Example('def load():\n    """Load.\n\n    Puts it on cuda:0.\n    """\n'),
    ),
    keep=(
        '"""See https://api.ngc.nvidia.com/models."""\n',
        '"""NVIDIA CORPORATION and its licensors keep all rights."""\n',
        '"""Eats a barracuda."""\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "docstring"):
        for start, end in python_strings.places(document, text):
            if is_licence(document.lines[document.position(start)[0] - 1]):
                continue
            yield RULE.found(document, start, end, f"says {shortened(document.text[start:end])}")
