"""A device named inside a longer string: an option, a command line, code to be run."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C005",
    name="device-in-text",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the text is read by a program that will look for NVIDIA's device",
    replacement="the device's name as a value filled in",
    examples=(
        Example('run(["--device=cuda"])\n'),
        Example('run(["train", "--device", "cuda"])\n'),
        Example('code = "import torch; torch.cuda.init()"\n'),
    ),
    keep=(
        'run(["--device=cpu"])\n',
        'print("the device=cuda is gone")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "device in text"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a device inside {shortened(text.value)}")
