"""Tensor types of CUDA: `torch.cuda.FloatTensor` and its kin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

COMPARED = "a comparison with x.dtype and x.device.type, where the type is only asked for"

TYPE = re.compile(r"torch\.cuda\.(sparse\.)?\w*Tensor")

RULE = Rule(
    code="C013",
    name="cuda-tensor-type",
    kinds=("python",),
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="the type is a tensor on NVIDIA's device",
    replacement="torch.tensor(values, dtype=…, device=…), or torch.zeros(sizes, …) where sizes are given",
    examples=(
        Example(
            "import torch\n\nx = torch.cuda.FloatTensor([1.0])\n",
            "import torch\n\n"
            + agnostic.LINE
            + "\n\nx = torch.tensor([1.0], dtype=torch.float32, device=device_type)\n",
        ),
        Example(
            "import torch\n\nx = x.type(torch.cuda.HalfTensor)\n",
            "import torch\n\n" + agnostic.LINE + "\n\nx = x.to(device_type, torch.float16)\n",
        ),
        Example(
            "import torch\n\nx = x.type('torch.cuda.LongTensor')\n",
            "import torch\n\n" + agnostic.LINE + "\n\nx = x.to(device_type, torch.int64)\n",
        ),
    ),
    keep=("import torch\n\nx = torch.FloatTensor([1.0])\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.matching(document, lambda name: bool(TYPE.fullmatch(name))):
        above = source.parents[use.node]
        asked = isinstance(above, ast.Call) and getattr(above.func, "id", "") in ("isinstance", "issubclass")
        compared = asked or isinstance(above, (ast.Compare, ast.List, ast.Tuple, ast.Set, ast.Dict))
        fix = agnostic.typed(source, use.node, use.name)
        weight = python_guards.weighed(source, use.node, "silent" if compared else RULE.severity, RULE.why)
        yield RULE.found(
            document,
            *source.place(use.node),
            use.name,
            **weight,
            **agnostic.given(fix),
            replacement=COMPARED if compared and not fix else None,
        )
