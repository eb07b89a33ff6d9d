"""A device named inside a longer string: an option, a command line, code to be run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_guards, python_source, python_strings
from jumar.port.rule import Example, Rule

NAMES = re.compile(r"torch\.cuda\.")
ANSWERS_NO = re.compile(r"torch\.cuda\.(?:is_available|device_count|is_initialized|manual_seed)")
"""Does not fail without a GPU; what goes by it is skipped."""
OF_CODE = "the like of torch.accelerator, which answers for any chip; torch.npu for what it lacks"
OF_NAMES = "the code is run by another Python, whose torch.cuda is PyTorch's face of NVIDIA's run time"

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
        'script = """\nprint("torch.cuda.is_available() is False")\n"""\n',
        'run(["--device=cpu"])\n',
        'print("the device=cuda is gone")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "device in text"):
        named = NAMES.search(text.value)
        usual = "silent" if ANSWERS_NO.search(text.value) else RULE.severity
        weight = python_guards.of_value(source, text.node, usual, OF_NAMES if named else RULE.why)
        for place in python_strings.places(document, text):
            what = "torch.cuda" if named else "a device"
            says = OF_CODE if named and "replacement" not in weight else weight.pop("replacement", None)
            yield RULE.found(
                document, *place, f"{what} inside {shortened(text.value)}", **weight, replacement=says
            )
