"""A gradient scaler without a device: it is CUDA's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port import agnostic
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source
from jumar.port.rule import Example, Rule

NAMES = ("torch.amp.GradScaler", "torch.GradScaler", "torch.amp.grad_scaler.GradScaler")

RULE = Rule(
    code="C049",
    name="scaler-without-device",
    kinds=("python",),
    triggers=("gradscaler",),
    layer="software",
    severity="silent",
    safety="safe",
    runs_unchanged=True,
    why="without a device the scaler is for cuda; on Ascend it warns, switches itself off and float16 underflows",
    replacement="torch.amp.GradScaler(device_type)",
    examples=(
        Example(
            "import torch\n\nscaler = torch.amp.GradScaler()\n",
            "import torch\n\n" + agnostic.LINE + "\n\nscaler = torch.amp.GradScaler(device_type)\n",
        ),
        Example(
            "import torch\nfrom torch.amp import GradScaler\n\nscaler = GradScaler(enabled=amp)\n",
            "import torch\nfrom torch.amp import GradScaler\n\n" + agnostic.LINE + "\n\n"
            "scaler = GradScaler(device_type, enabled=amp)\n",
        ),
    ),
    keep=(
        "import torch\n\nscaler = torch.amp.GradScaler(device.type)\n",
        "import torch\n\nscaler = torch.amp.GradScaler(device=kind, enabled=amp)\n",
        "import torch\n\nscaler = torch.amp.GradScaler(**settings)\n",
        "from mine import GradScaler\n\nscaler = GradScaler()\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for call in source.all(ast.Call):
        if call.args or any(one.arg in ("device", None) for one in call.keywords):
            continue
        if source.qualified(call.func) in NAMES:
            fix = agnostic.scaler(source, call)
            yield RULE.found(
                document, *source.span(call), "GradScaler without a device", **agnostic.given(fix)
            )
