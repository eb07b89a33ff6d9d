"""Requirements in setup.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from jumar.port import cost, distributions
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_source, requirement_lines
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B002",
    name="setup-requirement",
    kinds=("python",),
    triggers=("install_requires", "extras_require", "setup(", "requires"),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="the package works with NVIDIA's GPUs only, or differs on Ascend",
    replacement="what the table of distributions says",
    examples=(
        Example(
            'from setuptools import setup\nsetup(install_requires=["torch", "flash-attn>=2.0"])\n',
            path="setup.py",
        ),
        Example(
            'from setuptools import setup\nsetup(extras_require={"fast": ["flash-attn"]})\n', path="setup.py"
        ),
    ),
    keep=(
        Example(
            'from setuptools import setup\nsetup(install_requires=["torch", "numpy"])\n', path="setup.py"
        ),
        Example('requires = ["cupy"]\n', path="module.py"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    if "setuptools" not in document.text and not document.path.endswith("setup.py"):
        return
    source = document.once(python_source.read)
    for node in source.all(ast.Constant):
        if (
            not isinstance(node.value, str)
            or "\n" in node.value
            or node.value.isupper()
            or not _is_listed(source, node)
        ):
            continue
        needed = requirement_lines.parse(node.value, 0)
        if (
            needed
            and not _is_own(source, needed.name)
            and (found := distributions.found(RULE, document, needed.asked, *source.span(node)))
        ):
            yield _of_extra(found) if _is_extra(source, node) else found


def _is_extra(source: python_source.Source, node: ast.AST) -> bool:
    """It is asked for under a name of `extras_require`."""
    return any(isinstance(one, ast.keyword) and one.arg == "extras_require" for one in source.ancestors(node))


def _of_extra(found: Finding) -> Finding:
    if found.severity != "blocks":
        return found
    why = f"{found.why}; it is installed only where the extra is asked for"
    return replace(found, severity="degrades", why=why, effort_days=cost.days(found.code, "degrades"))


def _is_own(source: python_source.Source, name: str) -> bool:
    """Whether this is the script of that very distribution."""
    return any(
        one.arg == "name" and isinstance(one.value, ast.Constant) and str(one.value.value).lower() == name
        for one in source.all(ast.keyword)
    )


def _is_listed(source: python_source.Source, node: ast.AST) -> bool:
    """An item of a list, an argument of append, or a value of extras."""
    above = source.parents.get(node)
    if isinstance(above, ast.Call):
        return isinstance(above.func, ast.Attribute) and above.func.attr in ("append", "add")
    call = source.parents.get(above) if above is not None else None
    if isinstance(call, ast.keyword) and call.arg in (
        "include",
        "packages",
        "exclude",
        "py_modules",
        "keywords",
        "platforms",
    ):
        return False
    if isinstance(above, ast.BinOp) and isinstance(above.op, ast.Div):
        return False  # a path
    return isinstance(above, ast.List | ast.Tuple | ast.Set | ast.IfExp | ast.BinOp)
