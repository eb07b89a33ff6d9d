"""NCCL as a backend's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_source, python_strings, string_surroundings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C020",
    name="backend-nccl",
    kinds=("python",),
    triggers=("nccl",),
    layer="software",
    severity="blocks",
    safety="safe",
    runs_unchanged=True,
    why="NCCL moves data between NVIDIA's GPUs only; on Ascend it is HCCL, or what the device's default is",
    replacement="hccl, or no backend, so that PyTorch takes the device's own",
    examples=(
        Example(
            'import torch.distributed as dist\n\ndist.init_process_group("nccl")\n',
            "import torch\nimport torch.distributed as dist\n\n"
            + agnostic.LINE
            + "\n\ndist.init_process_group(dist.get_default_backend_for_device(device_type))\n",
        ),
        Example(
            'parser.add_argument("--backend", default="nccl")\n',
            "import torch\n\n" + agnostic.LINE + "\n\n"
            'parser.add_argument("--backend", default=torch.distributed.get_default_backend_for_device(device_type))\n',
        ),
        Example('if backend == "nccl":\n    pass\n', 'if backend in ("nccl", "hccl"):\n    pass\n'),
        Example(
            'dist.init_process_group(backend="cpu:gloo,cuda:nccl")\n',
            "dist.init_process_group(backend=None)\n",
        ),
    ),
    keep=(
        'dist.init_process_group("gloo")\n',
        '"""Speaks nccl."""\n',
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for text in python_strings.of_role(document, "backend"):
        _, above = string_surroundings.outside(source, text.node)
        usual = "silent" if isinstance(above, (ast.Compare, ast.MatchValue)) else RULE.severity
        fix = agnostic.given(agnostic.backend(source, text.node))
        weight = python_guards.of_value(source, text.node, usual, RULE.why, fix)
        for place in python_strings.places(document, text):
            yield RULE.found(document, *place, f"the backend {text.value!r}", **weight)
