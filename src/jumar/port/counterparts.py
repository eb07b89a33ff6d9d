"""What the dictionary says of a name that Python programs use: its counterpart, and whether the CUDA face does it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jumar import cudamap
from jumar.cudamap import Name

TABLES = ("torch", "torch_cuda", "distributed", "environment")
ABSENT = Path(__file__).parent / "without_npu.tsv"
"""Names of torch.cuda that torch.npu does not have, or answers otherwise, and what a program does there."""
QUIET = Path(__file__).parent / "without_cuda.tsv"
"""What does not fail in a PyTorch without CUDA, and what it answers there: tried with PyTorch 2.13 for the CPU."""
REFUSED = ("refused", "has no use", "needs CUDA")


@cache
def by_name() -> dict[str, Name]:
    """Every row, by its CUDA name; the first of two tables counts."""
    found: dict[str, Name] = {}
    for table in TABLES:
        for row in cudamap.names(table):
            found.setdefault(row.cuda, row)
    return found


def row(name: str) -> Name | None:
    """The row of a name, or of the longest beginning of it that has one: a method belongs to its class."""
    while name:
        if name in by_name():
            return by_name()[name]
        name = name.rpartition(".")[0]
    return None


def replacement(name: str) -> str | None:
    """What stands there on Ascend. None if no row says."""
    found = row(name)
    if found is None:
        return None
    if found.ascend and found.ascend != found.cuda:
        return found.ascend
    return found.note if found.status == "absent" else None


@cache
def _absent() -> dict[str, str]:
    return _pairs(ABSENT)


@cache
def _quiet() -> dict[str, str]:
    return _pairs(QUIET)


def _pairs(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return {name: says for name, _, says in (line.partition("\t") for line in lines)}


def without_cuda(name: str) -> str | None:
    """What a call answers quietly where PyTorch has no CUDA. None for what fails there."""
    return _quiet().get(name)


def without_npu(name: str) -> str | None:
    """What stands there on Ascend for a name that torch.npu lacks, or for what such a name holds. None for others."""
    while name:
        if name in _absent():
            return _absent()[name]
        name = name.rpartition(".")[0]
    return None


def runs_unchanged(name: str) -> bool:
    """Whether the CUDA face does what the name says."""
    found = row(name)
    return found is None or (found.status != "absent" and not any(word in found.note for word in REFUSED))
