"""What another vendor's build of PyTorch runs where the adapter called one of Ascend's operators: a table, read here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from jumar.physics import Work
from jumar.runs.format import OperatorKind

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
    """A row of the table. `operator` may have `*`; the first row that fits holds."""

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


def translate(kinds: Sequence[OperatorKind], architecture: str) -> list[Translated]:
    """What runs on a chip of that architecture in place of each kind."""
    if architecture == ASCEND:
        return [Translated(kind.work) for kind in kinds]
    return [_translate(kind) for kind in kinds]


@cache
def rule_of(operator: str) -> Rule | None:
    """The row that holds for an operator."""
    return next((rule for rule in table() if fnmatchcase(operator, rule.operator)), None)


def _translate(kind: OperatorKind) -> Translated:
    rule = rule_of(kind.operator)
    if rule is None:
        return Translated(kind.work)
    if rule.change == ABSENT:
        return Translated(None, "nothing", absent=True)
    return Translated(CHANGES[rule.change](kind.work) if kind.work else None, rule.becomes)
