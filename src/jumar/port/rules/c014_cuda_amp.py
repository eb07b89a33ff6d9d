"""Mixed precision under its CUDA name: `torch.cuda.amp`."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

INSTEAD = {
    "autocast": "torch.amp.autocast(device_type)",
    "GradScaler": "torch.amp.GradScaler(device_type)",
    "custom_fwd": "torch.amp.custom_fwd(device_type=…)",
    "custom_bwd": "torch.amp.custom_bwd(device_type=…)",
    "get_autocast_gpu_dtype": "torch.get_autocast_dtype(device_type)",
    "set_autocast_gpu_dtype": "torch.set_autocast_dtype(device_type, dtype)",
    "amp": "torch.amp",
}

RULE = Rule(
    code="C014",
    name="cuda-amp",
    kinds=("python",),
    triggers=("cuda", "_gpu_dtype"),
    layer="software",
    severity="silent",
    safety="safe",
    runs_unchanged=True,
    why="it is autocast for the device cuda only; on Ascend it warns and does nothing",
    replacement="torch.amp.autocast(device_type) and torch.amp.GradScaler(device_type)",
    examples=(
        Example(
            "from torch.cuda.amp import autocast\n\nwith autocast():\n    pass\n",
            "import torch\nfrom torch.amp import autocast\n\n"
            + agnostic.LINE
            + "\n\nwith autocast(device_type):\n    pass\n",
        ),
        Example(
            "import torch\n\nscaler = torch.cuda.amp.GradScaler()\n",
            "import torch\n\n" + agnostic.LINE + "\n\nscaler = torch.amp.GradScaler(device_type)\n",
        ),
    ),
    keep=('import torch\n\nscaler = torch.amp.GradScaler("npu")\n',),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.cuda.amp", "torch.get_autocast_gpu_dtype", "torch.set_autocast_gpu_dtype"
    ):
        fix = agnostic.given(agnostic.use(source, use.node, use.name))
        way = python_guards.standing(source, use.node)
        why = f"mixed precision under its CUDA name, {python_guards.WHY[way]}" if way else None
        heavy = "degrades" if way else None
        yield RULE.found(
            document,
            *source.place(use.node),
            use.name,
            severity=heavy,
            why=why,
            replacement=INSTEAD.get(use.name.rpartition(".")[2]),
            **fix,
        )
