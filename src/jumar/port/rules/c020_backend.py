"""NCCL as a backend's name."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C020",
    name="backend-nccl",
    kinds=("python",),
    triggers=("nccl",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=True,
    why="NCCL moves data between NVIDIA's GPUs only; on Ascend it is HCCL, or what the device's default is",
    replacement="hccl, or no backend, so that PyTorch takes the device's own",
    examples=(
        Example('import torch.distributed as dist\n\ndist.init_process_group("nccl")\n'),
        Example('parser.add_argument("--backend", default="nccl")\n'),
        Example('if backend == "nccl":\n    pass\n'),
        Example('dist.init_process_group(backend="cpu:gloo,cuda:nccl")\n'),
    ),
    keep=(
        'dist.init_process_group("gloo")\n',
        '"""Speaks nccl."""\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for text in python_strings.of_role(document, "backend"):
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the backend {text.value!r}")
