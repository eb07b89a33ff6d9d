"""What each event is called and what sort of thing it is: the names and colours that all tables and drawings share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jumar.physics import Kind
from jumar.runs.format import NONE, Column, Events, Exchange, OperatorKind, Phase, Type

# Sort of operator -> what it stands under in tables and drawings.
CLASSES = {
    Kind.MATMUL: "matrix",
    Kind.GROUPED_MATMUL: "matrix",
    Kind.CONVOLUTION: "matrix",
    Kind.ATTENTION: "attention",
    Kind.ATTENTION_BACKWARD: "attention",
    Kind.PORTABLE_ATTENTION: "attention",
    Kind.PORTABLE_ATTENTION_BACKWARD: "attention",
    Kind.ELEMENTWISE: "vector",
    Kind.REDUCTION: "vector",
    Kind.RANDOM: "vector",
    Kind.NORMALIZATION: "normalization",
    Kind.GATHER: "indexing",
    Kind.MOE_ROUTING: "indexing",
    Kind.COPY: "copy",
    Kind.OPTIMIZER: "optimizer",
    Kind.COLLECTIVE: "communication",
}
UNKNOWN = "unknown"
ORDER = (
    "matrix",
    "attention",
    "vector",
    "normalization",
    "indexing",
    "copy",
    "optimizer",
    "communication",
    UNKNOWN,
)
TYPES = {
    Type.COPY_H2D: "copy to the chip",
    Type.COPY_D2H: "copy to the host",
    Type.COPY_D2D: "copy on the chip",
    Type.MEMSET: "memory set",
}


@dataclass(frozen=True, eq=False)
class Labels:
    """`of` has, for each event, a row of `names`; `classes` and `first_kind` (-1: none) belong to the names."""

    of: Column
    names: Sequence[str]
    classes: Sequence[str]
    first_kind: Sequence[int]


def labels_of(events: Events, kinds: Sequence[OperatorKind]) -> Labels:
    """Names of all events: operators by their own, collectives, copies and the rest by what they do.

    What an optimizer does element by element is a class of its own, whatever operators it is made of.
    """
    rows: dict[tuple[str, str], tuple[int, int]] = {}

    def row(name: str, group: str, kind: int = -1) -> int:
        return rows.setdefault((name, group), (len(rows), kind))[0]

    by_type = np.array([row(TYPES.get(one, ""), "copy" if one in TYPES else UNKNOWN) for one in Type])
    groups = [class_of(kind) for kind in kinds]
    by_kind, in_optimizer = (
        np.array(
            [row(short(k.operator), g, n) for n, (k, g) in enumerate(zip(kinds, some, strict=True))] or [0]
        )
        for some in (groups, ["optimizer" if group == "vector" else group for group in groups])
    )
    by_exchange = np.array([row(one.name.lower().replace("_", " "), "communication") for one in Exchange])
    of = by_type[events.type]
    operators, collectives = events.type == Type.OPERATOR, events.type == Type.COLLECTIVE
    optimizing = events.phase[operators] == Phase.OPTIMIZER
    kind = events.kind[operators]
    named = np.where(optimizing, in_optimizer[kind], by_kind[kind])
    of[operators] = np.where(kind == NONE, row("unknown", UNKNOWN), named)
    of[collectives] = by_exchange[events.collective[collectives]]
    names, classes = zip(*rows, strict=True)
    return Labels(of, names, classes, tuple(kind for _, kind in rows.values()))


def short(operator: str) -> str:
    """Without what all names begin with."""
    return operator.removeprefix("aclnn").removeprefix("aclop:")


def class_of(kind: OperatorKind) -> str:
    return CLASSES[kind.work.kind] if kind.work else UNKNOWN


def shapes(kind: OperatorKind, most: int = 4) -> str:
    """The operands as [8, 1024, 768] bf16 × …, the first few of them."""
    found: list[str] = []
    stack = list(reversed(kind.arguments))
    while stack and len(found) < most:
        one = stack.pop()
        if isinstance(one, dict) and "sizes" in one:
            found.append(f"{one['sizes']} {_short_type(one['dtype'])}")
        elif isinstance(one, (list, tuple)):
            stack.extend(reversed(one))
    return " × ".join(found)


def _short_type(dtype: str) -> str:
    return dtype.replace("bfloat", "bf").replace("float", "fp")
