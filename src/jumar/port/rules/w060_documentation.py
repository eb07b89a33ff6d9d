"""Documentation that names CUDA or NVIDIA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import is_licence
from jumar.port.reading.own_paths import is_own
from jumar.port.reading.scripts import in_code
from jumar.port.rule import Example, Rule
from jumar.port.taken import lines as other_lines

RULE = Rule(
    code="W060",
    name="documentation",
    kinds=("markdown",),
    triggers=("cuda", "nvidia", "nccl", "cudnn"),
    layer="workflow",
    severity="cosmetic",
    safety="report",
    runs_unchanged=True,
    why="readers are told of CUDA only",
    replacement="a sentence or a section on Ascend beside it",
    examples=(
        Example("# Install\n\nYou need a GPU with CUDA 12.\n", path="README.md"),
        Example("[![CUDA](https://img.shields.io/badge/CUDA-12-green)](x)\n", path="README.md"),
    ),
    keep=(
        Example("# Install\n\nYou need Python.\n\n```bash\nls\n```\n", path="README.md"),
        Example("| A. Body | [body](https://github.com/body) | NVIDIA |\n", path="MAINTAINERS.md"),
        Example("It speaks with NVIDIA Parakeet.\n", path="README.md"),
    ),
)

WORD = re.compile(
    r"(?<![A-Za-z])(?:cuda|nvidia|nccl|cudnn|cublas|tensorrt|nvlink|nvcc|nvshmem)\w*|"
    r"[a-z_]cuda\b",
    re.IGNORECASE,
)
PEOPLE = re.compile(
    r"(^|/)(?:maintainers|authors|contributors|owners|codeowners|adopters|governance|credits|citations?|cla|security"
    r"|code[_\-]of[_\-]conduct)[^/]*$",
    re.IGNORECASE,
)
OF_MAKER = re.compile(r"nvidia", re.IGNORECASE)
"""In a list of people it is an employer."""


def check(document: Document) -> Iterator[Finding]:
    taken: set[int] | None = None
    lines: set[int] = set()
    of_people = PEOPLE.search(document.path) is not None
    for match in WORD.finditer(document.text):
        line, _ = document.position(match.start())
        if line in lines or is_own(document, match.start()) or (of_people and OF_MAKER.fullmatch(match[0])):
            continue
        lines.add(line)
        if is_licence(document.lines[line - 1]):
            continue
        if in_code(document, match.start()):
            taken = other_lines(document, RULE.code) if taken is None else taken
            if line in taken:
                continue
        yield RULE.found(document, *match.span(), f"names {match[0]}")
