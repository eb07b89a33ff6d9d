"""How much of the matrix peak a step uses, and what limits it, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jumar.physics import Accelerator, Work
from jumar.runs.format import NONE, Column, Run, Type

UNIT_NAMES = {
    "matrix": "matrix unit",
    "vector": "vector unit",
    "memory": "memory bandwidth",
    "launch": "cost of operators",
}
PART_NAMES = {
    "communication": "links between chips",
    "copies": "link to the host",
    "host": "host",
    "bubble": "other pipeline stages",
}


def of(
    run: Run, rows: Column, works: Sequence[Work | None], machine: Accelerator, step_s: float, chips: int
) -> tuple[float, float | None]:
    """Operations of matrix products in these events, and the time they would take at the peak of their types as a share
    of the step: MFU if nothing is computed twice. None where there are no products."""
    events = run.events
    operators = rows[(events.type[rows] == Type.OPERATOR) & (events.kind[rows] != NONE)]
    counts = np.bincount(events.kind[operators], minlength=len(works)).tolist()
    operations = least_s = 0.0
    for count, work in zip(counts, works, strict=True):
        for product in work.products if work and count else ():
            operations += count * product.operations
            least_s += count * product.operations / machine.matrix_rate(product.dtype)
    tracks = max(1, len(np.unique(np.stack([events.process[rows], events.chip[rows]], axis=1), axis=0)))
    if not operations or step_s <= 0:
        return operations, None
    return operations / tracks * chips, least_s / tracks / step_s


def limit_name(parts: Mapping[str, float], units: Mapping[str, float]) -> str:
    """What takes most of the step: a unit of the chip, links, or the host."""
    part = max(parts, key=lambda name: parts[name])
    if part != "chip":
        return PART_NAMES[part]
    return UNIT_NAMES[max(units, key=lambda name: units[name])]
