"""Names of `torch.cuda`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

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
    examples=(Example("import torch\n\ntorch.cuda.synchronize()\n"),),
    keep=('"""torch.cuda is only named here."""\n',),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for node in source.all(ast.Attribute):
        if isinstance(source.parents[node], ast.Attribute):
            continue
        name = source.qualified(node)
        if name and (name == "torch.cuda" or name.startswith("torch.cuda.")):
            yield RULE.found(document, *source.span(node), name)
