"""What a chip file may and must say: the table quantities.tsv, one row a number."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("quantities.tsv")
ARCHITECTURES = {
    "ascend": "cube and vector cores (Huawei DaVinci)",
    "nvidia": "streaming multiprocessors with tensor cores",
    "amd": "compute units with matrix cores",
    "tpu": "TensorCores with systolic matrix units",
    "other": "anything else: core.block says over how many blocks a matrix product is spread",
}
# What counts the blocks over which a matrix product is spread.
MATRIX_CORES = {
    "ascend": "core.cube",
    "nvidia": "core.sm",
    "amd": "core.cu",
    "tpu": "core.mxu",
    "other": "core.block",
}
MONEY = ("USD", "CNY")
TRAINING_PEAKS = ("peak.matrix.bf16", "peak.matrix.fp16")  # at least one of them


@dataclass(frozen=True)
class Rule:
    """One number: its unit in the program, the architectures that must give it, whether 0 is sensible."""

    key: str
    unit: str
    needed_by: tuple[str, ...]
    zero: bool
    meaning: str

    def needed(self, architecture: str) -> bool:
        return "every" in self.needed_by or architecture in self.needed_by

    def units(self) -> tuple[str, ...]:
        return MONEY if self.unit == "money" else (self.unit,)

    @property
    def dated(self) -> bool:
        return self.unit == "money"


@cache
def rules() -> dict[str, Rule]:
    """Key -> rule, in the order in which files and tables list them."""
    with FILE.open(encoding="utf-8", newline="") as table:
        rows = csv.DictReader(table, delimiter="\t")
        listed = [
            Rule(row["key"], row["unit"], tuple(row["needed by"].split()), row["zero"] == "0", row["meaning"])
            for row in rows
        ]
    return {rule.key: rule for rule in listed}


def nearest(key: str) -> str:
    """A hint for a key that is not in the table."""
    near = difflib.get_close_matches(key, rules(), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else f"{FILE.name} lists what there is"
