"""Names of PyTorch that have nothing behind them on Ascend."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C047",
    name="absent-names",
    kinds=("python",),
    triggers=(
        "to_sparse_semi_structured",
        "_symmetric_memory",
        "cuda_array_interface",
        "sparsesemistructured",
    ),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="it stands on a unit of NVIDIA's: sparse tensor cores or NVLink",
    replacement="dense tensors; torch.distributed's collectives",
    examples=(Example("from torch.sparse import to_sparse_semi_structured\n"),),
    keep=("from torch.sparse import mm\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "torch.sparse.to_sparse_semi_structured",
        "torch.sparse.SparseSemiStructuredTensor",
        "torch.distributed._symmetric_memory",
    ):
        usual = "silent" if python_names.is_question(use) else RULE.severity
        weight = python_guards.weighed(source, use.node, usual, RULE.why)
        yield RULE.found(document, *source.place(use.node), f"{use.name}", **weight)
