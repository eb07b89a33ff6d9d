"""What a program calls of Triton beside its kernels: grids, block sizes, heuristics, tuning."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import packages
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_names, python_source
from jumar.port.rule import Example, Rule

TUNING = ("triton.autotune", "triton.Config", "triton.heuristics")
OF_TUNING = (
    "sizes of blocks, warps and stages are chosen for a GPU; on Ascend others are fast, and some do not fit"
)

RULE = Rule(
    code="C035",
    name="triton-host",
    kinds=("python",),
    triggers=("triton",),
    layer="software",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="it belongs to Triton, whose package for Ascend is another; sizes and tuning chosen here are for a GPU",
    replacement="the same name of triton-ascend, after a look at block sizes and grids",
    examples=(
        Example("import triton\n\nc = triton.Config({'BLOCK': 64}, num_warps=4)\n"),
        Example("import triton\n\ngrid = (triton.cdiv(n, 128),)\n"),
        Example("import triton\n\n@triton.autotune(configs=[], key=[])\ndef kernel():\n    pass\n"),
    ),
    keep=(
        "import math\n\ngrid = (math.ceil(n / 128),)\n",
        "from torch.utils import triton\n\ntriton.cdiv(1, 2)\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    if "triton" in document.own or packages.FOR_NPU.search(document.path):
        return
    source = document.once(python_source.read)
    for use in python_names.matching(document, _is_host):
        if use.how in ("attribute", "name"):
            tuned = use.name.startswith(TUNING)
            yield RULE.found(
                document,
                *source.place(use.node),
                use.name,
                why=OF_TUNING if tuned else None,
                severity="degrades" if tuned else None,
            )


def _is_host(name: str) -> bool:
    """Not the language of kernels, nor the mark of one."""
    return name.startswith("triton.") and not name.startswith(
        (
            "triton.language",
            "triton.jit",
            "triton.backends",
            "triton.experimental.gluon",
            "triton.runtime.driver.active.utils",
        )
    )
