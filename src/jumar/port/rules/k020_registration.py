"""Operators registered for CUDA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port import native_names
from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.native_source import source
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="K020",
    name="registration",
    kinds=native_names.KINDS,
    triggers=("cuda",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="PyTorch calls the function for tensors on CUDA only",
    replacement="a registration for PrivateUse1 beside it",
    examples=(
        Example('TORCH_LIBRARY_IMPL(ops, CUDA, m) { m.impl("f", f); }\n'),
        Example("int x;\nTORCH_LIBRARY_IMPL(ops, AutogradCUDA, m) {}\n"),
        Example("TORCH_LIBRARY_IMPL(ops, CUDA, m) {}\nTORCH_LIBRARY_IMPL(ops, PrivateUse1, m) {}\n"),
    ),
    keep=("TORCH_LIBRARY_IMPL(ops, CPU, m) {}\n",),
)

PATTERN = re.compile(
    r"\b(?:TORCH_LIBRARY_IMPL|TORCH_LIBRARY_IMPL_EXPAND|"
    r"STABLE_TORCH_LIBRARY_IMPL)\s*\(\s*(?P<library>\w+)\s*,\s*(?P<name>\w*CUDA)\b"
)


def check(document: Document) -> Iterator[Finding]:
    for match in source(document).words(PATTERN):
        ours = match["name"].replace("CUDA", "PrivateUse1")
        if re.search(rf"_IMPL\w*\s*\(\s*{match['library']}\s*,\s*{ours}\b", document.text):
            what = f"registered for {match['name']}; {ours} stands beside it"
            says = "nothing, if the other registration has all of its operators"
            yield RULE.found(document, *match.span("name"), what, severity="cosmetic", replacement=says)
            continue
        yield RULE.found(document, *match.span("name"), f"registered for {match['name']}")
