"""Files that stand beside an original and do for Ascend what it does for NVIDIA: Dockerfile.npu, a job's twin, alerts.

Each module here has `twin(document, findings) -> Twin | None`; `MAKERS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jumar.port.document import Document
from jumar.port.finding import Finding


@dataclass(frozen=True)
class Twin:
    """A new file. `path`: relative to the repository, with slashes."""

    path: str
    text: str
    why: str


Maker = Callable[[Document, Sequence[Finding]], Twin | None]
MAKERS: tuple[Maker, ...] = ()


def twins_of(document: Document, findings: Sequence[Finding]) -> Iterator[Twin]:
    """What is to stand beside this document, in which these were found."""
    for make in MAKERS:
        made = make(document, findings)
        if made is not None:
            yield made
