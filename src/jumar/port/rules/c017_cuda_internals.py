"""PyTorch's private functions for CUDA: `torch._C._cuda_…` and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

INTERNAL = re.compile(
    r"torch\.(_C\._?(cuda|cudnn|nccl|CudaEvent|CudaStream|CUDAGraph)\w*|_inductor\.(codegen\.cuda|cuda\w*)|utils\.dlpack\._?cuda)(\.\w+)*"
)

RULE = Rule(
    code="C017",
    name="cuda-internals",
    kinds=("python",),
    triggers=("cuda", "cudnn", "nccl"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="the function is part of PyTorch's CUDA build only",
    replacement="a public name, of torch.accelerator or torch.npu",
    examples=(
        Example("import torch\n\nif hasattr(torch._C, '_cuda_x'):\n    f = torch._C._cuda_x\n"),
        Example(
            "import torch\n\n\ndef f():\n    if hasattr(torch._C, '_cuda_x'):\n\n        def g():\n"
            "            torch._C._cuda_x()\n\n    return g\n"
        ),
        Example("import torch\n\ntorch._C._cuda_clearCublasWorkspaces()\n"),
        Example("from torch._C import _cuda_getCurrentRawStream\n"),
    ),
    keep=("import torch\n\ntorch._C._get_tracing_state()\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.matching(document, lambda name: bool(INTERNAL.fullmatch(name))):
        if use.name.startswith("torch._inductor"):
            marks = use.name.endswith("mark_step_begin")
            says = "torch.compiler.cudagraph_mark_step_begin, which runs everywhere; " if marks else ""
            says += "graphs are torchair's on Ascend"
            yield RULE.found(
                document, *source.place(use.node), use.name, severity="degrades", replacement=says
            )
            continue
        usual = "silent" if python_names.is_question(use) else RULE.severity
        weight = python_guards.weighed(source, use.node, usual, RULE.why)
        yield RULE.found(document, *source.place(use.node), use.name, **weight)
