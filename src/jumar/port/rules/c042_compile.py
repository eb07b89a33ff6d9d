"""`torch.compile` and Inductor."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C042",
    name="compile",
    kinds=("python",),
    triggers=("torch.compile", "inductor"),
    layer="software",
    severity="degrades",
    safety="report",
    runs_unchanged=True,
    why="Inductor writes Triton for NVIDIA; on Ascend it needs torchair or triton-ascend as a backend",
    replacement="torch.compile(backend=torchair.get_npu_backend()), or no compilation",
    examples=(Example("import torch\n\nmodel = torch.compile(model)\n"),),
    keep=(
        "import torch\n\nmodel = torch.compile(model, backend='aot_eager')\n",
        "from torch._inductor.dependencies import WeakDep\n\nok = isinstance(x, WeakDep)\n",
        "import torch\n\nmodel = torch.jit.script(model)\n",
    ),
)

COMPILES = re.compile(
    r"torch\.compile|torch\._inductor(?:$|\.(?:config|compile|aot|codecache|lowering|async_compile))"
)
"""What compiles, or steers how; helpers that only look at graphs run everywhere."""
LOOKS = re.compile(
    r"torch\._inductor\.(?:dependencies|ir|virtualized|sizevars|metrics|test_case|pattern_matcher)\b"
)
"""Classes of Inductor's graph, which nobody compiles with by naming them."""


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(document, "torch.compile", "torch._inductor"):
        if use.name.endswith("cudagraph_mark_step_begin"):
            continue  # of CUDA's graphs, which another rule tells of
        if not _has_backend(source.parents[use.node]) and not LOOKS.match(use.name):
            set_back = use.name == "torch.compile" and isinstance(getattr(use.node, "ctx", None), ast.Store)
            heavy = (
                None
                if not set_back and COMPILES.match(use.name) and not python_names.is_question(use)
                else "cosmetic"
            )
            yield RULE.found(document, *source.place(use.node), use.name, severity=heavy)


def _has_backend(call: ast.AST) -> bool:
    """One that is named, and is not Inductor."""
    return isinstance(call, ast.Call) and any(
        given.arg == "backend" and isinstance(given.value, ast.Constant) and given.value.value != "inductor"
        for given in call.keywords
    )
