"""What the program says of CUDA: messages, help texts, titles."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C060",
    name="message",
    kinds=("python",),
    triggers=("cuda", "nccl", "nvidia", "cudnn", "cublas", "nvcc", "nvml", "nvlink", "tensorrt", "dcgm"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="people are told of CUDA where the device is another",
    replacement="the device's name, or the word accelerator",
    examples=(
        Example('print("CUDA is not available")\n'),
        Example('parser.add_argument("--fast", help="use CUDA graphs")\n'),
        Example('raise RuntimeError("needs CUDA")\n'),
    ),
    keep=(
        'print("barracuda")\n',
        'print("the device is not available")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "message", "word", "path"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"says {shortened(text.value)}")
