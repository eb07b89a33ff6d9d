"""NCCL by name: process groups, questions whether it is there, its Python module."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source, string_surroundings
from jumar.port.rule import Example, Rule

NAMED = '"hccl", or no backend, so that PyTorch takes the device\'s own'

RULE = Rule(
    code="C021",
    name="nccl-names",
    kinds=("python",),
    triggers=("nccl",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="NCCL moves data between NVIDIA's GPUs only; on Ascend it is HCCL",
    replacement='torch.distributed.is_backend_available("hccl"), torch_npu\'s ProcessGroupHCCL',
    examples=(
        Example("import torch.distributed as dist\n\nif dist.is_nccl_available():\n    pass\n"),
        Example(
            "from torch import distributed as dist\n\np.add_argument('--x', choices=[dist.Backend.NCCL])\n"
        ),
    ),
    keep=("import torch.distributed as dist\n\nif dist.is_gloo_available():\n    pass\n",),
)


CHOICES = "the option takes these and refuses hccl, which is NCCL's counterpart on Ascend"


def _is_choice(source: python_source.Source, node: ast.AST) -> bool:
    """`choices=[Backend.GLOO, Backend.NCCL]`."""
    above = source.parents.get(node)
    held = source.parents.get(above) if isinstance(above, (ast.List, ast.Tuple, ast.Set)) else None
    return isinstance(held, ast.keyword) and held.arg == "choices"


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "torch.distributed.ProcessGroupNCCL",
        "torch.distributed.distributed_c10d.ProcessGroupNCCL",
        "torch._C._distributed_c10d.ProcessGroupNCCL",
        "torch.distributed.is_nccl_available",
        "torch.distributed.distributed_c10d.is_nccl_available",
        "torch.distributed.Backend.NCCL",
        "torch.distributed.distributed_c10d.Backend.NCCL",
        "torch.distributed.constants.default_pg_nccl_timeout",
        "torch.distributed.distributed_c10d.default_pg_nccl_timeout",
    ):
        _, above = string_surroundings.outside(source, use.node)
        asked = (
            use.name.endswith("is_nccl_available")
            or isinstance(above, (ast.Compare, ast.List, ast.Tuple))
            or python_names.is_question(use)
        )
        weight = python_guards.weighed(source, use.node, "silent" if asked else RULE.severity, RULE.why)
        if _is_choice(source, use.node):
            weight = {"severity": "degrades", "why": CHOICES}
        says = NAMED if use.name.endswith("Backend.NCCL") else None
        yield RULE.found(document, *source.place(use.node), use.name, **weight, replacement=says)
