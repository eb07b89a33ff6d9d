"""Switches of `torch.backends.cuda` and `torch.backends.cudnn`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C015",
    name="cuda-backends",
    kinds=("python",),
    triggers=("cudnn", "backends", "cusparselt"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="the switch steers cuBLAS, cuDNN or NVIDIA's attention; on Ascend it has no effect",
    replacement="torch.use_deterministic_algorithms for determinism, torch.npu.{matmul,conv}.allow_hf32 for TF32",
    examples=(
        Example("import torch\n\ntorch.backends.cudnn.benchmark = True\n"),
        Example("from torch.backends.cuda import SDPBackend\n\nkind = SDPBackend.MATH\n"),
        Example("from torch.backends import cudnn\n\ncudnn.deterministic = True\n"),
    ),
    keep=("import torch\n\ntorch.backends.mps.is_available()\n",),
)

ASKED = {
    "version": "torch_npu.version.cann: the version of CANN, which holds the operators",
    "is_available": "torch.accelerator.is_available()",
    "is_built": "torch.accelerator.is_available()",
}
"""Questions, which steer nothing."""
CONSTANT: dict[str, Any] = {
    "severity": "cosmetic",
    "why": "the name of a constant says CUDA; it is the same one under torch.nn.attention",
    "replacement": "torch.nn.attention.SDPBackend",
}


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.backends.cuda", "torch.backends.cudnn", "torch.backends.cusparselt"
    ):
        says = ASKED.get(use.name.rpartition(".")[2])
        if ".SDPBackend" in use.name:
            yield RULE.found(document, *source.place(use.node), use.name, **CONSTANT)
            continue
        yield RULE.found(document, *source.place(use.node), f"{use.name}", replacement=says)
