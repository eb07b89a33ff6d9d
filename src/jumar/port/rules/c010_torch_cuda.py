"""Names of `torch.cuda`, however the module writes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import agnostic, counterparts
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

OWN_RULE = re.compile(r"torch\.cuda\.(amp\b|\w*Tensor$|sparse\.\w*Tensor$|nccl\b)")
SAME_CLASS = "the name says CUDA; it is torch.OutOfMemoryError, which every device raises"

RULE = Rule(
    code="C010",
    name="torch-cuda",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="torch.cuda is PyTorch's face of NVIDIA's run time; a build for Ascend answers that there is none",
    replacement="torch.accelerator where it has the name, else torch.npu",
    examples=(
        Example(
            "import torch\n\ntorch.cuda.synchronize()\n",
            "import torch\n\nif torch.accelerator.is_available():\n    torch.accelerator.synchronize()\n",
        ),
        Example(
            "from torch import cuda\n\ncuda.empty_cache()\n",
            "import torch\nfrom torch import cuda\n\nif torch.accelerator.is_available():\n"
            "    torch.accelerator.empty_cache()\n",
        ),
        Example(
            "import torch as t\n\nc = t.cuda\nc.synchronize()\n",
            "import torch\nimport torch as t\n\nc = t.cuda\nif torch.accelerator.is_available():\n"
            "    torch.accelerator.synchronize()\n",
        ),
        Example(
            "import torch\n\ngetattr(torch, 'cuda').synchronize()\n",
            "import torch\n\nif torch.accelerator.is_available():\n    torch.accelerator.synchronize()\n",
        ),
        Example("@mock.patch('torch.cuda.is_available')\ndef test():\n    pass\n"),
        Example("import torch\n\n\ndef f():\n    x: torch.cuda.nvtx.Range = g()\n    return x\n"),
        Example("import torch.cuda\n"),
        Example("import torch\n\ntorch.cuda.nvtx.range_pop()\n"),
    ),
    keep=(
        '"""torch.cuda is only named here."""\n',
        "import torch\n\ntorch.accelerator.synchronize()\n",
        "import cupy.cuda as c\n\nc.Device()\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(document, "torch.cuda"):
        if not OWN_RULE.match(use.name):
            fix = agnostic.use(source, use.node, use.name)
            yield RULE.found(
                document,
                *source.place(use.node),
                use.name,
                **_weight(source, use),
                replacement=fix.text if fix else _instead(use.name),
                runs_unchanged=counterparts.runs_unchanged(use.name),
                **agnostic.given(fix),
            )


def _instead(name: str) -> str | None:
    return counterparts.without_npu(name) or counterparts.replacement(name)


OF_NONE = "without CUDA the answer is 0, and the division fails"


def _divides(source: python_source.Source, node: ast.AST) -> bool:
    """`rank % torch.cuda.device_count()`."""
    call = source.parents.get(node)
    above = source.parents.get(call) if isinstance(call, ast.Call) else None
    return (
        isinstance(above, ast.BinOp)
        and above.right is call
        and isinstance(above.op, (ast.Mod, ast.Div, ast.FloorDiv))
    )


def _weight(source: python_source.Source, use: python_names.Use) -> python_guards.Weighed:
    if use.name.rpartition(".")[2] == "OutOfMemoryError":
        return {"severity": "cosmetic", "why": SAME_CLASS}
    answer = counterparts.without_cuda(use.name)
    if answer == "0" and _divides(source, use.node):
        return python_guards.weighed(source, use.node, RULE.severity, f"{RULE.why}; {OF_NONE}")
    if answer is not None:
        why = f"{RULE.why}; without CUDA the call does not fail: {answer}"
        return python_guards.weighed(source, use.node, "silent", why)
    usual = "silent" if python_names.is_question(use) else RULE.severity
    return python_guards.weighed(source, use.node, usual, RULE.why)
