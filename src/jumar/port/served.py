"""Findings in a branch beside which another serves the NPU: the program is ported there, and they weigh little."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from jumar.port import cost
from jumar.port.document import Document, Unparsed
from jumar.port.finding import Finding
from jumar.port.reading import python_source

NPU = re.compile(r"(?<![a-z])(npu|hccl|ascend)(?![a-z])", re.IGNORECASE)
KNOWN_BY = ("npu", "hccl", "ascend")
MATTERS = ("C00", "C01", "C02", "C03", "C04", "C05")
WORDS = "; another branch serves the NPU"


def weighed(document: Document, findings: list[Finding]) -> list[Finding]:
    """The findings, those that stand beside a branch for the NPU as cosmetic and without an edit."""
    if document.kind != "python" or not findings or not any(word in document.lowered for word in KNOWN_BY):
        return findings
    try:
        ranges = document.once(beside)
    except Unparsed:
        return findings
    return [_lighter(one) if _is_in(one, ranges) else one for one in findings]


def _is_in(one: Finding, ranges: Iterable[tuple[int, int]]) -> bool:
    return one.code.startswith(MATTERS) and any(first <= one.line <= last for first, last in ranges)


def _lighter(one: Finding) -> Finding:
    return replace(
        one,
        what=one.what + WORDS,
        severity="cosmetic",
        safety="report",
        effort_days=cost.days(one.code, "cosmetic"),
        edit=None,
    )


def beside(document: Document) -> list[tuple[int, int]]:
    """First and last line of each branch of an `if` that has another branch which asks for the NPU."""
    source = document.once(python_source.read)
    found: list[tuple[int, int]] = []
    for node in source.all(ast.If):
        if _continues(source, node):
            continue
        branches = _branches(node)
        spared = [test is not None and _spares(source, test) for test, _, _ in branches]
        found += [
            (first, last) for (_, first, last), is_spared in zip(branches, spared, strict=True) if is_spared
        ]
        asking = [
            test is not None and not spare and bool(NPU.search(source.text(test)))
            for (test, _, _), spare in zip(branches, spared, strict=True)
        ]
        if any(asking):
            found += [
                (first, last) for (_, first, last), asks in zip(branches, asking, strict=True) if not asks
            ]
    for choice in source.all(ast.IfExp):
        if NPU.search(source.text(choice)):
            found.append((choice.lineno, choice.end_lineno or choice.lineno))
    return found


def _spares(source: python_source.Source, test: ast.expr) -> bool:
    """The condition does not hold where there is an NPU: `not is_npu_available()`, also with others by `and`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_spares(source, one) for one in test.values)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, (ast.Name, ast.Attribute, ast.Call)) and bool(
            NPU.search(source.text(test.operand))
        )
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.NotEq)
        and bool(NPU.search(source.text(test)))
    )


def _continues(source: python_source.Source, node: ast.If) -> bool:
    """It is the elif of another."""
    above = source.parents[node]
    return isinstance(above, ast.If) and above.orelse == [node]


def _branches(node: ast.If) -> list[tuple[ast.expr | None, int, int]]:
    """Test, first and last line of each branch of a chain."""
    found: list[tuple[ast.expr | None, int, int]] = []
    while True:
        found.append((node.test, node.lineno, node.body[-1].end_lineno or node.lineno))
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            node = node.orelse[0]
            continue
        if node.orelse:
            found.append((None, node.orelse[0].lineno, node.orelse[-1].end_lineno or node.lineno))
        return found
