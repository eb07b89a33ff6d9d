"""Code in notebooks: the rules of Python and of scripts, on the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jumar.port import embedded
from jumar.port.document import Document, Unparsed
from jumar.port.finding import Finding
from jumar.port.reading import notebook_cells
from jumar.port.reading.notebook_cells import Cell
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W008",
    name="notebook",
    kinds=("notebook",),
    triggers=("cuda", "nvidia", "nccl", "gpu", "flash", "triton", "xformers", "bitsandbytes", "apex", "cupy"),
    layer="workflow",
    severity="blocks",
    safety="review",
    runs_unchanged=True,
    why="the cell says CUDA; each finding carries the code of the rule that found it",
    replacement="what the rule for Python or for scripts says",
    examples=(
        Example(
            '{"cells": [{"cell_type": "code", "source": ["!nvidia-smi\\n", "import torch"]}]}\n',
            path="a.ipynb",
        ),
        Example(
            '{"cells": [{"cell_type": "code", "source": "%%bash\\nexport NCCL_DEBUG=INFO\\n"}]}\n',
            path="a.ipynb",
        ),
    ),
    keep=(
        Example('{"cells": [{"cell_type": "markdown", "source": ["!nvidia-smi"]}]}\n', path="a.ipynb"),
        Example(
            '{"cells": [{"cell_type": "code", "outputs": [{"text": ["cuda:0"]}], "source": ["x = 1"]}]}\n',
            path="a.ipynb",
        ),
    ),
)

WIDEST = 100
"""Further to the right no line of a notebook begins that stands alone."""


def check(document: Document) -> Iterator[Finding]:
    cells = notebook_cells.cells(document)
    shell = _shell(document, cells)
    if shell.runs:
        yield from embedded.findings(document, shell, "shell", "workflow", _written(document))
    try:
        yield from [*_of_python(document, cells)]
        return
    except Unparsed:
        pass  # one cell that is no Python shall not hide the others
    for cell in cells:
        try:
            yield from [*_of_python(document, (cell,))]
        except Unparsed:
            continue


def _written(document: Document) -> Callable[[str], str]:
    """New lines become strings of their own where all the notebook's lines are."""
    before: set[str] = set()
    for cell in notebook_cells.cells(document):
        for line in cell.lines:
            start = document.starts[document.position(line.start)[0] - 1]
            before.add(document.text[start : line.start] if line.start - start < WIDEST else "x")
            if len(before) > 1:
                return embedded.in_json
    indent = before.pop() if before else "x"
    if indent.strip():
        return embedded.in_json
    between = f'\\n",{document.newline}{indent}"'

    def written(text: str) -> str:
        *ended, last = text.split("\n")
        return "".join(embedded.in_json(line) + between for line in ended) + embedded.in_json(last)

    return written


def _of_python(document: Document, cells: Sequence[Cell]) -> Iterator[Finding]:
    piece = embedded.Piece()
    for cell in cells:
        if cell.language == "python":
            for line in cell.lines:
                piece.add_json(document.text, line.start, line.end)
            piece.fill("\n")
    piece.parts = [notebook_cells.as_python("".join(piece.parts))]
    if piece.runs:
        yield from embedded.findings(document, piece, "python", "workflow", _written(document))


def _shell(document: Document, cells: Sequence[Cell]) -> embedded.Piece:
    """All commands for the shell, one below the other."""
    piece = embedded.Piece()
    for cell in cells:
        whole = embedded.Piece()
        for line in cell.lines:
            whole.add_json(document.text, line.start, line.end)
        start = 0
        for text in whole.text.split("\n"):
            is_magic = text.lstrip().startswith("%%")
            part = (
                (0, len(text))
                if cell.language == "shell" and not is_magic
                else notebook_cells.shell_part(text)
            )
            if part and cell.language != "other":
                _copy(whole, start + part[0], start + part[1], piece)
                piece.fill("\n")
            start += len(text) + 1
    return piece


def _copy(source: embedded.Piece, start: int, end: int, target: embedded.Piece) -> None:
    """Characters of one piece become part of another, with their places."""
    text = source.text
    for run in source.runs:
        first, last = max(start, run.inner), min(end, run.inner + run.size)
        if first < last:
            exact = run.outer_end - run.outer == run.size
            outer = run.outer + (first - run.inner if exact else 0)
            target.add(text[first:last], outer, outer + last - first if exact else run.outer_end)
