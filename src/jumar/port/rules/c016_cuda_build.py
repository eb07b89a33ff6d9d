"""Questions about the build: `torch.version.cuda`, `torch.has_cuda`, `torch._C._cuda…`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="C016",
    name="cuda-build",
    kinds=("python",),
    triggers=("cuda", "cudnn"),
    layer="software",
    severity="silent",
    safety="report",
    runs_unchanged=True,
    why="a build for Ascend says None or False, whatever the device can do",
    replacement="torch.accelerator.is_available(), or torch_npu.__version__",
    examples=(Example('import torch\n\nmajor = torch.version.cuda.split(".")[0]\n'),),
    keep=("import torch\n\nname = torch.version.git_version\n",),
)


FAILS = "a build for Ascend has None there, and this fails on None"
BRANCH = "a branch for builds without CUDA; where a version is shown, torch_npu.__version__"
READERS = frozenset(("float", "int", "parse", "Version", "LooseVersion", "StrictVersion"))
"""Functions that take no None."""


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document, "torch.version.cuda", "torch.has_cuda", "torch.has_cudnn", "torch.backends.cuda.is_built"
    ):
        fails = _is_read(source, use)
        usual, why = ("blocks", FAILS) if fails else (RULE.severity, RULE.why)
        weight = python_guards.weighed(source, use.node, usual, why)
        if isinstance(above := _choice(source, use.node), ast.IfExp) and "version.cuda" in source.text(
            above.test
        ):
            weight, fails = {"severity": "cosmetic", "why": GUARDED}, False
        instead = BRANCH if fails else None
        yield RULE.found(document, *source.place(use.node), use.name, **weight, replacement=instead)


GUARDED = "the line asks for CUDA's build itself, and has a value for others"


def _choice(source: python_source.Source, node: ast.AST) -> ast.AST | None:
    return next((one for one in source.ancestors(node) if isinstance(one, (ast.IfExp, ast.stmt))), None)


def _is_read(source: python_source.Source, use: python_names.Use) -> bool:
    """A version is taken apart, or held against another, as only a text can be."""
    if not use.name.startswith("torch.version.cuda"):
        return False
    if use.name.startswith("torch.version.cuda."):
        return True
    above = source.parents[use.node]
    if isinstance(above, ast.Compare):
        return isinstance(above.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE))
    word = getattr(getattr(above, "func", None), "id", "") or getattr(
        getattr(above, "func", None), "attr", ""
    )
    return isinstance(above, ast.Call) and use.node in above.args and word in READERS
