"""8-bit floating point."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source, string_surroundings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C043",
    name="float8",
    kinds=("python",),
    triggers=("float8_",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="chips of the 910 series compute no 8-bit floating point",
    replacement="bfloat16 or int8; on 950 chips float8_e4m3fn and float8_e5m2",
    examples=(Example("import torch\n\nx = x.to(torch.float8_e4m3fn)\n"),),
    keep=("import torch\n\nx = x.to(torch.float16)\n",),
)


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "torch.float8_e4m3fn",
        "torch.float8_e5m2",
        "torch.float8_e8m0fnu",
        "torch.float8_e4m3fnuz",
        "torch.float8_e5m2fnuz",
        "torch.float4_e2m1fn_x2",
    ):
        _, above = string_surroundings.outside(source, use.node)
        compared = isinstance(above, (ast.Compare, ast.Dict, ast.List, ast.Tuple, ast.Set))
        asked = isinstance(above, ast.Call) and bool(ASKING.search(getattr(above.func, "attr", "")))
        call = source.parents[above] if isinstance(above, ast.keyword) else None
        host = isinstance(call, ast.Call) and _stays_on_host(source, call)
        heavy = "silent" if compared or asked or host else RULE.severity
        why, says = OF_FOUR_BITS if "float4" in use.name else (RULE.why, None)
        weight = python_guards.weighed(source, use.node, heavy, why)
        yield RULE.found(document, *source.place(use.node), use.name, **weight, replacement=says)


OF_FOUR_BITS = ("chips of the 910 series compute no 4-bit floating point", "bfloat16, int8 or int4")
ASKING = re.compile(r"^assert|size|bytes|finfo|equal", re.IGNORECASE)


def _stays_on_host(source: python_source.Source, call: ast.Call) -> bool:
    """A tensor of given values without a device is made on the host, where PyTorch has the type."""
    name = source.qualified(call.func) or ""
    return name in ("torch.tensor", "torch.finfo") and not any(
        given.arg == "device" for given in call.keywords
    )
