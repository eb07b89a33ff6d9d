"""How many tokens or samples a step handles: given, or recognised from the shapes of integer inputs and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from jumar.runs.format import Column, Exchange, OperatorKind, Phase, Run, Type

LOOKUPS = ("aclnnEmbedding", "aclnnGatherV2", "aclop:GatherV2", "aclnnIndexSelect")
BAGS = ("aclnnEmbeddingBag", "aclop:EmbeddingBag")
LOSSES = ("aclnnNLLLoss", "aclop:NLLLoss", "aclnnCrossEntropyLoss", "aclnnNLLLoss2d")
CONVOLUTIONS = ("aclnnConvolution", "aclop:Conv2D", "aclnnConvTbc")
INTEGERS = ("int64", "int32")


@dataclass(frozen=True)
class Items:
    """What a step handles over all chips: how many, of what (tokens, samples, items), and how that is known."""

    per_step: float
    word: str
    source: str


def given(count: float, word: str = "items", source: str = "given with --items-per-step") -> Items:
    return Items(count, word, source)


def recognise(run: Run, rows: Column, tracks: int) -> Items | None:
    """Items of the step that these rows are, done by one of so many tracks; None if nothing tells."""
    found = _of_one(run, rows)
    if found is None:
        return None
    shared = _shared_by(run, rows)
    groups = max(1, tracks // shared)
    how = found.source
    if tracks > 1:
        how += f", of each of {groups} groups of ranks" if shared > 1 else f", of each of {tracks} ranks"
    return Items(found.per_step * groups, found.word, f"{how}; --items-per-step says otherwise")


def _of_one(run: Run, rows: Column) -> Items | None:
    events = run.events
    first = rows[(events.type[rows] == Type.OPERATOR) & (events.phase[rows] != Phase.BACKWARD)]
    counts = Counter(events.kind[first][events.kind[first] >= 0].tolist())
    called = [(run.kinds[number], count) for number, count in counts.items()]
    if tokens := [one for one in map(_looked_up, called) if one]:
        _, each, count = max(tokens)
        return Items(each * count, "tokens", f"{each:,} indices of the largest embedding" + _times(count))
    if bags := [one for one in map(_bagged, called) if one]:
        each, count = max(bags)
        return Items(each, "samples", f"{each:,} bags of an embedding")
    if labels := [(each, count) for kind, count in called if (each := _labels(kind))]:
        each, count = max(labels)
        return Items(each * count, "samples", f"{each:,} labels of the loss" + _times(count))
    if images := [(each, count) for kind, count in called if (each := _images(kind))]:
        each, _ = max(images)
        return Items(each, "samples", f"{each:,} images of a convolution")
    return None


def _times(count: int) -> str:
    return f", {count} times a step" if count > 1 else ""


def _looked_up(called: tuple[OperatorKind, int]) -> tuple[int, int, int] | None:
    """Rows of the table, indices, and how often it is called."""
    kind, count = called
    operands = list(_operands(kind.arguments))
    if kind.operator not in LOOKUPS or len(operands) < 2:
        return None
    tables = [one["sizes"] for one in operands if one["dtype"] not in INTEGERS and len(one["sizes"]) == 2]
    indices = [prod(one["sizes"]) for one in operands if one["dtype"] in INTEGERS]
    return (tables[0][0], max(indices), count) if tables and indices and max(indices) else None


def _bagged(called: tuple[OperatorKind, int]) -> tuple[int, int] | None:
    """The bags are the rows of the first result that is not of integers, after the table."""
    kind, count = called
    operands = [
        one for one in _operands(kind.arguments) if one["dtype"] not in INTEGERS and len(one["sizes"]) == 2
    ]
    return (operands[1]["sizes"][0], count) if kind.operator in BAGS and len(operands) > 1 else None


def _labels(kind: OperatorKind) -> int:
    if not kind.operator.startswith(LOSSES) or "Backward" in kind.operator:
        return 0
    return max(
        (prod(one["sizes"]) for one in _operands(kind.arguments) if one["dtype"] in INTEGERS), default=0
    )


def _images(kind: OperatorKind) -> int:
    if kind.operator not in CONVOLUTIONS:
        return 0
    return max((one["sizes"][0] for one in _operands(kind.arguments) if len(one["sizes"]) >= 4), default=0)


def _operands(arguments: Sequence[Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for one in arguments:
        if isinstance(one, dict) and "sizes" in one:
            found.append(one)
        elif isinstance(one, (list, tuple)):
            found += _operands(one)
    return found


def _shared_by(run: Run, rows: Column) -> int:
    """Ranks that work on the same items: those that reduce something to all in the forward pass (tensor parallel)."""
    events = run.events
    inside = (events.phase[rows] == Phase.FORWARD) & (events.type[rows] == Type.COLLECTIVE)
    reduced = rows[inside & (events.collective[rows] == Exchange.ALL_REDUCE)]
    return int(np.max(events.ranks[reduced], initial=1))
