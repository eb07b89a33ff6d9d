"""Packages that only an NVIDIA GPU can run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jumar.port import packages
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_packages, python_source
from jumar.port.rule import Example, Rule

ON_CPU = "its kernels are for NVIDIA's GPUs; elsewhere it computes on the CPU"

RULE = Rule(
    code="C031",
    name="package-without-counterpart",
    kinds=("python",),
    triggers=("import", "require"),
    possible=packages.is_possible,
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package needs an NVIDIA GPU, and has no counterpart that is imported under its name",
    replacement="another package or torch operators",
    examples=(
        Example("import cupy as cp\n"),
        Example("from numba import cuda\n"),
        Example("if is_unsloth_available():\n    import unsloth\n"),
        Example("import nvidia.dali.fn as fn\n"),
        Example('cp = importlib.import_module("cupy")\n'),
    ),
    keep=(
        "import numpy\n",
        "from numba import njit\n",
        "import cudabrot\n",
        "from .warp import warp\n",
    ),
)


def check(document: Document) -> Iterator[Finding]:
    for asked in document.once(python_packages.read):
        if asked.row.status == "absent":
            yield RULE.found(
                document,
                *asked.place,
                asked.what,
                **_weight(document, asked),
                replacement=asked.replacement,
                runs_unchanged=asked.runs_unchanged,
            )


def _weight(document: Document, asked: python_packages.Asked) -> python_guards.Weighed:
    if "CPU" in asked.row.note:
        return {"severity": "degrades", "why": ON_CPU}
    if asked.what.startswith("asks"):
        return {"severity": "degrades", "why": RULE.why}
    source = document.once(python_source.read)
    weight = python_guards.weighed(source, asked.node, RULE.severity, RULE.why)
    if weight["severity"] == "blocks" and _is_chosen(source, asked):
        return {"severity": "degrades", "why": f"{RULE.why}; {CHOSEN}"}
    return weight


CHOSEN = "it is reached only where the program is told to use it, or found it"


def _is_chosen(source: python_source.Source, asked: python_packages.Asked) -> bool:
    """It stands under an `if` that names the package: `if is_unsloth_available():`, `if args.backend == "apex":`."""
    inner: ast.AST = asked.node
    for outer in source.ancestors(asked.node):
        if isinstance(outer, ast.If) and inner in outer.body and not isinstance(outer.test, ast.UnaryOp):
            test = source.text(outer.test).lower()
            if asked.row.cuda.partition(".")[0].lower() in test and not FOR_ALL.search(test):
                return not (outer.orelse and isinstance(outer.orelse[-1], ast.Raise))
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return False
        inner = outer
    return False


FOR_ALL = re.compile(r"\bnot\b|!=")
