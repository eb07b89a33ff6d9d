"""Documentation that names CUDA or NVIDIA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading.comments import OF_ADDRESS, in_address, is_licence
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
    why="the text names CUDA, NVIDIA or what comes from them",
    replacement="where it tells what the program needs or how it is used, a sentence on Ascend beside it",
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
    r"(?<![A-Za-z])(?:cuda|nvidia|nccl(?!ement)|cudnn|cublas|tensorrt|nvlink|nvcc|nvshmem)\w*|"
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


OF_HISTORY = re.compile(r"(^|/)(?:change|release|history|news|whats[_\-]?new)[^/]*$", re.IGNORECASE)
WAS = {"replacement": "nothing: it tells what was"}


def check(document: Document) -> Iterator[Finding]:
    taken: set[int] | None = None
    of_people = PEOPLE.search(document.path) is not None
    past = WAS if OF_HISTORY.search(document.path) else {}
    for line, match in _by_line(document).items():
        if of_people and OF_MAKER.fullmatch(match[0]):
            continue
        if is_licence(document.lines[line - 1]):
            continue
        if in_code(document, match.start()):
            taken = other_lines(document, RULE.code) if taken is None else taken
            if line in taken:
                continue
        more = OF_ADDRESS if in_address(document, match.start()) else past
        yield RULE.found(
            document,
            *match.span(),
            f"names {match[0]}",
            why=more.get("why"),
            replacement=more.get("replacement"),
        )


def _by_line(document: Document) -> dict[int, re.Match[str]]:
    """One word of each line, and rather one that stands in no address."""
    found: dict[int, re.Match[str]] = {}
    for match in WORD.finditer(document.text):
        line, _ = document.position(match.start())
        if is_own(document, match.start()):
            continue
        if line not in found or (
            in_address(document, found[line].start()) and not in_address(document, match.start())
        ):
            found[line] = match
    return found
