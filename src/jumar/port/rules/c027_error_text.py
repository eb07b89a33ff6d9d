"""An error recognised by CUDA's words."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding, shortened
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C027",
    name="error-text",
    kinds=("python",),
    triggers=("cuda", "cudnn", "cublas", "nccl", "nvidia"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="the same failure has another message on Ascend, so it is no longer recognised",
    replacement="torch.OutOfMemoryError and torch.AcceleratorError, which all devices raise",
    examples=(
        Example('if "CUDA out of memory" in str(error):\n    pass\n'),
        Example('with pytest.raises(RuntimeError, match="CUDA error"):\n    pass\n'),
    ),
    keep=(
        'if "out of memory" in str(error):\n    pass\n',
        'with pytest.raises(ValueError, match="outside the visible cuda device count"):\n    pass\n',
        'if "DCGM GPU Diagnostic" in report:\n    pass\n',
        'if "NVIDIA H" in torch.cuda.get_device_name(0):\n    pass\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "error text"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"a message recognised as {shortened(text.value)}")
