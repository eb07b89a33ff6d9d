"""Which functions of PyTorch the installed torch_npu has no kernel for, read from its files; nothing is imported."""

from __future__ import annotations

import importlib.metadata
import re
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "operators.tsv"
LISTS = ("npu_native_functions.yaml", "npu_native_functions_by_codegen.yaml")
FOLDER = "torch_npu/csrc/aten"
GROUPS = {"torch.linalg": "linalg", "torch.special": "special.", "torch.sparse": "torch.sparse"}
SHORT = 7
"""Words that are not longer are found everywhere, so they must stand after `torch.`."""
NAMED = re.compile(
    r"^\s*-?\s*(?:func:\s*)?-?\s*([a-z_]\w*(?:\.\w+)?)(?:\(|\s*$)", re.MULTILINE | re.IGNORECASE
)


@cache
def used() -> dict[str, frozenset[str]]:
    """By public function the operators that it comes down to, of those with kernels of their own."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()[2:]
    rows = [line.split("\t") for line in lines if line]
    return {name: frozenset(operators.split()) for name, operators in rows}


@cache
def registered() -> frozenset[str] | None:
    """What the adapter registers at least one overload of. None if it is not installed."""
    try:
        place = Path(str(importlib.metadata.distribution("torch_npu").locate_file(FOLDER)))
        texts = [(place / name).read_text(encoding="utf-8") for name in LISTS]
    except (importlib.metadata.PackageNotFoundError, OSError):
        return None
    return frozenset(name.partition(".")[0] for text in texts for name in NAMED.findall(text))


@cache
def without_kernel() -> dict[str, str]:
    """By public function the first of its operators that the adapter does not register. Empty if that is not known."""
    known = registered()
    if known is None:
        return {}
    missing = {name: sorted(filter(_is_missing, operators)) for name, operators in used().items()}
    return {name: lacking[0] for name, lacking in missing.items() if lacking}


def _is_missing(operator: str) -> bool:
    """Neither it nor, for one that works in place, the one that does not."""
    return not {operator, operator.rstrip("_")} & (registered() or {operator})


@cache
def triggers() -> tuple[str, ...]:
    """Words that a text has which uses one of them."""
    found = {"(?!)"} if not without_kernel() else set()
    for name in without_kernel():
        module, _, word = name.rpartition(".")
        group = GROUPS.get(module)
        found.add(group or (word if len(word) > SHORT else f"torch.{word}"))
    return tuple(sorted(found))
