"""A device named in a string: `"cuda"`, `"cuda:0"`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings, string_surroundings
from jumar.port.rule import Example, Rule

MIXED = frozenset(("autocast", "GradScaler", "custom_fwd", "custom_bwd"))
OF_MIXED = "mixed precision for the device cuda only; on Ascend it warns and does nothing"
ELSEWHERE = "the string names NVIDIA's device, which a machine with Ascend does not have"
AS_KNOWN = "the device as the called library knows it there, or its own choice; in PyTorch it is npu"
"""Where a file has nothing to do with PyTorch itself."""

RULE = Rule(
    code="C001",
    name="device-string",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="the string names NVIDIA's device; PyTorch on Ascend calls its own npu",
    replacement="a device chosen once: torch.accelerator.current_accelerator()",
    examples=(
        Example(
            'import torch\n\nx = torch.zeros(3, device="cuda")\n',
            "import torch\n\n" + agnostic.LINE + "\n\nx = torch.zeros(3, device=device_type)\n",
        ),
        Example(
            'device = "cuda" if ok else "cpu"\n',
            "import torch\n\n" + agnostic.LINE + '\n\ndevice = device_type if ok else "cpu"\n',
        ),
        Example(
            'model.to("cuda:1")\n', "import torch\n\n" + agnostic.LINE + '\n\nmodel.to(f"{device_type}:1")\n'
        ),
        Example(
            "def load(path, device='cuda'):\n    pass\n",
            "import torch\n\n" + agnostic.LINE + "\n\ndef load(path, device=device_type):\n    pass\n",
        ),
        Example(
            'parser.add_argument("--device", default="cuda")\n',
            "import torch\n\n" + agnostic.LINE + '\n\nparser.add_argument("--device", default=device_type)\n',
        ),
        Example(
            "def f(x, device='cuda'):\n    y = x + 1\n    return y\n",
            "import torch\n\n"
            + agnostic.LINE
            + "\n\ndef f(x, device=device_type):\n    y = x + 1\n    return y\n",
        ),
        Example(
            'pick = lambda: "cuda"\n', "import torch\n\n" + agnostic.LINE + "\n\npick = lambda: device_type\n"
        ),
    ),
    keep=(
        'print("barracuda")\n',
        'def f(x, impl="cuda"):\n    pass\n',
        '"""Runs on cuda."""\n',
        'folder = Path(root) / "cuda"\n',
        'print("cuda")\n',
        'word.replace("cuda", "npu")\n',
        '__all__ = ["cuda"]\n',
    ),
)


OF_OPERATOR = {
    "why": "the operator of the program's own is registered for NVIDIA's device only; on Ascend it has no kernel",
    "replacement": 'a kernel registered for "npu" beside it, or none of device_types where it holds for both',
}
UNUSED = "a constant that the file never uses names NVIDIA's device"


def _is_unused(source: python_source.Source, node: ast.AST) -> bool:
    """`DEVICE = "cuda:0"` in a program that nothing imports, once and never again."""
    row = source.parents[node]
    if not isinstance(row, ast.Assign) or "__main__" not in source.document.text:
        return False
    names = [one.id for one in row.targets if isinstance(one, ast.Name)]
    return (
        len(names) == len(row.targets) == 1 and len(re.findall(rf"\b{names[0]}\b", source.document.text)) == 1
    )


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    known = "torch" in document.text
    for text in python_strings.of_role(document, "device"):
        fix = agnostic.given(agnostic.device_name(source, text.node))
        mixed = string_surroundings.called(source, text.node, by_keyword=True) in MIXED
        usual = ("silent", OF_MIXED) if mixed else (RULE.severity, RULE.why if known else ELSEWHERE)
        weight = python_guards.of_value(source, text.node, *usual, fix)
        if _is_unused(source, text.node):
            weight = {"severity": "cosmetic", "why": UNUSED}
        if getattr(source.parents[text.node], "arg", "") == "device_types":
            weight = {k: v for k, v in weight.items() if k in ("severity",)} | OF_OPERATOR
        if not known:
            weight.setdefault("replacement", AS_KNOWN)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the device {text.value!r}", **weight)
