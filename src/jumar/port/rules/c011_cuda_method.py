"""The method `.cuda()` of tensors, modules and whatever else has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C011",
    name="cuda-method",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why=".cuda() copies to NVIDIA's device; on Ascend it raises",
    replacement=".to(device) with a device chosen once",
    examples=(
        Example("x = x.cuda()\n", "import torch\n\n" + agnostic.LINE + "\n\nx = x.to(device_type)\n"),
        Example(
            "model.cuda(1)\n",
            "import torch\n\n" + agnostic.LINE + "\n\nmodel.to(torch.device(device_type, 1))\n",
        ),
        Example(
            "batch = batch.cuda(non_blocking=True)\n",
            "import torch\n\n" + agnostic.LINE + "\n\nbatch = batch.to(device_type, non_blocking=True)\n",
        ),
        Example("move = map(torch.Tensor.cuda, xs)\n"),
    ),
    keep=(
        "x = x.npu()\n",
        "import torch\n\ntorch.cuda.init()\n",
        "if args.cuda:\n    pass\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Attribute):
        if node.attr != "cuda":
            continue
        above = source.parents[node]
        called = isinstance(above, ast.Call) and above.func is node
        name = source.qualified(node) or ""
        if called and not name.startswith(("torch.cuda", "jax.", "numba.")):
            fix = agnostic.given(agnostic.move(source, above))
            weight = python_guards.weighed(source, above, RULE.severity, RULE.why)
            yield RULE.found(document, *source.place(above), ".cuda()", **weight, **fix)
        elif name in ("torch.Tensor.cuda", "torch.nn.Module.cuda"):
            yield RULE.found(document, *source.place(node), name)
