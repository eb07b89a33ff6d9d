"""Functions of PyTorch for which the installed torch_npu registers no kernel."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import operators
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C041",
    name="operator-without-kernel",
    kinds=("python",),
    triggers=operators.triggers(),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="torch_npu has no kernel for it: tensors go to the CPU, are computed there and come back, with a warning",
    replacement="functions that the chip has, or this part on the CPU on purpose",
    examples=(
        Example("import torch\n\ny = torch.lgamma(x)\n"),
        Example("from torch import linalg\n\nvalues, vectors = linalg.eigh(x)\n"),
        Example("import torch.nn.functional as F\n\nloss = F.huber_loss(x, y)\n"),
    ),
    keep=(
        "import torch\n\ny = torch.exp(x)\n",
        "import numpy as np\n\nw = np.linalg.eigh(x)\n",
        "y = math.lgamma(x)\n",
        "import torch\n\ny = torch.inverse(x.cpu())\n",
        'import torch\n\nnew = hasattr(torch.linalg, "eigh")\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    missing = operators.without_kernel()
    for use in python_names.matching(document, missing.__contains__):
        above = source.parents[use.node]
        if use.how != "import" and not python_names.is_question(use) and ".cpu()" not in source.text(above):
            yield RULE.found(
                document, *source.place(use.node), f"{use.name}, as aten::{missing[use.name]} has no kernel"
            )
