"""Packages that need torch and do not offer the adapter for Ascend beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Edit, Finding
from jumar.port.reading import requirement_lines, toml_strings
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="B017",
    name="adapter",
    kinds=("toml",),
    triggers=("torch",),
    layer="software",
    severity="degrades",
    safety="review",
    runs_unchanged=True,
    why="PyTorch knows chips of Ascend through torch-npu, which the project does not offer",
    replacement="an extra `npu` with torch-npu, so that `pip install package[npu]` does",
    examples=(
        Example(
            '[project]\nname = "x"\ndependencies = ["torch>=2.1"]\n',
            after='[project]\nname = "x"\ndependencies = ["torch>=2.1"]\n\n'
            '[project.optional-dependencies]\nnpu = ["torch-npu"]\n',
            path="pyproject.toml",
        ),
        Example(
            '[project]\nname = "x"\ndependencies = ["torch"]\n\n[project.optional-dependencies]\n'
            'dev = ["ruff"]\n',
            after='[project]\nname = "x"\ndependencies = ["torch"]\n\n[project.optional-dependencies]\n'
            'npu = ["torch-npu"]\ndev = ["ruff"]\n',
            path="pyproject.toml",
        ),
    ),
    keep=(
        Example('[project]\nname = "x"\ndependencies = ["torch", "torch-npu"]\n', path="pyproject.toml"),
        Example('[project]\nname = "x"\ndependencies = ["numpy"]\n', path="pyproject.toml"),
        Example('[project]\nname = "x"\ndependencies = ["torch==2.11.0+cpu"]\n', path="pyproject.toml"),
        Example('[project]\nname = "x"\ndynamic = ["dependencies"]\n# torch\n', path="pyproject.toml"),
    ),
)
EXTRAS = re.compile(r"^\[project\.optional-dependencies\][ \t]*(?:#[^\n]*)?\r?\n", re.MULTILINE)
INLINE = re.compile(r"^optional-dependencies[ \t]*=", re.MULTILINE)
OFFERS = re.compile(r"torch[-_]npu", re.IGNORECASE)

FOR_OTHERS = re.compile(r"(?:^|[-_/.])(?:rocm\d*|cpu|hpu|xpu|tpu|neuron|gaudi)(?=[-_/.])", re.IGNORECASE)
"""A project of an image for the host or for another maker's chips."""


def check(document: Document) -> Iterator[Finding]:
    if (
        not document.path.endswith("pyproject.toml")
        or OFFERS.search(document.text)
        or FOR_OTHERS.search(document.path)
    ):
        return
    for text in toml_strings.texts(document):
        if text.table != "project" or text.key != "dependencies" or text.is_key:
            continue
        needed = requirement_lines.parse(text.value, text.start)
        if needed is not None and needed.name == "torch" and "+cpu" not in text.value:
            yield RULE.found(
                document, needed.name_start, needed.name_end, "torch without torch-npu", edit=_extra(document)
            )
            return


def _extra(document: Document) -> list[Edit] | None:
    new = document.newline
    line = f'npu = ["torch-npu"]{new}'
    extras = EXTRAS.search(document.text)
    if extras:
        return [Edit(extras.end(), extras.end(), line)]
    if INLINE.search(document.text):
        return None
    end = len(document.text)
    gap = "" if document.text.endswith("\n") else new
    return [Edit(end, end, f"{gap}{new}[project.optional-dependencies]{new}{line}")]
