"""Files that stand beside an original and do for Ascend what it does for NVIDIA: Dockerfile.npu, a job's twin, alerts.

Each maker is `twin(document, findings) -> Twin | None`; `MAKERS` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.twins import compose, dockerfile, kubernetes, monitoring, requirements, slurm, workflow
from jumar.port.twins.base import Twin

__all__ = ["MAKERS", "Twin", "twins_of"]

Maker = Callable[[Document, Sequence[Finding]], Twin | None]
MAKERS: tuple[Maker, ...] = (
    dockerfile.twin,
    kubernetes.twin,
    compose.twin,
    slurm.twin,
    requirements.twin,
    monitoring.twin,
    workflow.twin,
)


def twins_of(document: Document, findings: Sequence[Finding]) -> Iterator[Twin]:
    """What is to stand beside this document, in which these were found."""
    for make in MAKERS:
        made = make(document, findings)
        if made is not None:
            yield made
