"""Every kind of operator as a dot of the roofline: operations a byte, operations a second, and how long it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jumar.physics import Work
from jumar.runs.account.labels import class_of, shapes, short
from jumar.runs.format import NONE, Column, Run, Type
from jumar.runs.priced import Priced

MOST_DOTS = 400


def dots(run: Run, rows: Column, priced: Priced) -> list[dict[str, Any]]:
    """The kinds that compute something, those that take longest first."""
    operators = rows[(run.events.type[rows] == Type.OPERATOR) & (run.events.kind[rows] != NONE)]
    numbers = run.events.kind[operators]
    spent = np.bincount(numbers, weights=priced.duration_s[operators], minlength=len(run.kinds))
    counts = np.bincount(numbers, minlength=len(run.kinds))
    found = []
    for number in np.argsort(-spent, kind="stable")[:MOST_DOTS].tolist():
        kind = run.kinds[number]
        work = priced.kinds.works[number]
        if work is None or not spent[number]:
            continue
        operations, moved_b = operations_of(work), work.read_b + work.written_b
        if operations > 0 and moved_b > 0:
            found.append(
                {
                    "name": short(kind.operator),
                    "shapes": shapes(kind),
                    "class": class_of(kind),
                    "intensity": operations / moved_b,
                    "rate": operations * int(counts[number]) / float(spent[number]),
                    "seconds": float(spent[number]),
                    "count": int(counts[number]),
                }
            )
    return found


def operations_of(work: Work) -> float:
    """Operations of the matrix and the vector unit together."""
    return work.operations + sum(one.operations + one.transcendentals for one in work.vectors)
