"""What another vendor's build of PyTorch runs where the adapter called one of Ascend's operators: a table, read here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jumar.physics import Kind, Work
from jumar.runs.format import NONE, Column, OperatorKind, Phase, Run, Type

FILE = Path(__file__).with_name("translation.tsv")
ASCEND = "ascend"
COMPILED = ("tpu",)  # architectures for which a step is compiled as a whole
NOTES = {
    "nvidia": "priced as the kernels that a CUDA build runs (runs/translation.tsv)",
    "amd": "priced as a ROCm build, which runs what a CUDA build runs (runs/translation.tsv)",
    "tpu": "priced operator by operator with nothing for the host to issue; XLA would also fuse pointwise operators, "
    "so the time is an upper bound",
    "other": "priced as the kernels that a CUDA build runs (runs/translation.tsv)",
}


@dataclass(frozen=True)
class Rule:
    """A row of the table. `operator` may have `*`, and `@bool` behind it where that is the type of its first operand; the
    first row that fits holds."""

    operator: str
    becomes: str
    change: str
    note: str


@dataclass(frozen=True)
class Translated:
    """What is priced instead of an operator. `absent`: nothing runs. `becomes`: "" where it is the same."""

    work: Work | None
    becomes: str = ""
    absent: bool = False


def _draws(work: Work) -> Work:
    """A dropout that draws for itself: the mask is written, a byte an element, where a mask of bits was read."""
    elements = work.written_b / 2
    return replace(work, read_b=work.written_b, written_b=work.written_b + elements)


# Generations for which PyTorch's flash attention, written for Ampere, is a kernel of an older one.
AFTER_FLASH = ("Hopper", "Blackwell")
PORTABLE_AFTER_FLASH = {Kind.ATTENTION: Kind.PORTABLE_ATTENTION}
# In fp32 there is no flash attention: the memory-efficient kernel runs.
PORTABLE_IN_FP32 = {
    Kind.ATTENTION: Kind.PORTABLE_ATTENTION,
    Kind.ATTENTION_BACKWARD: Kind.PORTABLE_ATTENTION_BACKWARD,
}
MOST_TENSORS = 100

CHANGES: dict[str, Callable[[Work], Work]] = {"same": lambda work: work, "draws": _draws}
ABSENT = "absent"


@cache
def table() -> tuple[Rule, ...]:
    """The rows; ValueError for one that cannot be used."""
    heading, *lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != len(heading.split("\t")) or cells[2] not in (*CHANGES, ABSENT):
            raise ValueError(
                f"{FILE.name}, line {number}: give operator, becomes, change and note; change is one of "
                f"{', '.join((*CHANGES, ABSENT))}"
            )
        rows.append(Rule(*cells))
    return tuple(rows)


def translate(kinds: Sequence[OperatorKind], architecture: str, generation: str) -> list[Translated]:
    """What runs on a chip of that architecture in place of each kind."""
    if architecture == ASCEND:
        return [Translated(kind.work) for kind in kinds]
    return [_translate(kind, generation in AFTER_FLASH) for kind in kinds]


@cache
def rule_of(operator: str, dtype: str) -> Rule | None:
    """The row that holds for an operator with a first operand of that type."""

    def fits(rule: Rule) -> bool:
        pattern, _, wanted = rule.operator.partition("@")
        return fnmatchcase(operator, pattern) and wanted in ("", dtype)

    return next((rule for rule in table() if fits(rule)), None)


def _translate(kind: OperatorKind, after_flash: bool) -> Translated:
    dtype = first_type(kind.arguments)
    rule = rule_of(kind.operator, dtype)
    if rule is not None and rule.change == ABSENT:
        return Translated(None, "nothing", absent=True)
    becomes = rule.becomes if rule else ""
    if kind.work is None:
        return Translated(None, becomes)
    work = CHANGES[rule.change](kind.work) if rule else kind.work
    portable = PORTABLE_IN_FP32 if dtype == "float32" else PORTABLE_AFTER_FLASH if after_flash else {}
    return Translated(replace(work, kind=portable.get(work.kind, work.kind)), becomes)


def first_type(arguments: Sequence[Any]) -> str:
    """The type of the first operand, also of one in a list; empty if there is none."""
    for one in arguments:
        if isinstance(one, dict) and "dtype" in one:
            return str(one["dtype"])
        if isinstance(one, (list, tuple)) and (found := first_type(one)):
            return found
    return ""


def tensors_a_launch(run: Run, kinds: Sequence[OperatorKind], works: Sequence[Work | None]) -> Column:
    """For each event how many tensors share its launch. The adapter updates weights tensor by tensor where PyTorch's
    optimizers on CUDA take lists of them: `multi_tensor_apply`, up to MOST_TENSORS in one kernel."""
    events = run.events
    many = np.ones(len(events))
    single = np.array([_single(kind, work) for kind, work in zip(kinds, works, strict=True)] or [False])
    rows = np.flatnonzero(
        (events.phase == Phase.OPTIMIZER) & (events.type == Type.OPERATOR) & (events.kind != NONE)
    )
    rows = rows[single[events.kind[rows]]]
    if not len(rows):
        return many
    names = {kind.operator: number for number, kind in enumerate(kinds)}
    number = np.array([names[kind.operator] for kind in kinds])[events.kind[rows]]
    step = events.step[rows].astype(np.int64)
    key = (number * (int(step.max()) + 1) + step) * (int(events.process.max()) + 1) + events.process[rows]
    _, place, counts = np.unique(key, return_inverse=True, return_counts=True)
    many[rows] = np.minimum(counts[place.reshape(-1)], MOST_TENSORS)
    return many


def _single(kind: OperatorKind, work: Work | None) -> bool:
    pointwise = work is not None and work.kind in (Kind.ELEMENTWISE, Kind.OPTIMIZER, Kind.COPY)
    return pointwise and "Foreach" not in kind.operator
