"""A device named in a string: `"cuda"`, `"cuda:0"`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C001",
    name="device-string",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the string names NVIDIA's device; PyTorch on Ascend calls its own npu",
    replacement="a device chosen once: torch.accelerator.current_accelerator()",
    examples=(
        Example('import torch\n\nx = torch.zeros(3, device="cuda")\n'),
        Example('device = "cuda" if ok else "cpu"\n'),
        Example('model.to("cuda:1")\n'),
        Example("def load(path, device='cuda'):\n    pass\n"),
        Example('parser.add_argument("--device", default="cuda")\n'),
        Example('pick = lambda: "cuda"\n'),
    ),
    keep=(
        'print("barracuda")\n',
        '"""Runs on cuda."""\n',
        'folder = Path(root) / "cuda"\n',
        'print("cuda")\n',
        'word.replace("cuda", "npu")\n',
        '__all__ = ["cuda"]\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "device"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the device {text.value!r}")
