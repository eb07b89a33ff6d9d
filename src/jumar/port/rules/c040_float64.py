"""Double precision under PyTorch's names."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C040",
    name="float64",
    kinds=("python",),
    triggers=("float64", "torch.double", "complex128", "cdouble", "doubletensor"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="Ascend's cores compute no double precision: operators refuse it or take a slow processor beside them",
    replacement="torch.float32, or the CPU for this part",
    examples=(
        Example("import torch\n\nx = x.to(torch.float64)\n"),
        Example("import torch\n\ntorch.set_default_dtype(torch.double)\n"),
    ),
    keep=(
        "import torch\n\nx = x.to(torch.float32)\n",
        "import numpy as np\n\nx = np.float64(1)\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.float64", "torch.double", "torch.complex128", "torch.cdouble", "torch.DoubleTensor"
    ):
        yield RULE.found(document, *source.place(use.node), f"{use.name}")
